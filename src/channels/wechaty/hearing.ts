import type { Logger } from 'pino';
import { z } from 'zod';
import type { Inbox } from '../../bot/channel.js';
import type { Handled, IncomingMessage } from '../../bot/message.js';
import { QueueFull, Queues } from '../../bot/queues.js';
import type { Clock } from '../../clock.js';
import type { Connection } from './connection.js';
import type { Echoes } from './echoes.js';
import {
  FETCH_MS,
  type Incoming,
  parsePayload,
  type Payload,
  timeOf,
  type Unheard,
  WECHATY,
  within,
} from './incoming.js';
import { type Inviters, judge, parseInvitation } from './invitations.js';
import type { Rooms } from './rooms.js';

export interface HearingOptions {
  readonly inbox: Inbox;
  readonly incoming: Incoming;
  readonly rooms: Rooms;
  readonly echoes: Echoes;
  readonly clock: Clock;
  readonly log: Logger;
  readonly invitations: Inviters;
  /** The strongest role of a person; undefined: a stranger. */
  readonly roleOf: (person: string) => Promise<string | undefined>;
  /** The network said in this place that the account writes too fast. */
  readonly onRefusal: (place: string) => void;
  readonly onLost: (reason: 'fetch' | 'store' | 'tooMany') => void;
  /** What became of a message, by the network's id; being taken into a group is `joined:` and its id. */
  readonly onHandled: (messageId: string, outcome: Unheard | Handled) => void;
}

/** So many messages may be in hand; more are a flood, and dropped. */
const MAX_IN_HAND = 1000;
const PER_CONVERSATION = 32;
/** A message that the store would not take is offered again after these pauses. */
const OFFER_AGAIN_MS = [250, 1_000, 4_000, 10_000] as const;

const JoinEvent = z.object({ roomId: z.string().min(1), inviteeIdList: z.array(z.string()), timestamp: z.number() });
const LeaveEvent = z.object({ roomId: z.string().min(1), removeeIdList: z.array(z.string()), timestamp: z.number() });
const TopicEvent = z.object({ roomId: z.string().min(1), newTopic: z.string(), timestamp: z.number() });

/**
 * What one connection hears, brought to the bot in the order in which it came.
 *
 * It listens to the puppet and not to Wechaty's own events: those first look up everybody concerned, and are lost where
 * one look-up fails.
 */
export class Hearing {
  readonly #options: HearingOptions;
  readonly #connection: Connection;
  readonly #queues = new Queues(PER_CONVERSATION);
  readonly #inHand = new Set<Promise<void>>();
  /** Payloads are fetched at once and side by side; what comes of them goes on in order. */
  #tail: Promise<void> = Promise.resolve();
  #ended = false;

