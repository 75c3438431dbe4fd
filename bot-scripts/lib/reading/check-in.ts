import { z } from 'zod';
import type { Grammar, Phrase, ReadContext, Reading } from '../../../src/bot/grammar.js';
import { looksLikeName } from '../../../src/bot/language/names.js';
import { HAN_DIGITS, spelledDigits } from '../../../src/bot/language/numbers.js';
import { findUnit } from '../../../src/bot/language/places.js';
import { isGlued, isQuestion } from './ends.js';

const slots = z.object({
  name: z.string().max(20),
  phoneTail: z
    .string()
    .regex(/^\d{4}$/)
    .optional(),
  unit: z.string().optional(),
  homeOrganisation: z.string().max(50).optional(),
  category: z.enum(['direct', 'inService', 'floating', 'retired']).optional(),
  skills: z.array(z.string()).optional(),
});

const CATEGORIES: readonly [RegExp, string][] = [
  [/在职(?:党员)?/, 'inService'],
  [/(?:离退休|退休|离休)(?:党员)?/, 'retired'],
  [/流动(?:党员)?/, 'floating'],
  [/直管(?:党员)?/, 'direct'],
];
const ORGANISATION =
  /(?:单位|工作单位|所在单位)(?:是|:|：)?\s*(\p{Script=Han}{2,20})|((?:市|区|县|省)?\p{Script=Han}{1,12}?(?:机关党委|局|委|厅|法院|检察院|医院|学院|大学|中学|小学|学校|银行|公司|集团|供电所|派出所|研究院|设计院|幼儿园|税务所|管委会|办公室|街道|卫健委)(?:机关)?(?:党委|党支部|党总支)?|\p{Script=Han}{2,12}?(?:机关)?(?:党委|党支部|党总支))/u;
const TAIL_LABEL = /(?:手机|电话|号码)?(?:号)?(?:后四位|尾号|末四位|后4位|尾数)(?:是|为|:)?/;
const DIGIT4 = new RegExp(
  `(?<![\\d${HAN_DIGITS}])(\\d{4}|[${HAN_DIGITS}]{4}|[${HAN_DIGITS}]{2} [${HAN_DIGITS}]{2})(?![\\d${HAN_DIGITS}]|号楼|栋|幢)`,
);

/** `特长修水电`, `擅长书法、唱歌`, `会修电脑`. */
const SKILLS =
  /(?:特长|专长|擅长)(?:是|:)?\s*(\p{Script=Han}{2,10}(?:[、,和]\p{Script=Han}{2,10})*)|(?<=^|[\s,])我?会((?:修|弹|唱|画|写|理|做|教|打|拉|说|剪|拍)\p{Script=Han}{1,8})/u;

/** Whom a formal message addresses. */
const SALUTATION =
  /^(?:尊敬的|敬爱的|亲爱的)?(?:\p{Script=Han}{0,8}(?:党委|党支部|党组织|党总支|书记|组织|同志们?|领导|网格长|大家|各位)|各位\p{Script=Han}{1,4})(?:好|您好|你好)?[:,](?=\s*\S)/u;

interface Parts {
  name?: string;
  phoneTail?: string;
  unit?: string;
  homeOrganisation?: string;
  category?: string;
  skills?: string[];
}

