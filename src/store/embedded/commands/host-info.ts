import { type Command, int } from './command.js';

export const hostInfo: Command = {
  help: 'The machine.',
  run: () => ({
    system: { currentTime: new Date(), cpuAddrSize: int(64) },
    os: { type: process.platform, name: process.platform },
    extra: {},
  }),
};
