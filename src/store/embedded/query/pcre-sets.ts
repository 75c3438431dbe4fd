/** Characters from one to another, by their numbers in Unicode, in order. */
export type Ranges = readonly (readonly [from: number, to: number])[];

const LAST = 0x10ffff;
const digit: Ranges = [[48, 57]];
const upper: Ranges = [[65, 90]];
const lower: Ranges = [[97, 122]];
const alpha: Ranges = [...upper, ...lower];
const word: Ranges = [...digit, ...upper, [95, 95], ...lower];
const space: Ranges = [
  [9, 13],
  [32, 32],
];
const blank: Ranges = [
  [9, 9],
  [32, 32],
];

/**
 * Sets of characters of PCRE without its option UCP, by the letter of their escape or the name of their class.
 * https://www.pcre.org/current/doc/html/pcre2pattern.html#genericchartypes, #posixclass
 */
export const SETS: Readonly<Record<string, Ranges>> = {
  d: digit,
  w: word,
  s: space,
  h: [
    ...blank,
    [0xa0, 0xa0],
    [0x1680, 0x1680],
    [0x180e, 0x180e],
    [0x2000, 0x200a],
    [0x202f, 0x202f],
    [0x205f, 0x205f],
    [0x3000, 0x3000],
  ],
  v: [
    [10, 13],
    [0x85, 0x85],
    [0x2028, 0x2029],
  ],
  ':digit:': digit,
  ':upper:': upper,
  ':lower:': lower,
  ':alpha:': alpha,
  ':alnum:': [...digit, ...alpha],
  ':word:': word,
  ':space:': space,
  ':blank:': blank,
  ':ascii:': [[0, 127]],
  ':cntrl:': [
    [0, 31],
    [127, 127],
  ],
  ':graph:': [[33, 126]],
  ':print:': [[32, 126]],
  ':punct:': [
    [33, 47],
    [58, 64],
    [91, 96],
    [123, 126],
  ],
  ':xdigit:': [...digit, [65, 70], [97, 102]],
};

/** What a set leaves out. */
function others(ranges: Ranges): Ranges {
  const ends = [-1, ...ranges.map(([, to]) => to)];
  const begins = [...ranges.map(([from]) => from), LAST + 1];
  return ends.map((end, i) => [end + 1, (begins[i] ?? 0) - 1] as const).filter(([from, to]) => from <= to);
}

/** A set, or what it leaves out, as it stands within a character class of JavaScript. */
export const textOf = (ranges: Ranges, not = false): string =>
  (not ? others(ranges) : ranges).map(([from, to]) => `\\u{${from.toString(16)}}-\\u{${to.toString(16)}}`).join('');
