import { z } from 'zod';
import type { Grammar, Phrase, Reading } from '../../../src/bot/grammar.js';
import { BEFORE_NUMBER, leadingNumbers, parseNumberList } from '../../../src/bot/language/number-lists.js';
import { bare, isAlone, isGlued, isQuestion, ownWords, trimmed, withoutThanks } from './ends.js';

const no = z.int().positive();
const nos = z.array(no).min(1).max(50);
const approveSlots = z.object({ nos: nos.optional(), all: z.boolean().optional(), confirmed: z.boolean().optional() });

/** 待办: what waits for a leader. */
export const reviewList: Grammar = {
  intent: 'review.list',
  words: ['待办', '待审核', '待审', '待审批', '待确认', '我的待办', '待办事项', '审核'],
  slots: z.object({}),
  read(phrase, context) {
    if (isAlone(phrase.rest)) return { intent: 'review.list', slots: {} };
    // `审核 #231 通过`
    const found = phrase.word === '审核' ? leadingNumbers(trimmed(phrase.rest)) : undefined;
    const said = found?.rest.trim() ?? '';
    for (const settle of [approve, reject]) {
      const word = settle.words.find((w) => said.startsWith(w));
      if (found && word !== undefined)
        return settle.read({ ...phrase, word, rest: said.slice(word.length), leadingNumbers: found.numbers }, context);
    }
    return undefined;
  },
  readSentence: (phrase) =>
    /^(?:待办(?:事项)?|待审核?|待确认)的?(?:都?有|是)(?:哪些|什么|啥|多少|几)|^我?(?:现在)?有没有(?:待审核?|待办|要我?审核?|没审核?)的|^还有谁的?没审|^还有(?:没有)?(?:待审核?|待办|待确认)的?|^[待等]我(?:审|审核|确认)的?$|^我?(?:还)?有(?:什么|哪些|没有)?要?我?没?未?(?:审|审核|确认|办)的?|有(?:什么|哪些|多少|几[条个件]).{0,3}(?:审|待办|待确认)|等我(?:审|审核|确认)的?(?:有|是)?(?:哪|什么|几|多少)/.test(
      trimmed(phrase.text),
    )
      ? { intent: 'review.list', slots: {} }
      : undefined,
};

const EVERYTHING = /^(?:全部|所有|都|全都|全)(?:的|待审核的)?$/;

