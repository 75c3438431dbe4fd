import { z } from 'zod';
import type { Grammar, Names, Phrase, ReadContext, Reading } from '../../../src/bot/grammar.js';
import { findPeriod } from '../../../src/bot/language/dates.js';
import { looksLikeName } from '../../../src/bot/language/names.js';
import { parseWhole } from '../../../src/bot/language/numbers.js';
import { findUnit } from '../../../src/bot/language/places.js';
import { bare, isAlone, isGlued, ownWords, trimmed } from './ends.js';
import { findItems } from './service-items.js';

const Period = z.object({ from: z.string(), to: z.string() });
const balanceSlots = z.object({ period: Period.optional(), name: z.string().optional() });
const ledgerSlots = z.object({ limit: z.int().positive().optional(), period: Period.optional() });
const rankingSlots = z.object({
  period: Period.optional(),
  scope: z.string().optional(),
  limit: z.int().positive().optional(),
  only: z.literal('me').optional(),
});

const PEOPLE_ASK = /什么时候|公布|怎么还|没用|商城|规则怎么|为什么/;

/** What is left after a period, a unit, a limit was taken out. */
function take(text: string, context: ReadContext): { slots: Record<string, unknown>; rest: string } {
  const slots: Record<string, unknown> = {};
  let rest = text;
  const period = findPeriod(rest, context.now, context.zone);
  if (period) {
    slots['period'] = period.period;
    rest = `${rest.slice(0, period.from)} ${rest.slice(period.to)}`;
  }
  const unit = findUnit(rest);
  if (unit) {
    slots['scope'] = unit.name;
    rest = `${rest.slice(0, unit.from)} ${rest.slice(unit.to)}`;
  }
  const limit = /前\s*(\d{1,3}|[一二两三四五六七八九十]{1,3})\s*名?|(\d{1,3})\s*条?$/.exec(rest);
  const n = parseWhole(limit?.[1] ?? limit?.[2] ?? '');
  if (limit && n !== undefined) {
    slots['limit'] = n;
    rest = `${rest.slice(0, limit.index)} ${rest.slice(limit.index + limit[0].length)}`;
  }
  return { slots, rest: trimmed(rest.replace(/的/g, ' ')) };
}

function ledger(rest: string, { now, zone }: ReadContext): Reading | undefined {
  const found = isGlued(rest) ? undefined : findPeriod(rest, now, zone);
  const left = found ? `${rest.slice(0, found.from)} ${rest.slice(found.to)}` : rest;
  const n = /^[表单]?(?:最近|近|前)?(\d{1,3}|[一二两三四五六七八九十]{1,3})?\s*[条笔]?$/.exec(bare(left));
  if (!n) return undefined;
  const limit = n[1] === undefined ? undefined : parseWhole(n[1]);
  return {
    intent: 'points.ledger',
    slots: { ...(limit !== undefined && limit > 0 && { limit }), ...(found && { period: found.period }) },
  };
}

function ranking(rest: string, context: ReadContext): Reading | undefined {
  const { slots, rest: left } = take(bare(rest), context);
  return left === '' ? { intent: 'points.ranking', slots } : undefined;
}

/** Before what is asked for. */
const ASKING = /^(?:请问?|麻烦|帮忙|帮我|给我|我想|我要|小助手)+(?=[查看])/;

