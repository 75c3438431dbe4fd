import type { Network } from './network.js';
import { SandboxNetwork } from './sandbox.js';
import { WechatyNetwork } from './wechaty.js';
import { WecomCallbackNetwork, WecomConnectionNetwork } from './wecom.js';

/** Every chat network that the conversations are held over: `describe.each(networks)('… over %s', (_name, network) => …)`. */
export const networks: readonly [name: string, make: () => Network][] = [
  ['sandbox', () => new SandboxNetwork()],
  ['wechaty', () => new WechatyNetwork()],
  ['wecom, long connection', () => new WecomConnectionNetwork()],
  ['wecom, callbacks', () => new WecomCallbackNetwork()],
];
