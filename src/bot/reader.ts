import type { Grammar, Names, Phrase, Place, ReadContext, Reading } from './grammar.js';
import { findPeriod } from './language/dates.js';
import { nearWords } from './language/near-words.js';
import { normalise, splitQuote, takeMentions } from './language/normalise.js';
import { BEFORE_NUMBER, leadingNumbers } from './language/number-lists.js';
import { HAN_DIGITS } from './language/numbers.js';
import { findUnit } from './language/places.js';
import { soundOf } from './language/pinyin.js';

/** A message as far as reading it goes. */
export interface Said {
  readonly text: string;
  /** The network says that the bot is mentioned; a mention written in the text is seen as well. */
  readonly mentionsBot: boolean;
  readonly mentions: readonly string[];
  readonly quote?: string | undefined;
}

/** A reading with the grammar that made it; `unknown`: addressed, and nobody understands (slots.suggestions: near words). */
export type Read = Reading & { readonly grammar?: Grammar };

export interface Reader {
  /** The quick ignore: false for what `read` would ignore in nearly every case, never false for what it acts upon. */
  isForUs(message: {
    readonly text: string;
    readonly place: Place;
    readonly mentionsBot: boolean;
    readonly names: Names;
  }): boolean;
  phrase(said: Said): Phrase;
  read(said: Said, context: ReadContext): Read;
}

/** Words before a command word that change nothing. */
const POLITE =
  /^(?:(?:好的?|行|可以|ok)[ ,]|那就|那个|呃|嗯|额|就是|我要|我想|我来|请问?|麻烦|帮我|给我|我|查看|查询(?:一?下)?|查一?下|查查?|看看|看一?下|打开)[ ,]*/i;