/** The quoted message picks the number where it names one. */
function quotedNumber({ quote }: Phrase): number[] {
  const found = [
    ...new Set([...(quote ?? '').normalize('NFKC').matchAll(/#(\d{1,6})(?!\d)/g)].map((m) => Number(m[1]))),
  ];
  return found.length === 1 ? found : [];
}

/** `245、246两条`: how many they are. */
const COUNTED =
  /(?<=\d) ?(?:这|共|一共)?[两二三四五六七八九十]+[条个件]?$|(?<=号)(?:这|共|一共)?[两二三四五六七八九十]+[条个件]$|这 ?\d+[条个件]$/;
/** `239通过 240通过` */
const SAID_AGAIN = /(?<=\d)[也都]?(?:通过|同意)(?=$|[\s,])/g;
/** What a leader adds to a yes. */
const PRAISE =
  /[\s,](?:情况)?(?:不错|很好|挺好|做得好|真棒|很棒|棒|好样的|没问题|属实|已?核实过?了?|看过了?|我在场|可以)$/;

function numbersOf(phrase: Phrase): number[] | undefined {
  const rest = bare(phrase.rest.replace(/^(?:了|啦|一下)(?=[\s#\d])/, '').replace(/ ?@[\p{L}·]+/gu, ''));
  const own =
    rest === '' ? undefined : parseNumberList(rest.replace(PRAISE, '').replace(COUNTED, '').replace(SAID_AGAIN, ''));
  if (rest !== '' && !own) return undefined;
  const all = [...phrase.leadingNumbers, ...(own ?? [])];
  if (all.length === 0) all.push(...quotedNumber(phrase));
  return all.length > 0 ? [...new Set(all)] : undefined;
}

/** 通过 #n [#m …], 通过 全部, 231通过. */
export const approve: Grammar<typeof approveSlots> = {
  intent: 'review.approve',
  words: [
    '通过',
    '同意',
    '全部通过',
    '全部同意',
    '全通过',
    '全都通过',
    '全部都通过',
    '确认通过',
    '同意通过',
    '都审核通过',
    '都准予通过',
    '审核通过',
    '通过审核',
    '都通过',
    '都同意',
    '全都同意',
    '全部审核通过',
    '全部确认通过',
    '全部予以通过',
    '所有的都通过',
    '所有都通过',
    '一律通过',
    '统统通过',
    '全部都同意',
    '都给通过',
    '全给通过',
    '待办全部通过',
    '待审核的全部通过',
    '待审核全部通过',
  ],
  slots: approveSlots,
  read(phrase, context) {
    if (isQuestion(phrase.rest)) return undefined;
    // `231、232都通过` means those two and nothing else.
    // `都通过了` tells of something; `都同意` is what people answer each other.
    if (/^[全都]/.test(phrase.word ?? '') && phrase.leadingNumbers.length === 0 && !context.addressed)
      if (phrase.word === '都同意' || /[了啦]/.test(withoutThanks(phrase.text))) return undefined;
    const everything = /^(?:[全都]|所有|一律|统统|待)/.test(phrase.word ?? '')
      ? isAlone(phrase.rest)
      : EVERYTHING.test(bare(phrase.rest));
    if (everything && phrase.leadingNumbers.length === 0) return { intent: 'review.approve', slots: { all: true } };
    const numbers = numbersOf(everything ? { ...phrase, rest: '' } : phrase);
    if (numbers) return { intent: 'review.approve', slots: { nos: numbers } };
    // `通过 #231 但是232不行`: a number, and more than is understood.
    if (context.role !== 'member' && /^[\s,:]*(?:#\s*\d+|\d{3,6})(?=[\s,、#])/.test(phrase.rest))
      return { intent: 'ask', slots: { missing: ['nos'] } };
    return isAlone(phrase.rest) && context.role !== 'member' && (context.addressed || phrase.word !== '同意')
      ? { intent: 'ask', slots: { missing: ['nos'] } }
      : undefined;
  },
  answer(kept, phrase) {
    const missing = Array.isArray(kept['missing']) ? kept['missing'] : [];
    const text = bare(phrase.text);
    if (missing.includes('confirm'))
      return /^(?:确认|是|对|好|好的|通过|全部通过|是的|可以|行|同意)$/.test(text)
        ? { intent: 'review.approve', slots: { all: true, confirmed: true } }
        : undefined;
    const numbers = parseNumberList(text);
    return numbers ? { intent: 'review.approve', slots: { nos: numbers } } : undefined;
  },
};

const rejectSlots = z.object({ no: no.optional(), nos: nos.optional(), reason: ownWords });

/** A number after a comma that goes on as a sentence is part of the reason: `232,231那天他不在`. */
const SENTENCE_AFTER = /^(#?\s*\d{1,6}(?:\s*号)?)[, ](?=\s*#?\d{1,6}(?![号和到至])\p{Script=Han})/u;

/** The numbers meant, first in the message or after the word, and what else is said. */
function numbersAndReason(phrase: Phrase): { numbers: readonly number[]; reason?: string } {
  const rest = phrase.rest
    .replace(/^[\s,:;.]+/, '')
    .replace(BEFORE_NUMBER, '')
    .trimStart();
  const alone = SENTENCE_AFTER.exec(rest)?.[1];
  const found =
    phrase.leadingNumbers.length > 0
      ? { numbers: phrase.leadingNumbers, rest }
      : alone === undefined
        ? leadingNumbers(rest)
        : { numbers: parseNumberList(alone) ?? [], rest: rest.slice(alone.length) };
  const numbers = found?.numbers ?? (isGlued(phrase.rest) ? [] : quotedNumber(phrase));
  const reason = trimmed(found?.rest ?? rest).replace(
    /^(?:原因|理由)(?:是|:)?\s*|^因为?(?=\p{Script=Han}{2})|^(?:吧|了|啦|啊|一下|掉)+(?=$|[\s,])[\s,]*/u,
    '',
  );
  return { numbers, ...(reason !== '' && { reason }) };
}

/** One number is `no`, several are `nos`. */
const numberSlots = ([first, ...more]: readonly number[]): { no?: number; nos?: number[] } =>
  first === undefined ? {} : more.length === 0 ? { no: first } : { nos: [first, ...more] };

/** 驳回 #n 原因. */
export const reject: Grammar<typeof rejectSlots> = {
  intent: 'review.reject',
  words: ['驳回', '不同意', '不通过'],
  slots: rejectSlots,
  read(phrase, context) {
    if (isQuestion(phrase.rest)) return undefined;
    // `不同意5号开会`: that is a day.
    if (phrase.word === '不同意' && /^\d{1,2}号\p{Script=Han}/u.test(phrase.rest)) return undefined;
    const { numbers, reason } = numbersAndReason(phrase);
    if (/^(?:的|这事|那事|这件事|也(?:行|好|可以|没事|罢))|谁干的/.test(reason ?? '')) return undefined;
    if (numbers.length > 0)
      return reason === undefined
        ? { intent: 'ask', slots: { ...numberSlots(numbers), missing: ['reason'] } }
        : { intent: 'review.reject', slots: { ...numberSlots(numbers), reason } };
    return isAlone(phrase.rest) && context.role !== 'member' && (context.addressed || phrase.word === '驳回')
      ? { intent: 'ask', slots: { missing: ['no'] } }
      : undefined;
  },
  answer(kept, phrase) {
    const text = trimmed(phrase.text);
    if (text === '') return undefined;
    const before = z.object({ no: no.optional(), nos: nos.optional() }).safeParse(kept).data ?? {};
    if (before.no !== undefined || before.nos) return { intent: 'review.reject', slots: { ...before, reason: text } };
    const found = leadingNumbers(text);
    if (!found) return undefined;
    const reason = trimmed(found.rest);
    return reason === ''
      ? { intent: 'ask', slots: { ...numberSlots(found.numbers), missing: ['reason'] } }
      : { intent: 'review.reject', slots: { ...numberSlots(found.numbers), reason } };
  },
};

const revokeSlots = z.object({ no: no.optional(), nos: nos.optional(), reason: ownWords.optional() });

/**
 * 撤销 #n [原因]: a withdrawal by the author, a reversal by a leader with a reason. Who wrote and the state decide what
 * comes of it; the reading only tells which of the two is likelier.
 */
export const revoke: Grammar<typeof revokeSlots> = {
  intent: 'service.withdraw',
  words: ['撤销', '撤销服务', '作废', '撤掉', '撤了', '取消服务', '取消'],
  slots: revokeSlots,
  read: (phrase, context) => revokeReading(phrase, context.role),
  answer(kept, phrase) {
    const reason = trimmed(phrase.text).slice(0, 200);
    return reason === '' ? undefined : { intent: 'review.reverse', slots: { nos: kept['nos'], reason } };
  },
};

/** `#235 服务 取消`, `235号服务取消` */
const OF_SERVICE = /^[#第]?\d{1,6}号?[那这]?[条个]? ?(?:志愿)?服务/;

export function revokeReading(phrase: Phrase, role: string): Reading | undefined {
  if (isQuestion(phrase.rest) || phrase.text.startsWith('别')) return undefined;
  if (phrase.rest.startsWith('吧') && phrase.leadingNumbers.length === 0) return undefined;
  const { numbers, reason: said } = numbersAndReason(phrase);
  if (said?.startsWith('的')) return undefined;
  // Many things are called off with 取消: it must be told that a service is.
  if (phrase.word === '取消' && !/^(?:(?:这|那)[条个])?(?:志愿)?服务/.test(said ?? '') && !OF_SERVICE.test(phrase.text))
    return undefined;
  const reason =
    phrase.word === '取消' ? said?.replace(/^(?:(?:这|那)[条个])?(?:志愿)?服务[\s,]*/, '') || undefined : said;
  if (numbers.length === 0)
    return phrase.word === '撤销' && phrase.leadingNumbers.length === 0 && isAlone(phrase.rest)
      ? { intent: 'command.undo', slots: {} }
      : undefined;
  const leader = role !== 'member';
  if (leader && reason !== undefined) return { intent: 'review.reverse', slots: { ...numberSlots(numbers), reason } };
  return {
    intent: 'service.withdraw',
    slots: { ...numberSlots(numbers), ...(reason !== undefined && leader && { reason }) },
  };
}

const undoSlots = z.object({ no: no.optional(), nos: nos.optional() });

/** 撤回: takes back one's own last command; with a number it is a withdrawal. */
export const undo: Grammar<typeof undoSlots> = {
  intent: 'command.undo',
  words: ['撤回', '撤回服务'],
  slots: undoSlots,
  read(phrase, context) {
    if (isQuestion(phrase.rest)) return undefined;
    const reading = revokeReading(phrase, context.role);
    if (reading) return { ...reading, intent: 'service.withdraw' };
    return isAlone(phrase.rest) ? { intent: 'command.undo', slots: {} } : undefined;
  },
};
