import { randomBytes } from 'node:crypto';
import type { Connection, Model, PipelineStage } from 'mongoose';
import type { Logger } from 'pino';
import type { Clock } from '../clock.js';
import { transact, type Tx } from '../store/transaction.js';
import type { Channel } from './channel.js';
import type { CommunityBinding, Known } from './community.js';
import { Decider, type Decision, type Looked } from './decision.js';
import { DIALOGUE_MINUTES, type Dialogue } from './dialogue.js';
import { type Interaction, interactionKey } from './interaction.js';
import {
  conversationOf,
  type Handled,
  type IncomingMessage,
  type JoinedRoom,
  type OutgoingMessage,
} from './message.js';
import { type Outbox, type OutboxMessage, outgoingOf } from './outbox.js';
import { Queues } from './queues.js';
import type { Reader } from './reader.js';
import { isDomainError } from './refusal.js';
import type { Registry } from './registry.js';
import type { Community, Outgoing } from './script.js';

type UnionWithPipelineStage = Exclude<PipelineStage, PipelineStage.Merge | PipelineStage.Out>;

/** So many messages of one person in one place may wait for the bot. */
const MAX_WAITING = 32;

export interface DispatcherOptions<C extends Community> {
  readonly connection: Connection;
  readonly models: {
    readonly interactions: Model<Interaction>;
    readonly dialogues: Model<Dialogue>;
    readonly outbox: Model<OutboxMessage>;
  };
  readonly community: CommunityBinding<C>;
  readonly registry: Registry;
  readonly reader: Reader;
  readonly channels: ReadonlyMap<string, Pick<Channel, 'capabilities'>>;
  readonly outbox: Outbox;
  readonly clock: Clock;
  readonly log: Logger;
  readonly onHandled?: (outcome: Handled['outcome'], channel: string, seconds: number) => void;
}

/** The answer of a run that had already sent writes when a domain error came: it is told in a transaction of its own. */
class RefusedAfterFlush extends Error {
  readonly sentence: string;
  constructor(sentence: string) {
    super(sentence);
    this.sentence = sentence;
  }
}

/** The way of a message, from the channel to the committed effects and replies. */
export class Dispatcher<C extends Community> {
  readonly #options: DispatcherOptions<C>;
  readonly #queues = new Queues(MAX_WAITING);
  /** Conversations with an open question: the only state that chatter is held against, so that it costs no look-up. */
  readonly #asking = new Set<string>();

  readonly #decider: Decider<C>;

  constructor(options: DispatcherOptions<C>) {
    this.#options = options;
    this.#decider = new Decider({ ...options, interactions: options.models.interactions });
  }

  /** Learns which questions are open; they may be another process's. */
  async start(): Promise<void> {
    for (const { _id } of await this.#options.models.dialogues.find({}, { _id: 1 }).lean<{ _id: string }[]>())
      this.#asking.add(_id);
  }

  /** Resolves when every message taken so far is done with. */
  stop(): Promise<void> {
    return this.#queues.idle();
  }

  async receive(message: IncomingMessage): Promise<Handled> {
    const { reader, onHandled, registry, community } = this.#options;
    const place = message.room === null ? 'private' : 'group';
    const pictures = message.attachments.length > 0 && registry.media.length > 0;
    const isUnread = message.unread !== undefined && (place === 'private' || message.mentionsBot);
    if (
      !pictures &&
      !isUnread &&
      !this.#asking.has(conversationOf(message)) &&
      !reader.isForUs({ text: message.text, place, mentionsBot: message.mentionsBot, names: community.names })
    ) {
      onHandled?.('ignored', message.channel, 0);
      return { messageId: message.messageId, outcome: 'ignored', replies: [] };
    }
    const started = performance.now();
    const handled = await this.#queues.run(conversationOf(message), () => this.#handle(message, started));
    onHandled?.(handled.outcome, message.channel, (performance.now() - started) / 1000);
    return handled;
  }

  /** The bot was taken into a group: the scripts greet it, once. */
  async joined(room: JoinedRoom): Promise<void> {
    const message: IncomingMessage = {
      channel: room.channel,
      messageId: `joined:${room.room}`,
      room: room.room,
      from: '',
      text: '',
      mentionsBot: false,
      mentions: [],
      attachments: [],
      at: room.at,
    };
    const outgoing = await transact(this.#options.connection, async (tx) => {
      const looked = await this.#look(tx, message);
      if (looked.earlier) return [];
      const context = { ...this.#options.community.services, tx, now: room.at, ...room };
      for (const handler of this.#options.registry.joined) {
        const reply = await handler(context);
        if (reply !== undefined)
          return this.#write(
            tx,
            message,
            { outcome: 'handled', intent: 'group.joined', slots: {}, reply },
            performance.now(),
          );
      }
      return [];
    });
    void this.#options.outbox.deliver(outgoing);
  }