/** Particles after a command word that change nothing. */
const PARTICLES =
  /^(?:一下|下(?![周个午半月次])|[啊啦了哈呀嘞哦])+(?=[\s,:;#\d]|$|那个|呃|嗯|就是|昨|今)|^吧(?=[\s#\d])/;
/** `可以 246通过` */
const ASSENT = /^(?:好的?|行|可以|ok|嗯+)[ ,]+/i;
/** `231那条服务`: what the number is of; `这三条`: how many there are. */
const OF_NUMBER =
  /^(?:[这那共]?(?:[两二三四五六七八九十]|\d{1,2})[条个件]|[这那]?[条个])?(?:志愿)?(?:服务|记录|登记|申报)?[ ,]?(?=都?(?:通过|同意|驳回|不通过|不同意|撤|取消|作废|删))/;
/** Whether a message is acted upon does not depend on the day or on who wrote it. */
const AT_ANY_TIME: Omit<ReadContext, 'names'> = {
  now: new Date('2026-01-01T12:00:00Z'),
  zone: 'Asia/Shanghai',
  place: 'group',
  addressed: false,
  role: 'leader',
  open: 'asWritten',
};
/** `爆到何秀英幺二三四`: nothing else ends so. */
const ENDS_IN_TAIL = new RegExp(`^\\p{Script=Han}{2,4}(?:\\d{4}|[${HAN_DIGITS}]{4})$`, 'u');
/** A message longer than this is no command in a group: it is not looked at further. */
const LONGEST = 2000;
/** `上个季度的积分排行榜`: a message that is a span of time, a unit and a command word is no longer than this. */
const LONGEST_WITH_SPAN = 16;
const IGNORE: Read = { intent: 'ignore', slots: {} };

/**
 * Builds the reader of all grammars.
 *
 * @throws Error two grammars claim one word: names both intents
 */
export function createReader(
  grammars: readonly Grammar[],
  { botNames }: { readonly botNames: readonly string[] },
): Reader {
  const byWord = new Map<string, Grammar>();
  /** A word can lead to another grammar's intent (`撤销` alone is `撤回`): that one's handler is meant. */
  const byIntent = new Map(grammars.map((g) => [g.intent, g]));
  const bySound = new Map<string, { word: string; grammar: Grammar }>();
  const firsts = new Set<string>();
  const firstSounds = new Set<string>();
  for (const grammar of grammars)
    for (const word of grammar.words) {
      const other = byWord.get(word);
      if (other) throw new Error(`the word ${word} is claimed by ${other.intent} and ${grammar.intent}`);
      byWord.set(word, grammar);
      const first = [...word][0] ?? '';
      firsts.add(first);
      if (word.length >= 2) {
        const sound = soundOf(word);
        bySound.set(sound, { word, grammar });
        firstSounds.add(sound.split(' ')[0] ?? '');
      }
    }
  const words = [...byWord.keys()].toSorted((a, b) => b.length - a.length);
  const lengths = [...new Set(words.map((w) => w.length))].toSorted((a, b) => b - a);
  const soundLengths = [...new Set([...bySound.values()].map(({ word }) => word.length))].toSorted((a, b) => b - a);
  const commandWords = [...new Set(grammars.map((g) => g.words[0]).filter((w) => w !== undefined))];

  const opening = (text: string): { word: string; grammar: Grammar } | undefined => {
    for (const length of lengths) {
      const word = text.slice(0, length);
      const grammar = word.length === length ? byWord.get(word) : undefined;
      if (grammar) return { word, grammar };
    }
    return undefined;
  };
  /** Another way to write the same sounds, as voice input and hurried thumbs do: only as a word by itself. */
  const sounding = (text: string): { word: string; heard: string; grammar: Grammar } | undefined => {
    if (!firstSounds.has(soundOf(text.slice(0, 1)))) return undefined;
    for (const length of soundLengths) {
      const heard = text.slice(0, length);
      if (heard.length < length || !/^\p{Script=Han}+$/u.test(heard)) continue;
      const found = bySound.get(soundOf(heard));
      if (found) return { ...found, heard };
    }
    return undefined;
  };

  /** `本月积分`, `第三网格积分排行`: a span of time or a unit right before a command word belongs to it. */
  const afterSpan = (
    text: string,
    { now, zone }: ReadContext,
    attempt: (grammar: Grammar, word: string, rest: string) => Read | undefined,
  ): Read | undefined => {
    if (text.length > LONGEST_WITH_SPAN) return undefined;
    // It ends with a command word, or there is nothing to look for: spans are dear to find, and chatter has many.
    const bare = text.replace(/[?,]$/, '');
    if (!lengths.some((length) => byWord.has(bare.slice(-length)))) return undefined;
    let at = 0;
    for (;;) {
      const rest = text.slice(at);
      const period = findPeriod(rest, now, zone);
      const whole = period && period.period.from !== period.period.to ? period : undefined;
      const span = whole?.from === 0 ? whole : findUnit(rest);
      if (span?.from !== 0) break;
      at += span.to + (/^ ?的? ?/.exec(rest.slice(span.to))?.[0].length ?? 0);
    }
    const word = text.slice(at).replace(/[?,]$/, '');
    const grammar = at > 0 ? byWord.get(word) : undefined;
    return grammar && attempt(grammar, word, ` ${text.slice(0, at)}`);
  };

  const phraseOf = (
    text: string,
    quote: string | undefined,
    mentions: readonly string[],
    word?: string,
    rest = text,
    numbers: readonly number[] = [],
  ): Phrase => ({
    text,
    lines: text.split('\n'),
    word,
    rest,
    mentions,
    quote,
    leadingNumbers: numbers,
  });

  const prepare = (said: Said): { text: string; bot: boolean; mentions: string[]; quote: string | undefined } => {
    const { quote, answer } = splitQuote(said.text.slice(0, LONGEST * 3));
    const { text, bot, others } = takeMentions(normalise(answer), botNames);
    return {
      text,
      bot: bot || said.mentionsBot,
      mentions: [...new Set([...others, ...said.mentions])],
      quote: said.quote ?? quote,
    };
  };

  /**
   * Reads in full what begins like a command: nine of ten such messages are chatter all the same, and reading one costs
   * a tenth of asking the store who wrote it. Whatever is quoted, nothing is dropped that is acted upon.
   */
  const actsOn = (text: string, names: Names): boolean =>
    reader.read({ text, mentionsBot: false, mentions: [], quote: '#1' }, { ...AT_ANY_TIME, names }).intent !== 'ignore';

  const reader: Reader = {
    isForUs({ text, place, mentionsBot, names }) {
      if (place === 'private' || mentionsBot) return true;
      if (text.length > LONGEST) return /[@＠]/.test(text.slice(0, LONGEST));
      const first = /[\p{L}\p{N}?/@「"“[]/u.exec(text);
      if (!first) return false;
      const c = first[0];
      if (
        firsts.has(c) ||
        /[@＠]/.test(text) ||
        /[\d/?？#「"“[\u2460-\u2473从把将第]/.test(c) ||
        HAN_DIGITS.includes(c) ||
        (text.length <= LONGEST_WITH_SPAN && /[本这上下今去全最近过我咱]/.test(c)) ||
        POLITE.test(text.slice(first.index, first.index + 4))
      )
        return actsOn(text, names);
      const code = c.charCodeAt(0);
      // Full-width signs and traditional characters: rare enough to be read in full.
      if (code >= 0xff00 && code <= 0xffef) return actsOn(text, names);
      const plain = normalise(c);
      // `請通過 #241`
      return (plain !== c || firsts.has(plain) || firstSounds.has(soundOf(plain))) && actsOn(text, names);
    },

    phrase(said) {
      const { text, mentions, quote } = prepare(said);
      return phraseOf(text, quote, mentions);
    },

    read(said, given) {
      const { text, bot, mentions, quote } = prepare(said);
      const context: ReadContext = { ...given, addressed: given.addressed || bot || given.place === 'private' };
      const attempt = (
        grammar: Grammar,
        word: string,
        rest: string,
        numbers: readonly number[] = [],
      ): Read | undefined => {
        // `服务服务 巡逻`: said twice, meant once.
        const once = word.length >= 2 && rest.startsWith(word) ? rest.slice(word.length) : rest;
        const reading = grammar.read(
          phraseOf(text, quote, mentions, word, once.replace(PARTICLES, ''), numbers),
          context,
        );
        return reading && { ...reading, grammar: byIntent.get(reading.intent) ?? grammar };
      };
      if (text === '') {
        const help = byWord.get('帮助');
        return bot && help ? { intent: help.intent, slots: {}, grammar: help } : IGNORE;
      }
      if (text.length > LONGEST) return IGNORE;
      for (let start = text; ; start = start.replace(POLITE, '')) {
        const found = opening(start);
        const reading =
          (found && attempt(found.grammar, found.word, start.slice(found.word.length))) ||
          afterSpan(start, context, attempt);
        if (reading) return reading;
        if (!POLITE.test(start)) break;
      }
      const numbered = leadingNumbers(text.replace(ASSENT, '').replace(BEFORE_NUMBER, ''));
      if (numbered) {
        const rest = numbered.rest
          .replace(/^[ ,:号]+/, '')
          .replace(OF_NUMBER, '')
          .replace(
            /^(?:都?可以|都?没问题|都?行|情况属实|属实|已?核实(?:过?了)?|看过了|均|一并|统一|也|请|给予|予以|准予)[ ,]?(?=\p{Script=Han}{2})/u,
            '',
          );
        const found = opening(rest) ?? sounding(rest);
        const after = found && attempt(found.grammar, found.word, rest.slice(found.word.length), numbered.numbers);
        if (after) return after;
        const last = /(?:^|[ ,\n])(?:麻烦|请|帮忙|帮我|给我|我要|我想)*(\p{Script=Han}{2,4}?)$/u.exec(
          rest.replace(/(?<=\p{Script=Han}{2})(?:一下)?吧?$/u, ''),
        );
        const grammar = last?.[1] === undefined ? undefined : byWord.get(last[1]);
        // `#230 重复登记 撤销`: what stands between is the reason, where one is taken.
        const between = last ? rest.slice(0, last.index).trim() : '';
        if (grammar && last?.[1] !== undefined) {
          const reading =
            (between !== '' && attempt(grammar, last[1], ` ${between}`, numbered.numbers)) ||
            attempt(grammar, last[1], '', numbered.numbers);
          if (reading) return reading;
        }
      }
      const heard = sounding(text);
      if (heard) {
        const rest = text.slice(heard.heard.length);
        if (rest === '' || context.addressed || !/^\p{Script=Han}/u.test(rest) || ENDS_IN_TAIL.test(rest)) {
          const reading = attempt(heard.grammar, heard.word, rest);
          if (reading) return reading;
        }
      }
      if (context.addressed) {
        const phrase = phraseOf(text, quote, mentions);
        for (const grammar of grammars) {
          const reading = grammar.readSentence?.(phrase, context);
          if (reading) return { ...reading, grammar };
        }
        if (bot || context.place === 'private')
          return { intent: 'unknown', slots: { suggestions: nearWords(text, commandWords) } };
      }
      return IGNORE;
    },
  };
  return reader;
}