/** Takes what it knows out of the text, piece by piece; a person's name is what is left. */
function parse(text: string, context: ReadContext): Parts {
  const parts: Parts = {};
  let left = text.replaceAll('\n', ' ').replace(SALUTATION, ' ');
  const cut = (from: number, length: number): void => {
    left = `${left.slice(0, from)} ${left.slice(from + length)}`;
  };
  for (const [pattern, category] of CATEGORIES) {
    const m = pattern.exec(left);
    if (!m) continue;
    parts.category = category;
    cut(m.index, m[0].length);
    break;
  }
  const phone = /(?<!\d)1\d{2}[ -]?\d{4}[ -]?(\d{4})(?!\d)/.exec(left);
  if (phone?.[1] !== undefined) {
    parts.phoneTail = phone[1];
    cut(phone.index, phone[0].length);
  }
  const unit = findUnit(left);
  if (unit) {
    // `来咱社区报到` does not tell where somebody lives.
    if (!unit.name.startsWith('本')) parts.unit = unit.name;
    const before = /(?:我?家?住在?)$/.exec(left.slice(0, unit.from))?.[0] ?? '';
    cut(unit.from - before.length, unit.to - unit.from + before.length);
  }
  const label = TAIL_LABEL.exec(left);
  if (label) cut(label.index, label[0].length);
  const tail = DIGIT4.exec(left);
  const digits = tail?.[1] === undefined ? undefined : spelledDigits(tail[1].replace(' ', ''));
  if (tail && digits !== undefined && parts.phoneTail === undefined) {
    parts.phoneTail = digits;
    cut(tail.index, tail[0].length);
  }
  const skill = SKILLS.exec(left);
  const said = skill?.[1] ?? skill?.[2];
  if (skill && said !== undefined) {
    parts.skills = said.split(/[、,和]/);
    cut(skill.index, skill[0].length);
  }
  const self =
    /(?:我叫|我是|本人|[她他]叫|名叫)[\s,:]*(\p{Script=Han}{2,4}?)(?=[\s,;是系在住来现]|手机|电话|尾号|单位|$)/u.exec(
      left,
    );
  const stated = self?.[1] !== undefined && looksLikeName(self[1]) ? self[1] : undefined;
  if (self && stated !== undefined) cut(self.index, self[0].length);
  const [known, ...others] = new Set(
    left.match(/\p{Script=Han}+(?:·\p{Script=Han}+)*/gu)?.filter((w) => context.names.has(w)),
  );
  // Of two people neither is known to be the one who writes.
  if (others.length > 0 || /我[和跟与同]/.test(left)) return parts;
  if (stated !== undefined) parts.name = stated;
  if (known !== undefined) {
    parts.name = known;
    left = left.replace(known, ' ');
  }
  const home = ORGANISATION.exec(left);
  const organisation = (home?.[1] ?? home?.[2])?.replace(/^(?:我?是|系|我在|在|来自|单位)/, '');
  if (home && organisation !== undefined && !looksLikeName(organisation)) {
    parts.homeOrganisation = organisation;
    cut(home.index, home[0].length);
  }
  left = left.replace(
    /来?(?:向|到|给)?社区|前来|来|姓名(?:是|:)?|我叫|我是|我的?|本人|[她他]叫|[她他]是|名叫|名字(?:是|叫|:)?|党员|同志|书记好|书记|大家好|您好|你好|老师|一下|那个|呃|嗯|向(?:您|你们?|组织|党组织|支部|书记)|[的啊了哈呀吧,:;.?()\-/+*_|]/g,
    ' ',
  );
  if (parts.name === undefined) {
    const name = left
      .split(/[\s\n]+/)
      .find((w) => looksLikeName(w) && !/^[和跟与]?(?:老伴|老公|爱人|家人|孩子|邻居)/.test(w));
    if (name !== undefined) parts.name = name;
  }
  return parts;
}

function reading(parts: Parts): Reading {
  return parts.name === undefined
    ? { intent: 'ask', slots: { ...parts, missing: ['name'] } }
    : { intent: 'checkIn.request', slots: { ...parts } };
}

/** The word in a sentence, also as it is misspelled. */
const REPORTS = /双?(?:报到|爆到|抱到|报个到|报一下到|(?:来|我)报道|报道(?=[\s,]*(?:\d{4})?$))(?![的过])/;

const FOR_OTHER =
  /代(?:为)?报到|(?:代|替|帮)\s*(?:我)?[\p{Script=Han}]{2,6}\s*报到|我(?:老公|老婆|爱人|丈夫|妻子|父亲|母亲|爸爸?|妈妈?|老伴|儿子|女儿|邻居)[也要想来去]*报到|(?:给|帮|替)(?:我)?(?:老公|老婆|爱人|丈夫|妻子|父亲|母亲|爸|妈|老伴|邻居|孩子|儿子|女儿|家人|他|她)/u;

