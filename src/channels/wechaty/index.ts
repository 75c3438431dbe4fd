// First: it silences wechaty's own log before wechaty is evaluated.
import './quiet.js';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Connection as StoreConnection } from 'mongoose';
import type { Logger } from 'pino';
import QRCode from 'qrcode';
import type { Channel, Inbox, LeaseOf } from '../../bot/channel.js';
import type { ChannelGap, Gaps } from '../../bot/gaps.js';
import type { Attachment, Handled } from '../../bot/message.js';
import type { Clock } from '../../clock.js';
import type { Config } from '../../config.js';
import { Connection } from './connection.js';
import { Echoes } from './echoes.js';
import type { BotErrorSort } from './errors.js';
import { Hearing } from './hearing.js';
import { Incoming, type Unheard, WECHATY } from './incoming.js';
import { Lane } from './lane.js';
import { Outgoing } from './outgoing.js';
import { Pacer } from './pacer.js';
import { createPuppet, idsLast, memoryOf, type PuppetSettings, reach } from './puppet.js';
import { Rooms } from './rooms.js';
import { Supervisor } from './supervisor.js';

export { WECHATY } from './incoming.js';

/** What the channel needs of the rest of the program. */
export interface WechatyNeeds {
  readonly connection: StoreConnection;
  readonly gaps: Gaps;
  readonly leaseOf: LeaseOf;
  readonly clock: Clock;
  readonly log: Logger;
  readonly attachments: {
    store(name: string, type: string, bytes: Buffer, at: Date): Promise<Attachment>;
    find(id: string): Promise<{ bytes: Buffer } | null>;
  };
  /** What the community knows of a person in a place. */
  readonly known: (person: string, room: string | null) => Promise<{ role: string | undefined; group: unknown }>;
  /** The network took a message and said afterwards that it did not: the outbox sends it again. */
  readonly onRefused: (outboxId: string) => void;
  readonly onUp: (gap: ChannelGap | undefined) => void;
  readonly onDown: (since: Date) => void;
  readonly onError: (sort: BotErrorSort) => void;
  readonly onLost: (reason: 'fetch' | 'store' | 'tooMany') => void;
  /** Shows the login code to whoever started the program. */
  readonly print: (text: string) => void;
}

/** The channel's state, for the operator's page. */
export interface WechatyStatus {
  readonly puppet: string;
  readonly up: boolean;
  readonly since: Date;
  readonly reason: string;
  /** The text of the code to scan, while somebody has to. */
  readonly code: string | undefined;
  readonly restUntil: Date | undefined;
  readonly rooms: readonly { readonly id: string; readonly topic: string; readonly size: number }[];
  readonly gaps: readonly ChannelGap[];
}

type HandledListener = (messageId: string, outcome: Unheard | Handled) => void;

export interface WechatyChannel extends Channel {
  status(): Promise<WechatyStatus>;
  /** Calls back with what became of each message, for tools and tests; returns how to end it. */
  onHandled(listener: HandledListener): () => void;
}

const SHOWN_GAPS = 50;

