import { Chat } from '../../conversations/community.js';
import { WecomCallbackNetwork, WecomConnectionNetwork } from '../../conversations/networks/wecom.js';

/** The program and the community, over a bot with a long connection. `more`: further settings. */
export const byConnection = (more: Readonly<Record<string, string>> = {}): Promise<Chat<WecomConnectionNetwork>> =>
  Chat.start(
    new (class extends WecomConnectionNetwork {
      protected override settings(): Readonly<Record<string, string>> {
        return { ...super.settings(), ...more };
      }
    })(),
  );

export const byCallback = (more: Readonly<Record<string, string>> = {}): Promise<Chat<WecomCallbackNetwork>> =>
  Chat.start(
    new (class extends WecomCallbackNetwork {
      protected override settings(): Readonly<Record<string, string>> {
        return { ...super.settings(), ...more };
      }
    })(),
  );