/** 积分 [明细 [n]] [period] [name]. */
export const balance: Grammar<typeof balanceSlots> = {
  intent: 'points.balance',
  words: [
    '积分',
    '我的积分',
    '查积分',
    '查询积分',
    '查一下积分',
    '查询我的积分',
    '查我的积分',
    '查一下我的积分',
    '看一下积分',
    '看下积分',
    '查下积分',
    '看积分',
    '看看积分',
    '看看我的积分',
    '我的分',
    '我的分数',
    '积分查询',
    '积分余额',
    '查询',
    '查一下',
    '查下',
    '查',
  ],
  slots: balanceSlots,
  read(phrase, context) {
    if (/^查(?:询|一下|下)?$/.test(phrase.word ?? '')) {
      const name = /^(\p{Script=Han}{2,4}) ?的? ?积分$/u.exec(bare(phrase.rest))?.[1];
      return name !== undefined && context.names.has(name) ? { intent: 'points.balance', slots: { name } } : undefined;
    }
    const rest = bare(phrase.rest.replace(/[?]$/, ''));
    if (/^(?:(?:是|有|还有)?(?:多少|几多|好多|几分)分?)?$/.test(rest)) return { intent: 'points.balance', slots: {} };
    if (PEOPLE_ASK.test(rest)) return undefined;
    if (isGlued(phrase.rest) && !/^(?:多少|本|今年|上|这|去年|第|\d)/.test(rest) && !context.names.has(rest))
      return undefined;
    const { slots, rest: left } = take(rest, context);
    if (left === '' && slots['limit'] === undefined) return { intent: 'points.balance', slots };
    if (context.names.has(left) || (looksLikeName(left) && context.addressed))
      return { intent: 'points.balance', slots: { ...slots, name: left } };
    return undefined;
  },
  readSentence(phrase, context) {
    const text = bare(phrase.text).replace(ASKING, '');
    const named =
      /^(查(?:一下|下|询|查)?|看(?:一下|看)?)?(\p{Script=Han}{2,4}?)的?(?:积分(?:有?多少)?|有?多少积分|有?(?:多少|几)分)$/u.exec(
        text,
      );
    if (
      named?.[2] !== undefined &&
      (context.names.has(named[2]) || (named[1] !== undefined && looksLikeName(named[2])))
    )
      return { intent: 'points.balance', slots: { name: named[2] } };
    if (
      !/积分|(?:几|多少)分(?!钟|之|熟)/.test(text) ||
      /加几分|能加|加多少分|哪儿?来|怎么|咋|为什么|为啥|扣|规则|排|第几|名次/.test(text) ||
      !/我|查/.test(text) ||
      PEOPLE_ASK.test(text)
    )
      return undefined;
    if (findItems(text).length > 0) return undefined;
    const period = findPeriod(text, context.now, context.zone);
    return { intent: 'points.balance', slots: { ...(period && { period: period.period }) } };
  },
};

export const ledgerList: Grammar<typeof ledgerSlots> = {
  intent: 'points.ledger',
  words: [
    '积分明细',
    '积分 明细',
    '我的积分明细',
    '查积分明细',
    '积分流水',
    '明细',
    '我的明细',
    '积分记录',
    '积分 记录',
  ],
  slots: ledgerSlots,
  read: (phrase, context) => ledger(phrase.rest, context),
  readSentence(phrase, context) {
    const last = /^((?:最近|近|前)(?:\d{1,3}|[一二两三四五六七八九十]{1,3})[条笔])(?:的?积分)?(?:明细|记录|流水)$/.exec(
      bare(phrase.text),
    )?.[1];
    if (last !== undefined) return ledger(last, context);
    return /(?:积分|分).{0,4}(?:怎么来|哪来|哪儿来|咋来)|(?:咋|怎么|为什么|为啥|凭啥)我?(?:现在)?(?:的?积?分)?(?:才|只有?|就|(?:变|这么|那么)?少|没涨|没加|没动).{0,4}分?|分(?:怎么|咋|为什么|为啥|凭啥)(?:还|又|就)?(?:变?少|减|没了|没涨|没加|没动|扣)/.test(
      phrase.text,
    )
      ? { intent: 'points.ledger', slots: {} }
      : undefined;
  },
};

export const rankingList: Grammar<typeof rankingSlots> = {
  intent: 'points.ranking',
  words: [
    '排行',
    '排行榜',
    '积分排行',
    '积分排行榜',
    '积分排名',
    '积分榜',
    '积分前',
    '积分 排行',
    '积分 排行榜',
    '积分 排名',
    '排名',
    '我的排名',
  ],
  slots: rankingSlots,
  read: (phrase, context) =>
    phrase.word === '我的排名'
      ? isAlone(phrase.rest)
        ? { intent: 'points.ranking', slots: { only: 'me' } }
        : undefined
      : phrase.word === '积分前'
        ? ranking(`前${phrase.rest}`, context)
        : isGlued(phrase.rest) && !/^(?:本|今年|上|这|第|前|全)/.test(phrase.rest)
          ? undefined
          : ranking(phrase.rest, context),
  readSentence(phrase, context) {
    const text = bare(phrase.text);
    if (/我.{0,8}(?:排|第)(?:在|到)?(?:第?几|多少)|我的?(?:名次|排名)/.test(text))
      return { intent: 'points.ranking', slots: { only: 'me' } };
    const period = findPeriod(text, context.now, context.zone);
    const rest = period?.from === 0 ? text.slice(period.to).trim() : text;
    const unit = findUnit(rest);
    const whose = unit?.from === 0 ? rest.slice(unit.to).replace(/^[里内的 ]+/, '') : rest;
    if (/^(?:谁|哪个|哪位)的?(?:积分|分)(?:数)?最[高多]|^积分(?:最[高多]|第一)的?是?谁/.test(whose))
      return {
        intent: 'points.ranking',
        slots: { ...(period && { period: period.period }), ...(whose !== rest && unit && { scope: unit.name }) },
      };
    const top = /^(?:积分)?前([一二两三四五六七八九十\d]{1,3})名?(?:都)?(?:是|有)?(?:谁|哪些|哪几个|哪几位)/.exec(text);
    const limit = parseWhole(top?.[1] ?? '');
    return top && limit !== undefined
      ? { intent: 'points.ranking', slots: { ...take('', context).slots, limit } }
      : undefined;
  },
};

