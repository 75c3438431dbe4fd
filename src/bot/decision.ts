import type { Model } from 'mongoose';
import type { Tx } from '../store/transaction.js';
import type { Channel } from './channel.js';
import type { CommunityBinding, Known } from './community.js';
import { type Dialogue, MAX_ASKED } from './dialogue.js';
import type { ReadContext, Reading } from './grammar.js';
import type { Interaction } from './interaction.js';
import { conversationOf, type IncomingMessage, type Outcome, type Unread } from './message.js';
import type { Read, Reader } from './reader.js';
import { type Command, reaches, type Registry } from './registry.js';
import type { Basics, Community, Question, Reply, UndoResult } from './script.js';

/** 撤回 works this long. */
const UNDO_MINUTES = 2;
/** A message that is meant for the bot may have this many characters; longer ones are refused, never cut. */
const MAX_TEXT = 2000;
/** Words that end an open question. */
const CANCEL = /^(取消|算了|不用了|不登记了|退出|不了)$/;

/** `value` with each text in it changed. */
function inTexts<T>(value: T, change: (text: string) => string): T {
  const walk = (v: unknown): unknown => {
    if (typeof v === 'string') return change(v);
    if (Array.isArray(v)) return v.map(walk);
    return typeof v === 'object' && v !== null
      ? Object.fromEntries(Object.entries(v).map(([name, inner]) => [name, walk(inner)]))
      : v;
  };
  return walk(value) as T;
}

const INCOMPLETE: ReadonlySet<string> = new Set(['ask', 'ignore', 'unknown']);

/** What a message comes to, before anything is written. */
export interface Decision {
  readonly outcome: Exclude<Outcome, 'duplicate'>;
  readonly intent: string;
  readonly slots: Record<string, unknown>;
  readonly reply: Reply;
  readonly question?: Question;
  /** The how-manieth time this question is asked. */
  readonly asked?: number;
  readonly reference?: string;
}

/** What is known about a message before it is decided upon: one trip to the store. */
export interface Looked<C extends Community> extends Known<C> {
  readonly earlier: Interaction | undefined;
  readonly dialogue: Dialogue | undefined;
}

export interface DecisionOptions<C extends Community> {
  readonly interactions: Model<Interaction>;
  readonly community: CommunityBinding<C>;
  readonly registry: Registry;
  readonly reader: Reader;
  readonly channels: ReadonlyMap<string, Pick<Channel, 'capabilities'>>;
}

const IGNORED: Decision = { outcome: 'ignored', intent: 'ignore', slots: {}, reply: undefined };
const refused = (intent: string, slots: Record<string, unknown>, reply: string): Decision => ({
  outcome: 'refused',
  intent,
  slots,
  reply,
});

/** From a message and what is known about it to what the bot does: reading, dialogue, permission, handler. */
export class Decider<C extends Community> {
  readonly #options: DecisionOptions<C>;

  constructor(options: DecisionOptions<C>) {
    this.#options = options;
  }

  /** Runs the handler where one is due; its effects are collected in `tx`. */
  async decide(tx: Tx, message: IncomingMessage, looked: Looked<C>): Promise<Decision> {
    const { reader, community, registry } = this.#options;
    if (message.unread !== undefined) return this.#unread(message.unread, message, looked);
    if (message.text.trim() === '' && message.attachments.length > 0) return this.#media(tx, message, looked);
    const place = message.room === null ? 'private' : 'group';
    if (message.text.length > MAX_TEXT)
      return reader.isForUs({
        text: message.text.slice(0, MAX_TEXT),
        place,
        mentionsBot: message.mentionsBot,
        names: community.names,
      })
        ? refused('tooLong', {}, community.sentences.tooLong(MAX_TEXT))
        : IGNORED;
    const context: ReadContext = {
      now: message.at,
      zone: community.zone,
      place,
      addressed: place === 'private' || message.mentionsBot,
      role: looked.role ?? 'member',
      names: community.names,
      open: 'asWritten',
    };
    const said = { text: message.text, mentionsBot: message.mentionsBot, mentions: [], quote: message.quote?.text };
    const dialogue = looked.dialogue && looked.dialogue.expiresAt > message.at ? looked.dialogue : undefined;
    if (dialogue) {
      const phrase = reader.phrase(said);
      if (CANCEL.test(phrase.text))
        return { outcome: 'handled', intent: 'dialogue.cancel', slots: {}, reply: community.sentences.cancelled() };
      const grammar = registry.commands.get(dialogue.intent)?.grammar;
      // A whole command about a numbered thing is that command, not the text that was asked for (`通过 #5` is no reason).
      const command = /#\d/.test(phrase.text) ? reader.read(said, context) : undefined;
      if (command?.grammar && command.grammar !== grammar && !INCOMPLETE.has(command.intent))
        return this.#act(tx, message, looked, command, 0);
      const answer = grammar?.answer?.({ ...dialogue.slots, missing: dialogue.missing }, phrase, context);
      if (answer && grammar) return this.#act(tx, message, looked, { ...answer, grammar }, dialogue.asked);
    }
    const reading = reader.read(said, context);
    const understood = reading.intent !== 'ignore' && reading.intent !== 'unknown';
    if (dialogue && !understood) return this.#askAgain(dialogue, context.addressed);
    if (reading.intent === 'ignore' && message.attachments.length > 0) return this.#media(tx, message, looked);
    return this.#act(tx, message, looked, reading, 0);
  }