/** WeChat through Wechaty: docs/wechaty.md says what it risks. */
export function createWechaty(config: Config, needs: WechatyNeeds): WechatyChannel {
  const { connection, gaps, clock, log: programLog, known, attachments } = needs;
  const log = programLog.child({ channel: WECHATY });
  const settings = puppetSettings(config);
  const rooms = new Rooms(connection);
  const echoes = new Echoes();
  const lane = new Lane(
    new Pacer({
      minMs: config.WECHATY_SEND_PAUSE_MIN_MS,
      maxMs: Math.max(config.WECHATY_SEND_PAUSE_MIN_MS, config.WECHATY_SEND_PAUSE_MAX_MS),
      destinationMs: config.WECHATY_ROOM_PAUSE_MS,
      burst: config.WECHATY_BURST,
      restMs: config.WECHATY_BURST_REST_SECONDS * 1000,
    }),
  );
  const listeners = new Set<HandledListener>();
  let code: string | undefined;
  let inbox: Inbox | undefined;
  let hearing: Hearing | undefined;
  /** Of connections that are down: what they heard is still being done with. */
  const earlier = new Set<Hearing>();
  let ownId: string | undefined;

  const showCode = (text: string): void => {
    if (text === code) return;
    code = text;
    log.warn('a person must scan the login code: it is on the page /wechaty and in the terminal');
    QRCode.toString(text, { type: 'terminal', small: true }).then(
      (drawn) => needs.print(`请用微信扫码登录 / scan with WeChat to log in:\n${drawn}\n`),
      (err: unknown) => log.error({ err }, 'login code not drawn'),
    );
  };

  const hear = (link: Connection, to: Inbox): Hearing =>
    new Hearing(link, {
      inbox: to,
      incoming: new Incoming(link.puppet, {
        clock,
        lateMs: config.WECHATY_LATE_MINUTES * 60_000,
        maxAgeMs: config.WECHATY_MAX_AGE_MINUTES * 60_000,
        async wantsPictures(person, room) {
          const { role, group } = await known(person, room);
          return role !== undefined && (room === null || group !== undefined);
        },
        store: (name, type, bytes, at) => attachments.store(name, type, bytes, at),
      }),
      rooms,
      echoes,
      clock,
      log,
      invitations: config.WECHATY_INVITATIONS,
      roleOf: async (person) => (await known(person, null)).role,
      onRefusal(place) {
        const refused = outgoing.refused(place);
        if (refused !== undefined) needs.onRefused(refused);
      },
      onLost: needs.onLost,
      onHandled(messageId, outcome) {
        for (const listener of listeners) listener(messageId, outcome);
      },
    });

  const supervisor = new Supervisor<Connection>({
    channel: WECHATY,
    reach: () => (settings.endpoint === undefined ? Promise.resolve() : reach(settings.endpoint)),
    async connect() {
      const link = new Connection({
        puppet: await createPuppet(settings),
        memory: await memoryOf(settings),
        probeMs: config.WECHATY_PROBE_SECONDS * 1000,
        clock,
        onScan: showCode,
        onError(sort, err) {
          needs.onError(sort);
          if (sort === 'other') log.warn({ err }, 'wechaty error');
          else log.debug({ err, sort }, 'wechaty error');
        },
      });
      const before = hearing;
      if (before) {
        earlier.add(before);
        void before.idle().then(() => earlier.delete(before));
      }
      if (inbox) hearing = hear(link, inbox);
      return link;
    },
    lease: needs.leaseOf(leaseName(settings)),
    gaps,
    clock,
    log,
    onUp(link, gap) {
      code = undefined;
      ownId = link.self;
      if (!idsLast(settings.name, ownId))
        log.warn('this puppet gives everybody another id at each login: nobody can check in, no group can be bound');
      log.info({ puppet: settings.name }, 'channel up');
      needs.onUp(gap);
      // Another process may have been in and out of groups while it held the account.
      rooms
        .load()
        .then(() => hearing?.discover())
        .catch((err: unknown) => log.warn({ err }, 'groups not discovered'));
    },
    onDown: (since) => needs.onDown(since),
  });

  const outgoing = new Outgoing({
    puppet: () => supervisor.link?.puppet,
    lane,
    echoes,
    rooms,
    clock,
    maxText: config.WECHATY_MAX_TEXT,
    deadlineMs: config.WECHATY_SEND_DEADLINE_SECONDS * 1000,
    restMs: config.WECHATY_TOO_FREQUENT_REST_MINUTES * 60_000,
    file: (id) => attachments.find(id),
    onRest: (until) => log.error({ until }, 'the network says: too frequent; nothing is sent until then'),
  });

  return {
    name: WECHATY,
    capabilities: {
      mentions: true,
      images: true,
      files: true,
      // Only friends can write to each other in private.
      firstWord: false,
      maxText: config.WECHATY_MAX_TEXT,
      paceMs: 0,
      get stableIds() {
        return idsLast(settings.name, ownId);
      },
    },
    async start(given) {
      inbox = given;
      await rooms.load();
      supervisor.start();
    },
    async stop() {
      await lane.stop();
      await supervisor.stop();
      await Promise.all([...earlier, ...(hearing ? [hearing] : [])].map((h) => h.end()));
    },
    send: (message, handsOver) => outgoing.send(message, handsOver),
    healthy: () => supervisor.state.up,
    isElsewhere: () => supervisor.isElsewhere,
    problem() {
      const { up, since, reason } = supervisor.state;
      return up
        ? undefined
        : `deaf since ${since.toISOString()}: ${code === undefined ? reason : 'a person must scan the login code'}`;
    },
    async status() {
      const { up, since, reason } = supervisor.state;
      const [list, recent] = await Promise.all([rooms.list(), gaps.list(WECHATY, SHOWN_GAPS)]);
      return {
        puppet: settings.name,
        up,
        since,
        reason,
        code,
        restUntil: outgoing.restUntil,
        rooms: list.map(({ _id, topic, size }) => ({ id: _id, topic, size })),
        gaps: recent,
      };
    },
    onHandled(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** @throws Error the file of WECHATY_GATEWAY_CA_FILE can't be read */
function puppetSettings(config: Config): PuppetSettings {
  const tls = config.WECHATY_GATEWAY_TLS && config.WECHATY_GATEWAY_CA_FILE !== undefined;
  return {
    name: config.WECHATY_PUPPET_NAME,
    token: config.WECHATY_GATEWAY_TOKEN,
    endpoint: config.WECHATY_GATEWAY_ENDPOINT,
    caCert: tls ? readFileSync(config.WECHATY_GATEWAY_CA_FILE, 'utf8') : undefined,
    folder: resolve(config.DATA_DIR, 'wechaty'),
  };
}

/** One client for each gateway and token; the token itself must not be in the store. */
const leaseName = ({ name, token, endpoint }: PuppetSettings): string =>
  `${WECHATY}:${createHash('sha256').update(`${name}|${endpoint}|${token}`).digest('hex').slice(0, 24)}`;
