import { NUMERALS, wholeNumber } from './numbers.js';

/** A range may name so many things; a longer one is a slip. */
export const MAX_RANGE = 50;

/** Not the number of a thing: `2小时`, `3号楼`, `30人次`, `90岁`, `12点`, `5分`. */
const NOT_A_UNIT =
  '(?!\\s*(?:小时|个|h|H|分|点|时|刻|人|位|名|岁|次|天|日|月|年|元|块|楼|栋|幢|单元|室|层|码|条|户|%|\\.\\d|号楼|号院|号门|号下|号上|号晚|号早))';
const ONE = `(?:(?:#|no\\.?|编号|第)?\\s*(\\d{1,6})(?!\\d)|#?([${NUMERALS}]{2,7})(?=号|$|\\s|[,、;]))${NOT_A_UNIT}\\s*(?:号)?`;
const HEAD = new RegExp(`^[\\s,、;和及与跟]*${ONE}`, 'iu');
const TO = new RegExp(`^\\s*(?:-+|~|—+|–|至|到)\\s*${ONE}`, 'iu');

/** The numbers at the head of a text and what follows them. */
export interface NumberList {
  readonly numbers: readonly number[];
  readonly rest: string;
  /** A range that runs backwards or over more than 50: nothing of the list is to be used. */
  readonly refused: boolean;
}

const valueOf = (match: RegExpExecArray): number | undefined =>
  match[1] === undefined ? wholeNumber(match[2] ?? '') : Number(match[1]);

/** Reads `#231、232`, `231-235`, `231到233`, `#231 #232` from the head of a text. No number there: an empty list. */
export function numbersAtHead(text: string): NumberList {
  const numbers: number[] = [];
  let rest = text;
  let refused = false;
  for (;;) {
    const one = HEAD.exec(rest);
    const from = one ? valueOf(one) : undefined;
    if (!one || from === undefined) break;
    rest = rest.slice(one[0].length);
    const end = TO.exec(rest);
    const to = end ? valueOf(end) : undefined;
    if (end && to !== undefined) {
      rest = rest.slice(end[0].length);
      if (to < from || to - from >= MAX_RANGE) refused = true;
      else for (let n = from; n <= to; n += 1) numbers.push(n);
    } else {
      numbers.push(from);
    }
    if (numbers.length > MAX_RANGE) {
      refused = true;
      numbers.length = MAX_RANGE;
      break;
    }
  }
  return { numbers: refused ? [] : [...new Set(numbers)], rest: rest.trim(), refused };
}