const rulesSlots = z.object({ item: z.string().optional() });

export const rules: Grammar<typeof rulesSlots> = {
  intent: 'points.rules',
  words: ['积分规则', '积分标准', '加分规则', '加分标准', '积分细则', '积分办法', '积分 规则', '积分 标准'],
  slots: rulesSlots,
  read(phrase) {
    if (isAlone(phrase.rest)) return { intent: 'points.rules', slots: {} };
    const [item] = isGlued(phrase.rest) ? [] : findItems(phrase.rest);
    return item && bare(phrase.rest).length <= 8 ? { intent: 'points.rules', slots: { item: item.item } } : undefined;
  },
  readSentence(phrase) {
    const { text } = phrase;
    if (/(?:能|可以|会)?(?:加|得|算|记|给)(?:几|多少)分(?!钟|之)/.test(text)) {
      const [item] = findItems(text);
      return { intent: 'points.rules', slots: { ...(item && { item: item.item }) } };
    }
    const [item] = /(?:几|多少)分(?!钟|之|熟)/.test(text) && !/我/.test(text) ? findItems(text) : [];
    if (item && !item.bySign) return { intent: 'points.rules', slots: { item: item.item } };
    return /积分.{0,3}(?:规则|标准|(?:怎么|咋|如何)(?:个)?(?:算|计|加|得|攒))|(?:怎么|咋|如何)(?:才能|能)?[加得攒挣](?:积)?分/.test(
      text,
    )
      ? { intent: 'points.rules', slots: {} }
      : undefined;
  },
};

const appealSlots = z.object({ no: z.int().positive().optional(), text: ownWords });

const numbered = (rest: string): { no?: number; text: string } => {
  // A number that no month has so many days of is not a day: `388号`.
  const m =
    /^[\s,:;]*(?:#\s*(\d{1,6})(?!\d)号?|(\d{1,6})(?!\d)(?![年月日号小.分个])|第?(\d{3,6})[号条]|第(\d{1,6})条)[\s,:;]*/.exec(
      rest,
    );
  return m
    ? { no: Number(m[1] ?? m[2] ?? m[3] ?? m[4]), text: trimmed(rest.slice(m[0].length)) }
    : { text: trimmed(rest) };
};

export const appeal: Grammar<typeof appealSlots> = {
  intent: 'points.appeal',
  words: ['申诉', '对积分有异议', '积分有异议', '积分申诉', '积分 申诉'],
  slots: appealSlots,
  read(phrase, context) {
    const [first] = phrase.leadingNumbers;
    const { no, text } = first === undefined ? numbered(phrase.rest) : { no: first, text: trimmed(phrase.rest) };
    if (isGlued(phrase.rest)) return undefined;
    if (text === '')
      return context.addressed || no !== undefined || isAlone(phrase.rest)
        ? { intent: 'ask', slots: { ...(no !== undefined && { no }), missing: ['text'] } }
        : undefined;
    return { intent: 'points.appeal', slots: { ...(no !== undefined && { no }), text } };
  },
  answer: (kept, phrase) => ({
    intent: 'points.appeal',
    slots: { ...(typeof kept['no'] === 'number' && { no: kept['no'] }), text: trimmed(phrase.text) },
  }),
};

const publishSlots = z.object({ period: Period.optional(), scope: z.string().optional() });