function forOther(text: string, context: ReadContext): Reading | undefined {
  if (!FOR_OTHER.test(text)) return undefined;
  const rest = text.replace(
    /(?:代|代为|也)?报到(?:一下)?|(?:代|替|帮|给)(?:我)?(?:老公|老婆|爱人|丈夫|妻子|父亲|母亲|爸爸?|妈妈?|老伴|邻居|孩子|儿子|女儿|家人|他|她)?也?/g,
    ' ',
  );
  const { name, phoneTail } = parse(rest, context);
  return {
    intent: 'checkIn.requestForOther',
    slots: { ...(name !== undefined && { name }), ...(phoneTail !== undefined && { phoneTail }) },
  };
}

/** `马小红报到`, `我是马小红 报到`: nothing is said but who one is. */
const isSelf = (name: string, text: string, { names }: ReadContext): boolean =>
  new RegExp(`(?:我是|我叫|本人)${name}[\\s,]*报到`).test(text) ||
  (new RegExp(
    `^(?:党员|[\\p{L}]{0,3}好[\\s,]*)?${name}[\\s,]*(?:前来|来)?(?:向(?:您|组织|支部|书记|大家))?报到[\\s,]*$`,
    'u',
  ).test(text) &&
    (names.has(name) || looksLikeName(name)));

/** 报到 <姓名> [<手机后四位>], with unit, employer, category and skill where they are said. */
export const checkIn: Grammar<typeof slots> = {
  intent: 'checkIn.request',
  words: [
    '报到',
    '双报到',
    '我来报到',
    '我要报到',
    '报个到',
    '在职党员报到',
    '流动党员报到',
    '退休党员报到',
    '离退休党员报到',
    '直管党员报到',
    '党员报到',
  ],
  slots,
  read(phrase: Phrase, context: ReadContext) {
    const other = forOther(phrase.text, context);
    if (other) return other;
    const whole = `${phrase.word ?? ''}${phrase.rest}`;
    if (/^(?:过|完|那天|当天|时(?!光)|的|之?[前后])/.test(phrase.rest)) return undefined;
    if (isQuestion(phrase.rest) || /[哪谁啥咋]|什么|多少|如何|怎样/.test(phrase.rest)) return undefined;
    const category = CATEGORIES.find(([pattern]) => pattern.test(phrase.word ?? ''))?.[1];
    // `3 报到 赵志强` is a line of somebody's list.
    if (phrase.leadingNumbers.length > 0 && !/^\d{4}(?!\d)/.test(phrase.text)) return undefined;
    const before = phrase.leadingNumbers.length > 0 ? phrase.text.slice(0, phrase.text.indexOf(phrase.word ?? '')) : '';
    const parts = { ...parse(`${before}${phrase.rest}`, context), ...(category !== undefined && { category }) };
    const glued = isGlued(phrase.rest) && !context.addressed;
    if (parts.name !== undefined && (!glued || context.names.has(parts.name) || parts.phoneTail !== undefined))
      return reading(parts);
    if (glued) return undefined;
    const nothing = /^[\s,:;.啊了哈呀吧]*$/.test(phrase.rest);
    if (nothing) return context.addressed || whole === phrase.text ? reading(parts) : undefined;
    return parts.phoneTail !== undefined || context.addressed ? reading(parts) : undefined;
  },
  readSentence(phrase, context) {
    if (!REPORTS.test(phrase.text) || isQuestion(phrase.text)) return undefined;
    const other = forOther(phrase.text, context);
    if (other) return other;
    const parts = parse(phrase.text.replace(REPORTS, ' '), context);
    return parts.name !== undefined &&
      (parts.phoneTail !== undefined ||
        parts.homeOrganisation !== undefined ||
        /来(?:报到|报个到|社区报到)|向(?:\p{Script=Han}{0,4}社区|\p{Script=Han}{0,4}党组织)\p{Script=Han}{0,4}报到/u.test(
          phrase.text,
        ) ||
        isSelf(parts.name, phrase.text, context))
      ? reading(parts)
      : undefined;
  },
  answer(kept, phrase, context) {
    const { missing: _missing, ...before } = kept;
    const parts = parse(phrase.text, context);
    const { phoneTail } = parts;
    const name = parts.name ?? before['name'];
    if (phoneTail === undefined && parts.name === undefined) return undefined;
    return { intent: 'checkIn.request', slots: { ...before, ...parts, ...(name !== undefined && { name }) } };
  },
};