  constructor(connection: Connection, options: HearingOptions) {
    this.#connection = connection;
    this.#options = options;
    const { puppet } = connection;
    puppet.on('message', ({ messageId }) => this.#message(messageId));
    puppet.on('room-join', (event) => this.#do('join', () => this.#join(JoinEvent.parse(event))));
    puppet.on('room-leave', (event) => this.#do('leave', () => this.#leave(LeaveEvent.parse(event))));
    puppet.on('room-topic', (event) => this.#do('topic', () => this.#topic(TopicEvent.parse(event))));
    puppet.on('room-invite', (event) => this.#do('invitation', () => this.#invitation(event.roomInvitationId)));
    puppet.on('dirty', () => options.incoming.forgetNames());
  }

  /** Learns which groups the account is in. They are not greeted: a private account is in many that are none of ours. */
  async discover(): Promise<void> {
    const { puppet } = this.#connection;
    const { rooms, clock, log } = this.#options;
    const ids = await within(FETCH_MS, 'list of groups', puppet.roomList());
    for (const id of ids) {
      if (this.#ended) return;
      const room = await within(FETCH_MS, 'group', puppet.roomPayload(id)).catch(() => undefined);
      await rooms.seen(id, clock.now(), room ? { topic: room.topic ?? '', size: room.memberIdList?.length ?? 0 } : {});
    }
    log.info({ rooms: ids.length }, 'groups discovered');
  }

  /** Nothing more is heard; resolves when what was heard is done with. */
  async end(): Promise<void> {
    this.#ended = true;
    while (this.#inHand.size > 0) await Promise.allSettled(this.#inHand);
  }

  #do(what: string, work: () => Promise<void>): void {
    if (this.#ended) return;
    const ended = work().catch((err: unknown) => this.#options.log.warn({ err, what }, 'group event failed'));
    this.#inHand.add(ended);
    void ended.then(() => this.#inHand.delete(ended));
  }

  #message(id: string): void {
    const { log, onLost } = this.#options;
    if (this.#ended) return;
    if (this.#inHand.size >= MAX_IN_HAND) {
      onLost('tooMany');
      log.error({ messageId: id }, 'message dropped: too many at once');
      return;
    }
    const fetched = within(FETCH_MS, 'message', this.#connection.puppet.messagePayload(id)).then(parsePayload);
    // Looked at in its turn; until then it must not count as unhandled.
    fetched.catch(() => undefined);
    const turn = this.#tail.then(() => fetched);
    this.#tail = turn.then(
      () => undefined,
      () => undefined,
    );
    const done = turn.then(
      (payload) => this.#queues.run(`${payload.room}|${payload.talker}`, () => this.#take(payload)),
      (error: unknown) => {
        onLost('fetch');
        log.error({ messageId: id, err: error }, 'message lost: it could not be fetched');
      },
    );
    const settled = done.catch((err: unknown) => {
      onLost(err instanceof QueueFull ? 'tooMany' : 'store');
      log.error({ messageId: id, err }, 'message lost: it was not taken');
    });
    this.#inHand.add(settled);
    void settled.then(() => this.#inHand.delete(settled));
  }

  async #take(payload: Payload): Promise<void> {
    const { incoming, echoes, log, onRefusal, onHandled } = this.#options;
    const read = await incoming.read(payload);
    const message = typeof read === 'string' ? read : await incoming.withPicture(read, payload);
    if (typeof message !== 'string') {
      const handled = await this.#offer(message);
      onHandled(payload.id, handled);
      return;
    }
    if (message === 'own')
      echoes.shown(payload.room === '' ? await this.#partner(payload) : payload.room, payload.text);
    else if (message === 'refusal') onRefusal(payload.room === '' ? await this.#partner(payload) : payload.room);
    else if (message === 'recall') log.info({ messageId: payload.id, recalled: payload.text }, 'message recalled');
    else if (message === 'old')
      log.info({ messageId: payload.id, at: timeOf(payload.timestamp) }, 'message too old to act');
    onHandled(payload.id, message);
  }

  /** With whom the bot's own private message is. */
  async #partner({ id }: Payload): Promise<string> {
    const given: unknown = await this.#connection.puppet.messagePayload(id);
    const { listenerId, toId } = z
      .object({ listenerId: z.string().nullish(), toId: z.string().nullish() })
      .parse(given);
    return listenerId ?? toId ?? '';
  }

  /** The network delivers once: what the store would not take must be offered again from here. */
  async #offer(message: IncomingMessage): Promise<Handled> {
    for (const pause of OFFER_AGAIN_MS)
      try {
        return await this.#options.inbox.receive(message);
      } catch (error) {
        if (this.#ended) throw error;
        this.#options.log.warn({ messageId: message.messageId, err: error }, 'message not taken, offered again');
        await new Promise((resolve) => setTimeout(resolve, pause));
      }
    return this.#options.inbox.receive(message);
  }

  async #join({ roomId, inviteeIdList, timestamp }: z.infer<typeof JoinEvent>): Promise<void> {
    const { rooms, inbox, clock, log, incoming, onHandled } = this.#options;
    const { puppet } = this.#connection;
    const { topic, size } = await this.#lookUp(roomId);
    await rooms.seen(roomId, clock.now(), { topic, ...(size > 0 && { size }) });
    if (!inviteeIdList.includes(puppet.currentUserId)) return;
    incoming.forgetNames();
    log.info({ room: roomId }, 'taken into a group');
    await inbox.joined({ channel: WECHATY, room: roomId, name: topic, at: timeOf(timestamp) });
    onHandled(`joined:${roomId}`, 'system');
  }

  async #leave({ roomId, removeeIdList, timestamp }: z.infer<typeof LeaveEvent>): Promise<void> {
    const { rooms, clock, log } = this.#options;
    if (removeeIdList.includes(this.#connection.puppet.currentUserId)) {
      log.warn({ room: roomId }, 'removed from a group');
      await rooms.left(roomId, timeOf(timestamp));
      return;
    }
    await rooms.seen(roomId, clock.now(), await this.#lookUp(roomId));
  }

  #topic({ roomId, newTopic }: z.infer<typeof TopicEvent>): Promise<void> {
    return this.#options.rooms.seen(roomId, this.#options.clock.now(), { topic: newTopic });
  }

  async #lookUp(roomId: string): Promise<{ topic: string; size: number }> {
    const { puppet } = this.#connection;
    await within(FETCH_MS, 'group', puppet.roomPayloadDirty(roomId)).catch(() => undefined);
    const room = await within(FETCH_MS, 'group', puppet.roomPayload(roomId)).catch(() => undefined);
    return { topic: room?.topic ?? '', size: room?.memberIdList?.length ?? 0 };
  }

  /** Accepting says nothing about success: the group's own join event does. */
  async #invitation(id: string): Promise<void> {
    const { invitations, roleOf, log } = this.#options;
    const { puppet } = this.#connection;
    const { inviter } = parseInvitation(await within(FETCH_MS, 'invitation', puppet.roomInvitationPayload(id)));
    const { accept, why } = judge(invitations, await roleOf(inviter));
    log.info({ invitation: id, inviter, accept, why }, 'invitation into a group');
    if (accept) await within(FETCH_MS, 'accepting an invitation', puppet.roomInvitationAccept(id));
  }
}