export const publish: Grammar<typeof publishSlots> = {
  intent: 'points.publish',
  words: ['公示', '公示积分', '积分公示'],
  slots: publishSlots,
  read(phrase, context) {
    if (isGlued(phrase.rest) && !/^(?:本|上|今年|20)/.test(phrase.rest)) return undefined;
    const { slots, rest } = take(bare(phrase.rest), context);
    return /^(?:积分)?$/.test(rest) && (Object.keys(slots).length > 0 || phrase.word !== '公示')
      ? { intent: 'points.publish', slots }
      : undefined;
  },
};

const changeSlots = z.object({ name: z.string(), points: z.int().positive(), reason: ownWords });

/** `给张三加5分 扫雪`, where the bot is addressed. */
function changeSentence(intent: string, verb: string, phrase: Phrase, names: Names): Reading | undefined {
  const m = new RegExp(
    `^(?:(?:给|为)?(?=\\p{Script=Han}{2,4}${verb})|${verb}(?:除|掉)?)(\\p{Script=Han}{2,4}?)(?:${verb})?(\\d{1,3}|[一二两三四五六七八九十]{1,3})分[\\s,:]*(.*)$`,
    'u',
  ).exec(phrase.text);
  return m?.[1] !== undefined && looksLikeName(m[1])
    ? changeReading(intent, { ...phrase, rest: ` ${m[1]} ${m[2]}分 ${m[3] ?? ''}` }, names)
    : undefined;
}

function changeReading(intent: string, phrase: Phrase, names: Names): Reading | undefined {
  const only = bare(phrase.rest).replace(/^@/, '');
  if (names.has(only)) return { intent: 'ask', slots: { name: only, missing: ['points', 'reason'] } };

  const glued = /^[\s,:]*@?(\p{Script=Han}{2,4})(?=\d)/u.exec(phrase.rest)?.[1];
  const rest = glued !== undefined && names.has(glued) ? phrase.rest.replace(glued, `${glued} `) : phrase.rest;
  const m =
    /^[\s,:]*@?(\p{Script=Han}{2,4}(?:·\p{Script=Han}+)?)[\s,:]+(\d{1,3}|[一二两三四五六七八九十]{1,3})\s*分?[\s,:]*(.*)$/u.exec(
      rest,
    );
  const points = parseWhole(m?.[2] ?? '');
  if (m?.[1] === undefined || points === undefined) return undefined;
  const reason = trimmed(m[3] ?? '');
  return reason === ''
    ? { intent: 'ask', slots: { name: m[1], points, missing: ['reason'] } }
    : { intent, slots: { name: m[1], points, reason } };
}

export const award: Grammar<typeof changeSlots> = {
  intent: 'points.award',
  words: ['加分'],
  slots: changeSlots,
  read: (phrase, { names }) => changeReading('points.award', phrase, names),
  readSentence: (phrase, { names }) => changeSentence('points.award', '加', phrase, names),
};
export const deduct: Grammar<typeof changeSlots> = {
  intent: 'points.deduct',
  words: ['扣分', '减分'],
  slots: changeSlots,
  read: (phrase, { names }) => changeReading('points.deduct', phrase, names),
  readSentence: (phrase, { names }) => changeSentence('points.deduct', '扣', phrase, names),
};

const reverseSlots = z.object({ no: z.int().positive(), reason: ownWords });
export const reverse: Grammar<typeof reverseSlots> = {
  intent: 'points.reverse',
  words: ['撤销加分', '撤销扣分', '冲销', '撤销积分'],
  slots: reverseSlots,
  read(phrase) {
    const { no, text } = numbered(phrase.rest);
    if (no === undefined) return undefined;
    return text === ''
      ? { intent: 'ask', slots: { no, missing: ['reason'] } }
      : { intent: 'points.reverse', slots: { no, reason: text } };
  },
};

const redeemSlots = z.object({ goods: ownWords });
export const redeem: Grammar<typeof redeemSlots> = {
  intent: 'points.redeem',
  words: ['积分兑换', '积分 兑换', '兑换', '积分换'],
  slots: redeemSlots,
  read(phrase, context) {
    const goods = bare(phrase.rest);
    if (goods === '') return context.addressed ? { intent: 'ask', slots: { missing: ['goods'] } } : undefined;
    return isGlued(phrase.rest) && !context.addressed ? undefined : { intent: 'points.redeem', slots: { goods } };
  },
};
