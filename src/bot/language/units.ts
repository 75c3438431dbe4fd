import { NUMBER, NUMERALS, wholeNumber } from './numbers.js';

/** A place of the organisation named in a text, in its one form: `3号楼2单元`, `第三网格`, `本社区`. */
export interface UnitSpan {
  readonly unit: string;
  readonly start: number;
  readonly end: number;
}

const HOUSE = new RegExp(
  `第?(${NUMBER})\\s*(?:号楼|#楼|栋楼?|幢楼?|号院|楼栋)\\s*(?:第?(${NUMBER})\\s*(?:单元|门洞))?`,
  'u',
);
const GRID = new RegExp(`第?(${NUMBER})号?网[格革](?!员|长|小助手)`, 'u');
const OWN = /(我们|咱们?|本|我)(社区|网格|楼栋?|小区)(?!员|长|的?书记)/u;
const WHOLE = /(?:全|整个|全体)(社区|网格|小区)/u;
const EACH = /(?:各个?|每个)(网格|楼栋|楼)/u;

const CHINESE = ['零', '一', '二', '三', '四', '五', '六', '七', '八', '九'];

/** 1–99 in Chinese, as grids are numbered. */
export function chineseNumber(n: number): string {
  if (n < 10) return CHINESE[n] ?? String(n);
  if (n > 99) return String(n);
  const tens = Math.floor(n / 10);
  return `${tens === 1 ? '' : (CHINESE[tens] ?? '')}十${n % 10 === 0 ? '' : (CHINESE[n % 10] ?? '')}`;
}

function span(match: RegExpExecArray, unit: string): UnitSpan {
  return { unit, start: match.index, end: match.index + match[0].trimEnd().length };
}

/** The first unit in a text. A door number after it is left where it is. */
export function unitIn(text: string): UnitSpan | undefined {
  const found: UnitSpan[] = [];
  const house = HOUSE.exec(text);
  const number = house ? wholeNumber(house[1] ?? '') : undefined;
  if (house && number !== undefined) {
    const entrance = house[2] === undefined ? undefined : wholeNumber(house[2]);
    found.push(span(house, `${number}号楼${entrance === undefined ? '' : `${entrance}单元`}`));
  }
  const grid = GRID.exec(text);
  const gridNumber = grid ? wholeNumber(grid[1] ?? '') : undefined;
  if (grid && gridNumber !== undefined) found.push(span(grid, `第${chineseNumber(gridNumber)}网格`));
  const whole = WHOLE.exec(text);
  if (whole) found.push(span(whole, whole[1] === '网格' ? '本网格' : '本社区'));
  const own = OWN.exec(text);
  if (own) found.push(span(own, own[2] === '网格' ? '本网格' : own[2]?.startsWith('楼') ? '本楼' : '本社区'));
  const each = EACH.exec(text);
  if (each) found.push(span(each, each[1] === '网格' ? '各网格' : '各楼栋'));
  return found.toSorted((a, b) => a.start - b.start)[0];
}

/** Is the text nothing but a place with a number: `12栋`, `三号楼`? */
export const isHouse = (text: string): boolean =>
  new RegExp(`^[${NUMERALS}\\d]`, 'u').test(text) && unitIn(text)?.end === text.length;