  /** Tells those whose question ran out of time so; called every minute. */
  async expireDialogues(now: Date): Promise<void> {
    const { models, connection, community } = this.#options;
    const late = await models.dialogues.find({ expiresAt: { $lte: now } }).lean<Dialogue[]>();
    for (const { _id } of late) {
      const sent = await transact(connection, async (tx) => {
        const open = await models.dialogues
          .findOne({ _id, expiresAt: { $lte: now } })
          .session(tx.session)
          .lean<Dialogue>();
        if (!open) return [];
        tx.remove(models.dialogues, { _id });
        const key = `expired:${_id}:${open.expiresAt.getTime()}`;
        const message = this.#outboxMessage(key, 0, open.channel, community.sentences.expired(open.intent), now, {
          room: open.room,
          person: open.room === null ? open.person : null,
        });
        tx.insert(models.outbox, message);
        return [message];
      });
      this.#asking.delete(_id);
      void this.#options.outbox.deliver(sent);
    }
  }

  /** What the community knows of a person in a place, for the chips. */
  known(person: { channel: string; userId: string }, room: string | null): Promise<Known<C>> {
    return transact(this.#options.connection, (tx) =>
      this.#look(tx, { channel: person.channel, messageId: '', room, from: person.userId }),
    );
  }

  async #handle(message: IncomingMessage, started: number): Promise<Handled> {
    const { log, connection, community } = this.#options;
    const ids = { channel: message.channel, messageId: message.messageId, conversation: conversationOf(message) };
    let forced: Decision;
    try {
      return await this.#run(message, started);
    } catch (error) {
      if (error instanceof RefusedAfterFlush) {
        forced = { outcome: 'refused', intent: 'refused', slots: {}, reply: error.sentence };
      } else if (connection.readyState !== 1) {
        throw error;
      } else {
        const reference = randomBytes(4).toString('hex').toUpperCase();
        log.error({ ...ids, reference, err: error }, 'command failed');
        const reply = community.sentences.apology(reference);
        forced = { outcome: 'failed', intent: 'failed', slots: {}, reply, reference };
      }
      return this.#run(message, started, forced);
    }
  }

  async #run(message: IncomingMessage, started: number, forced?: Decision): Promise<Handled> {
    const { connection, outbox, log, models } = this.#options;
    const conversation = conversationOf(message);
    let asking = this.#asking.has(conversation);
    const done = await transact(connection, async (tx) => {
      const looked = await this.#look(tx, message);
      asking = looked.dialogue !== undefined;
      if (looked.earlier) return { outcome: 'duplicate' as const, earlier: looked.earlier };
      const decision = forced ?? (await this.#decide(tx, message, looked));
      if (decision.outcome === 'ignored') return { outcome: 'ignored' as const };
      if (decision.question) {
        const question: Dialogue = {
          _id: conversation,
          channel: message.channel,
          room: message.room,
          person: message.from,
          asked: decision.asked ?? 1,
          expiresAt: new Date(message.at.getTime() + DIALOGUE_MINUTES * 60_000),
          ...decision.question,
        };
        const { _id, ...rest } = question;
        tx.update(models.dialogues, { _id }, { $set: rest }, { upsert: true });
        asking = true;
      } else if (looked.dialogue) {
        tx.remove(models.dialogues, { _id: conversation });
        asking = false;
      }
      return {
        outcome: decision.outcome,
        intent: decision.intent,
        written: this.#write(tx, message, decision, started),
      };
    });
    if (asking) this.#asking.add(conversation);
    else this.#asking.delete(conversation);
    const { messageId } = message;
    if (done.outcome === 'ignored') return { messageId, outcome: 'ignored', replies: [] };
    if (done.outcome === 'duplicate') {
      const replies = await this.#repliesOf(done.earlier);
      return { messageId, outcome: 'duplicate', replies };
    }
    const delivered = outbox.deliver(done.written);
    log.info(
      {
        channel: message.channel,
        messageId,
        conversation,
        intent: done.intent,
        outcome: done.outcome,
        ms: Math.round(performance.now() - started),
      },
      'command',
    );
    return { messageId, outcome: done.outcome, replies: toSender(done.written, message), delivered };
  }

  /** A refusal of the domain becomes a sentence; nothing of what the handler collected is kept. */
  async #decide(tx: Tx, message: IncomingMessage, looked: Looked<C>): Promise<Decision> {
    try {
      return await this.#decider.decide(tx, message, looked);
    } catch (error) {
      const sentence = isDomainError(error) ? this.#options.registry.sentence(error) : undefined;
      if (!isDomainError(error) || sentence === undefined) throw error;
      if (!tx.discard()) throw new RefusedAfterFlush(sentence);
      return { outcome: 'refused', intent: error.code, slots: {}, reply: sentence };
    }
  }

  /** Who wrote, where, whether it was handled before, which question is open: one aggregate over several collections. */
  async #look(tx: Tx, message: Pick<IncomingMessage, 'channel' | 'messageId' | 'room' | 'from'>): Promise<Looked<C>> {
    const { models, community } = this.#options;
    const tagged = (part: string): UnionWithPipelineStage => ({
      $project: { _id: 0, part: { $literal: part }, value: '$$ROOT' },
    });
    const lookups = community.lookups({ channel: message.channel, userId: message.from }, message.room);
    const found = await models.interactions
      .aggregate<{ part: string; value: unknown }>([
        { $match: { _id: interactionKey(message) } },
        tagged('interaction'),
        {
          $unionWith: {
            coll: models.dialogues.collection.collectionName,
            pipeline: [{ $match: { _id: conversationOf(message) } }, tagged('dialogue')],
          },
        },
        ...Object.entries(lookups).map(([part, { collection, pipeline }]) => ({
          $unionWith: { coll: collection, pipeline: [...pipeline, tagged(part)] },
        })),
      ])
      .session(tx.session);
    const of = (part: string): unknown[] => found.filter((f) => f.part === part).map((f) => f.value);
    return {
      ...community.known(Object.fromEntries(Object.keys(lookups).map((part) => [part, of(part)]))),
      earlier: of('interaction')[0] as Interaction | undefined,
      dialogue: of('dialogue')[0] as Dialogue | undefined,
    };
  }

  /** Collects the record of the command and its replies; returns the replies. */
  #write(tx: Tx, message: IncomingMessage, decision: Decision, started: number): OutboxMessage[] {
    const { models, community } = this.#options;
    const key = interactionKey(message);
    const more = typeof decision.reply === 'object' ? decision.reply : undefined;
    const outgoing: readonly Outgoing[] =
      more?.messages ?? (typeof decision.reply === 'string' ? [{ to: 'here', text: decision.reply }] : []);
    const written = outgoing.map((o, n) => {
      const to = addressOf(o, message);
      const answers = o.to === 'here' && message.room !== null && message.from !== '' ? message.from : null;
      const toWriter = o.to === 'here' || o.to === 'sender';
      const text = message.late && toWriter && n === 0 ? `${community.sentences.late()}\n${o.text}` : o.text;
      return { ...this.#outboxMessage(key, n, message.channel, text, message.at, to, o), answers };
    });
    for (const reply of written) tx.insert(models.outbox, reply);
    tx.insert(models.interactions, {
      _id: key,
      channel: message.channel,
      messageId: message.messageId,
      room: message.room,
      person: message.from,
      conversation: conversationOf(message),
      text: community.mask(message.text),
      attachments: message.attachments,
      mentions: message.mentions,
      intent: decision.intent,
      slots: decision.slots,
      outcome: decision.outcome === 'ignored' ? 'handled' : decision.outcome,
      replies: written.map((r) => r._id),
      ...(more?.undo && { undo: more.undo }),
      ...(decision.reference !== undefined && { reference: decision.reference }),
      at: message.at,
      arrivedAt: performance.timeOrigin + started,
      handledMs: Math.round(performance.now() - started),
    });
    return written;
  }

  #outboxMessage(
    interaction: string,
    n: number,
    channel: string,
    text: string,
    at: Date,
    to: { channel?: string; room: string | null; person: string | null },
    more: Pick<Outgoing, 'mentions' | 'attachments' | 'choices' | 'founds'> = {},
  ): OutboxMessage {
    return {
      _id: `${interaction}:${n}`,
      channel: to.channel ?? channel,
      room: to.room,
      person: to.person,
      text,
      mentions: more.mentions ?? [],
      attachments: more.attachments ?? [],
      ...(more.choices && { choices: more.choices }),
      ...(more.founds && { founds: more.founds }),
      interaction,
      status: 'pending',
      holder: this.#options.outbox.holder,
      attempts: 0,
      notBefore: at,
      at,
    };
  }

  async #repliesOf(earlier: Interaction): Promise<OutgoingMessage[]> {
    const sent = await this.#options.models.outbox
      .find({ interaction: earlier._id })
      .sort({ _id: 1 })
      .lean<OutboxMessage[]>();
    const byId = new Map(sent.map((m) => [m._id, m]));
    const inOrder = earlier.replies.flatMap((id) => byId.get(id) ?? []);
    return toSender(inOrder, { channel: earlier.channel, room: earlier.room, from: earlier.person });
  }
}

/** Those of the messages that the sender sees: in the conversation, or in private. */
const toSender = (
  messages: readonly OutboxMessage[],
  { channel, room, from }: Pick<IncomingMessage, 'channel' | 'room' | 'from'>,
): OutgoingMessage[] =>
  messages
    .filter((m) => m.channel === channel && (m.person === null ? m.room === room && room !== null : m.person === from))
    .map(outgoingOf);

function addressOf(
  o: Outgoing,
  message: IncomingMessage,
): { channel?: string; room: string | null; person: string | null } {
  if (o.to === 'sender' || (o.to === 'here' && message.room === null)) return { room: null, person: message.from };
  if (o.to === 'here') return { room: message.room, person: null };
  if ('room' in o.to) return { channel: o.to.channel, room: o.to.room, person: null };
  return { channel: o.to.channel, room: null, person: o.to.userId };
}
