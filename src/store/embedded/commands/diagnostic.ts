import { Double, Long } from 'bson';
import type { Doc } from '../bson/value.js';
import { EngineError } from '../errors.js';
import { SESSION_MINUTES, sessionKey } from '../server/sessions.js';
import { MAX_MESSAGE } from '../wire/message.js';
import { MAX_DOCUMENT } from '../documents/write.js';
import { type Command, int } from './command.js';

/** The server version whose behaviour is followed. */
const VERSION = '8.0.0';
const WIRE_VERSION = 25;
const SET_NAME = 'gridmate';

export const hello: Command = {
  help: 'What the server is: the primary of a replica set of one.',
  run({ engine, connectionId }) {
    const address = engine.address();
    return {
      helloOk: true,
      ismaster: true,
      isWritablePrimary: true,
      secondary: false,
      setName: SET_NAME,
      hosts: [address],
      me: address,
      primary: address,
      maxBsonObjectSize: int(MAX_DOCUMENT),
      maxMessageSizeBytes: int(MAX_MESSAGE),
      maxWriteBatchSize: int(100_000),
      localTime: new Date(),
      logicalSessionTimeoutMinutes: int(SESSION_MINUTES),
      connectionId: int(connectionId),
      minWireVersion: int(0),
      maxWireVersion: int(WIRE_VERSION),
      readOnly: false,
    };
  },
};

const empty = (help: string): Command => ({ help, run: () => ({}) });

export const ping = empty('Answers.');

export const buildInfo: Command = {
  help: 'The version whose behaviour is followed.',
  run: () => ({
    version: VERSION,
    gitVersion: 'embedded',
    modules: [],
    storageEngines: ['lmdb'],
    versionArray: VERSION.split('.')
      .map((n) => int(Number(n)))
      .concat(int(0)),
    bits: int(64),
    debug: false,
    maxBsonObjectSize: int(MAX_DOCUMENT),
    openssl: { running: 'none', compiled: 'none' },
  }),
};

export const serverStatus: Command = {
  help: 'Figures of the server.',
  run: ({ engine }) => ({
    host: engine.address(),
    version: VERSION,
    process: 'gridmate-store',
    pid: Long.fromNumber(process.pid),
    uptime: new Double(process.uptime()),
    localTime: new Date(),
    // Flushes to the disk since the start: concurrent writers share one.
    flushes: Long.fromNumber(engine.transactions.version),
    storageEngine: { name: 'lmdb', supportsCommittedReads: true, persistent: true, readOnly: false },
    mem: { resident: int(Math.round(process.memoryUsage.rss() / 2 ** 20)) },
  }),
};

export const connectionStatus: Command = {
  help: 'Who is connected: the socket is its owner’s alone, so there are no users.',
  run: () => ({ authInfo: { authenticatedUsers: [], authenticatedUserRoles: [] } }),
};

export const hostInfo: Command = {
  help: 'The machine.',
  run: () => ({
    system: { currentTime: new Date(), cpuAddrSize: int(64) },
    os: { type: process.platform, name: process.platform },
    extra: {},
  }),
};

export const getParameter: Command = {
  help: 'Parameters.',
  run({ command }) {
    if ('featureCompatibilityVersion' in command) return { featureCompatibilityVersion: { version: '8.0' } };
    throw new EngineError('InvalidOptions', 'no option found to get');
  },
};

export const getLog: Command = {
  help: 'No log is kept.',
  run: () => ({ totalLinesWritten: int(0), log: [] }),
};

export const getCmdLineOpts: Command = {
  help: 'The command line.',
  run: () => ({ argv: [], parsed: {} }),
};

export const commitTransaction: Command = {
  help: 'Makes a transaction’s writes lasting.',
  fields: ['commitTransaction', 'recoveryToken'],
  inTransaction: true,
  async run({ engine, session }) {
    await engine.sessions.commit(session);
    return {};
  },
};

export const abortTransaction: Command = {
  help: 'Drops a transaction’s writes.',
  fields: ['abortTransaction', 'recoveryToken'],
  inTransaction: true,
  run({ engine, session }) {
    engine.sessions.abort(session);
    return {};
  },
};

export const endSessions: Command = {
  help: 'Ends sessions and what is open in them.',
  run({ command, engine }) {
    const list = command['endSessions'] ?? command['killSessions'];
    if (Array.isArray(list))
      for (const s of list) {
        const key = sessionKey(s);
        if (key !== undefined) engine.sessions.end(key);
      }
    return {};
  },
};

export const startSession: Command = {
  help: 'A new session.',
  run: () => ({ timeoutMinutes: int(SESSION_MINUTES) }),
};

export const listCommandsOf = (commands: () => ReadonlyMap<string, Command>): Command => ({
  help: 'The commands there are.',
  run: (): Doc => ({
    commands: Object.fromEntries([...commands()].map(([name, c]) => [name, { help: c.help, requiresAuth: false }])),
  }),
});
