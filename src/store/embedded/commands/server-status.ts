import { Double, Long } from 'bson';
import { type Command, int } from './command.js';
import { VERSION } from './version.js';

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
    // Threads for long aggregations.
    readers: int(engine.readers?.threads ?? 0),
    storageEngine: { name: 'lmdb', supportsCommittedReads: true, persistent: true, readOnly: false },
    mem: { resident: int(Math.round(process.memoryUsage.rss() / 2 ** 20)) },
  }),
};
