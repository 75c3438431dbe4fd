import type { Channel, Inbox } from '../../bot/channel.js';
import type { OutgoingMessage } from '../../bot/message.js';
import { Conversations, type History, type Message } from './conversations.js';
import type { SandboxPeople } from './people.js';

export const SANDBOX = 'sandbox';

export interface SandboxChannel extends Channel {
  readonly conversations: Conversations;
  readonly people: SandboxPeople;
  /** The bot. @throws Error the channel is not started */
  inbox(): Inbox;
  present(message: OutgoingMessage): Message;
}

export const fileUrl = (id: string): string => `/api/sandbox/files/${id}`;

/** A network of its own: the browser page and its API are the phones of everyone. */
export function createSandbox(people: SandboxPeople, history: History): SandboxChannel {
  let inbox: Inbox | undefined;
  const conversations = new Conversations(history, (message) =>
    message.room === null ? [message.to ?? message.from] : (people.rooms.get(message.room)?.members ?? []),
  );
  const present = (m: OutgoingMessage): Message => ({
    id: m.id,
    room: 'room' in m.to ? m.to.room : null,
    from: 'bot',
    ...('person' in m.to && { to: m.to.person }),
    text: m.text,
    mentions: m.mentions,
    attachments: m.attachments.map(({ id, name, type }) => ({ name, type, url: fileUrl(id) })),
    at: m.at.toISOString(),
  });
  return {
    name: SANDBOX,
    capabilities: {
      mentions: true,
      images: true,
      files: true,
      firstWord: true,
      maxText: 4000,
      paceMs: 0,
      stableIds: true,
    },
    conversations,
    people,
    present,
    inbox() {
      if (!inbox) throw new Error('the sandbox channel is not started');
      return inbox;
    },
    start(given) {
      inbox = given;
      return Promise.resolve();
    },
    stop() {
      inbox = undefined;
      return Promise.resolve();
    },
    send(message) {
      conversations.add(present(message));
      return Promise.resolve();
    },
    healthy: () => inbox !== undefined,
  };
}
