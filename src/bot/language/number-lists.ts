import { HAN_DIGITS, parseWhole } from './numbers.js';

/** A range of more numbers than this is no list that a person means. */
export const MAX_LISTED = 50;

/**
 * Numbers of things: `#231`, `231、232`, `231-235`, `231到233`, `五号`. Undefined: the text is not such a list.
 *
 * A range that goes down or is longer than 50 is no list either.
 */
export function parseNumberList(text: string): number[] | undefined {
  const cleaned = text
    .replace(/[#第从]|号(?!楼)|(?<=\d)条/g, ' ')
    .replace(/[,、;/&和跟及与]|(?<=\d{3})\.(?=\d{3})/g, ' ')
    .replace(/\s*(?:-+|—+|~+|到|至)\s*/g, '-')
    .trim();
  if (cleaned === '') return undefined;
  const numbers: number[] = [];
  for (const part of cleaned.split(/\s+/)) {
    const [from, to, ...more] = part
      .split('-')
      .map((n) => (new RegExp(`^(\\d{1,6}|[${HAN_DIGITS}]{1,8})$`).test(n) ? parseWhole(n) : undefined));
    if (from === undefined || more.length > 0 || (part.includes('-') && to === undefined)) return undefined;
    const last = to ?? from;
    if (last < from || last - from >= MAX_LISTED) return undefined;
    for (let n = from; n <= last; n += 1) if (!numbers.includes(n)) numbers.push(n);
  }
  return numbers.length > MAX_LISTED ? undefined : numbers;
}

/** Not the number of a thing unless a # says so: `2小时`, `3号楼`, `30人次`, `90岁`. */
const NO_MEASURE =
  '(?!\\d|\\.\\d|:\\d|小时|个|h|分(?!数)|点|时(?!间|长)|刻|人|位(?!置)|名(?!字)|次(?!数)|天|日|月|年|岁|元|块|楼|栋|幢|单元|户|条|%|号楼)';
const SPELLED = `第?[${HAN_DIGITS}]{1,8}号(?!楼|院|门|线|桌|人)`;
/** `二百三十一通过`: spelled in full, before what is done with it. */
const SETTLED = `[一二两三四五六七八九]百[${HAN_DIGITS}]{0,4}(?=,?(?:通过|同意|驳回|不通过|不同意|撤销|撤回))`;
const ONE = `(?:第\\d{1,6}[号条]|第?(?:#\\s*\\d{1,6}(?!\\d|号楼)|\\d{1,6}${NO_MEASURE})(?:\\s*号)?|${SPELLED}|${SETTLED})`;
const LIST = `${ONE}(?:(?:\\s*[,、/和]\\s*|[跟与及](?=#?\\d+号?[都均也通同])|\\s*(?=#)|\\s+|\\s*(?:-|—|~|到|至)\\s*)${ONE})*`;
const LEADING = new RegExp(`^(${LIST})`);

/** Before a number: `把231…`, `我刚才报的233号`, which one of the writer's own. */
export const BEFORE_NUMBER =
  /^(?:请|麻烦|帮我|帮忙)*(?:[从把将](?:我的)?|我?(?:刚才?|刚刚|昨[天晚]|之前|上午|今[天早])?(?:报|登记|申报|提交|填|写)的(?:那[条个])?|我的|从) ?(?=[#\d第])/;

/** The numbers a text begins with, and the rest. */
export function leadingNumbers(text: string): { numbers: number[]; rest: string } | undefined {
  const found = LEADING.exec(text);
  const numbers = found?.[1] === undefined ? undefined : parseNumberList(found[1]);
  return found?.[1] !== undefined && numbers ? { numbers, rest: text.slice(found[1].length) } : undefined;
}