  #askAgain(dialogue: Dialogue, addressed: boolean): Decision {
    const { sentences } = this.#options.community;
    if (!addressed) return IGNORED;
    const slots = dialogue.slots;
    if (dialogue.asked >= MAX_ASKED)
      return { outcome: 'handled', intent: 'dialogue.givenUp', slots, reply: sentences.givenUp() };
    const command = this.#options.registry.commands.get(dialogue.intent);
    if (!command) return IGNORED;
    const question = { intent: dialogue.intent, slots, missing: dialogue.missing };
    return {
      outcome: 'handled',
      intent: 'ask',
      slots,
      reply: sentences.again() + this.#questionText(command, question),
      question,
      asked: dialogue.asked + 1,
    };
  }

  /** An open question stays open. */
  #unread(why: Unread, message: IncomingMessage, { dialogue }: Looked<C>): Decision {
    const decision = refused('unread', { why }, this.#options.community.sentences.unread(why));
    if (!dialogue || dialogue.expiresAt <= message.at) return decision;
    const { intent, slots, missing, asked } = dialogue;
    return { ...decision, question: { intent, slots, missing }, asked };
  }

  async #media(tx: Tx, message: IncomingMessage, looked: Looked<C>): Promise<Decision> {
    const context = this.#context(tx, message, looked);
    for (const handler of this.#options.registry.media) {
      const reply = await handler(context, message.attachments);
      if (reply !== undefined) return { outcome: 'handled', intent: 'media', slots: {}, reply };
    }
    return IGNORED;
  }

  async #act(tx: Tx, message: IncomingMessage, looked: Looked<C>, reading: Read, asked: number): Promise<Decision> {
    const { community, registry } = this.#options;
    const { intent } = reading;
    const { missing = [], needsConfirm, ...said } = reading.slots;
    // What is kept of a message is masked before anybody sees it: notes and reasons too.
    const slots = inTexts(said, community.mask);
    if (intent === 'ignore') return IGNORED;
    const command = reading.grammar && registry.commands.get(reading.grammar.intent);
    if (!command) {
      const { text } = this.#options.reader.phrase({
        text: message.text,
        mentionsBot: message.mentionsBot,
        mentions: [],
      });
      const polite = CANCEL.test(text) ? community.sentences.nothingToCancel() : community.sentences.courtesy(text);
      if (polite !== undefined) return { outcome: 'handled', intent: 'courtesy', slots: {}, reply: polite };
      const near = Array.isArray(slots['suggestions']) ? slots['suggestions'].filter((s) => typeof s === 'string') : [];
      return { outcome: 'handled', intent: 'unknown', slots, reply: community.sentences.notUnderstood(near) };
    }
    const barred = this.#guard(command, message, looked);
    if (barred !== undefined) return refused(intent, slots, barred);
    const refusal = command.options.refusals?.[intent];
    if (refusal) return refused(intent, slots, refusal(slots));
    if (intent.startsWith('reject.')) throw new Error(`${command.file}: no sentence for ${intent}`);
    if (intent === 'ask' || needsConfirm) {
      const question = { intent: command.grammar.intent, slots, missing: needsConfirm ? ['confirm'] : missing };
      const reply = this.#questionText(command, question);
      return { outcome: 'handled', intent: 'ask', slots, reply, question, asked: asked + 1 };
    }
    const reply = await command.handler(this.#context(tx, message, looked), command.grammar.slots.parse(slots));
    const more = typeof reply === 'object' ? reply : undefined;
    return {
      outcome: more?.refused ? 'refused' : 'handled',
      intent,
      slots,
      reply,
      ...(more?.question && { question: more.question }),
    };
  }

  #questionText(command: Command, question: Question): string {
    if (question.missing.includes('confirm')) {
      if (!command.options.confirms) throw new Error(`${command.file}: ${question.intent} has no sentence to confirm`);
      return command.options.confirms(question.slots);
    }
    const texts = question.missing.map((slot) => {
      const ask = command.options.asks?.[slot];
      if (ask === undefined) throw new Error(`${command.file}: ${question.intent} has no question for ${slot}`);
      return typeof ask === 'string' ? ask : ask(question.slots);
    });
    return [...new Set(texts)].join('\n');
  }

  /** Starts from refused: only a completed check lets the command through. Undefined: it may run. */
  #guard(command: Command, message: IncomingMessage, looked: Looked<C>): string | undefined {
    const { sentences, ranks } = this.#options.community;
    const { in: where, role, unboundGroup, bindsIds, makesGroup } = command.options;
    const word = command.grammar.words[0] ?? command.grammar.intent;
    const place = message.room === null ? 'private' : 'group';
    const capabilities = this.#options.channels.get(message.channel)?.capabilities;
    const lasting = capabilities?.stableIds ?? true;
    if (!lasting && (bindsIds || (role !== 'anyone' && looked.member === undefined))) return sentences.unstableIds();
    if (role !== 'anyone' && looked.member === undefined) return sentences.stranger();
    if (!reaches(ranks, looked.role, role)) return sentences.notAllowed(word, role);
    if (where !== 'anywhere' && where !== place) return sentences.wrongPlace(word, where);
    if (makesGroup && capabilities?.makesGroups !== true) return sentences.makesNoGroups();
    if (place === 'group' && looked.group === undefined && !unboundGroup) return sentences.unboundGroup();
    return undefined;
  }

  #context(tx: Tx, message: IncomingMessage, looked: Looked<C>): Basics & object {
    const { community, registry } = this.#options;
    const context = {
      ...community.services,
      tx,
      now: message.at,
      place: message.room === null ? ('private' as const) : ('group' as const),
      person: { channel: message.channel, userId: message.from },
      room: message.room,
      messageId: message.messageId,
      attachments: message.attachments,
      mentions: message.mentions.map((userId) => ({ channel: message.channel, userId })),
      text: community.mask(message.text),
      settlers: registry.settlers,
      copiers: registry.copiers,
      catalogue: registry.catalogue,
      role: looked.role,
      member: looked.member,
      group: looked.group,
      undoLast: (): Promise<UndoResult> => this.#undoLast(tx, message, context),
    };
    return context;
  }

  async #undoLast(tx: Tx, message: IncomingMessage, context: object): Promise<UndoResult> {
    const { interactions, registry } = this.#options;
    const last = await interactions
      .findOne({
        conversation: conversationOf(message),
        outcome: 'handled',
        intent: { $in: [...registry.undos.keys()] },
      })
      .sort({ arrivedAt: -1 })
      .session(tx.session)
      .lean<Interaction>();
    if (!last?.undo || last.undoneAt) return { status: 'nothing' };
    if (message.at.getTime() - last.at.getTime() > UNDO_MINUTES * 60_000)
      return { status: 'tooLate', intent: last.intent, at: last.at };
    const undo = registry.undos.get(last.intent);
    if (!undo) return { status: 'nothing' };
    const reply = await undo.handler(context, undo.data.parse(last.undo));
    tx.update(interactions, { _id: last._id }, { $set: { undoneAt: message.at } });
    return { status: 'undone', reply };
  }
}

/** How a text would be read, with no effect. */
export type ReadText = (text: string, context: ReadContext) => Reading;
