import type { ApiServer } from './simulator/api.js';
import type { Logger } from 'pino';
import { Chat } from '../../conversations/community.js';
import { WecomCallbackNetwork, WecomConnectionNetwork } from '../../conversations/networks/wecom.js';

/** The program and the community, over a bot with a long connection. `more`: further settings. */
export const byConnection = (
  more: Readonly<Record<string, string>> = {},
  log?: Logger,
): Promise<Chat<WecomConnectionNetwork>> =>
  Chat.start(
    new (class extends WecomConnectionNetwork {
      protected override settings(): Readonly<Record<string, string>> {
        return { ...super.settings(), ...more };
      }
    })(),
    log,
  );

/** Over callbacks; `directory`: whom the organisation lists. */
export const byCallback = (
  more: Readonly<Record<string, string>> = {},
  directory?: ApiServer['directory'],
  log?: Logger,
): Promise<Chat<WecomCallbackNetwork>> => {
  const network = new (class extends WecomCallbackNetwork {
    protected override settings(): Readonly<Record<string, string>> {
      return { ...super.settings(), ...more };
    }
  })();
  if (directory) network.simulator.api.directory = directory;
  return Chat.start(network, log);
};
