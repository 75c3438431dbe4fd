import { arch, availableParallelism, cpus, hostname, release, totalmem, type } from 'node:os';
import { Long } from 'bson';
import { type Command, int } from './command.js';

const megabytes = (bytes: number): Long => Long.fromNumber(Math.floor(bytes / 2 ** 20));

/** https://www.mongodb.com/docs/manual/reference/command/hostInfo/ */
export const hostInfo: Command = {
  help: 'The machine.',
  fields: {},
  run: () => ({
    system: {
      currentTime: new Date(),
      hostname: hostname(),
      cpuAddrSize: int(64),
      memSizeMB: megabytes(totalmem()),
      memLimitMB: megabytes(Math.min(process.constrainedMemory() || Number.POSITIVE_INFINITY, totalmem())),
      numCores: int(cpus().length),
      numCoresAvailableToProcess: int(availableParallelism()),
      cpuArch: arch(),
    },
    os: { type: type(), name: process.platform, version: release() },
    extra: {},
  }),
};
