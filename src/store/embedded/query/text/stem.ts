/**
 * The English stemmer of Snowball (Porter 2), which MongoDB's text search uses.
 * https://snowballstem.org/algorithms/english/stemmer.html
 */
const exceptions = new Map(
  Object.entries({
    skis: 'ski', skies: 'sky', dying: 'die', lying: 'lie', tying: 'tie', idly: 'idl', gently: 'gentl', ugly: 'ugli',
    early: 'earli', only: 'onli', singly: 'singl', sky: 'sky', news: 'news', howe: 'howe', atlas: 'atlas',
    cosmos: 'cosmos', bias: 'bias', andes: 'andes',
  }),
); // prettier-ignore
const leftAlone = new Set(['inning', 'outing', 'canning', 'herring', 'earring', 'proceed', 'exceed', 'succeed']);

/** Endings inside R1, the longer ones first, and what they become. */
const second: readonly (readonly [ending: string, becomes: string])[] = [
  ['ational', 'ate'], ['fulness', 'ful'], ['iveness', 'ive'], ['ization', 'ize'], ['ousness', 'ous'], ['biliti', 'ble'],
  ['lessli', 'less'], ['tional', 'tion'], ['alism', 'al'], ['aliti', 'al'], ['ation', 'ate'], ['entli', 'ent'],
  ['fulli', 'ful'], ['iviti', 'ive'], ['ousli', 'ous'], ['abli', 'able'], ['alli', 'al'], ['anci', 'ance'],
  ['ator', 'ate'], ['enci', 'ence'], ['izer', 'ize'], ['bli', 'ble'], ['ogi', 'og'], ['li', ''],
]; // prettier-ignore
const third: readonly (readonly [ending: string, becomes: string])[] = [
  ['ational', 'ate'], ['tional', 'tion'], ['alize', 'al'], ['icate', 'ic'], ['iciti', 'ic'], ['ative', ''],
  ['ical', 'ic'], ['ness', ''], ['ful', ''],
]; // prettier-ignore
const fourth = [
  'ement', 'ance', 'ence', 'able', 'ible', 'ment', 'ant', 'ent', 'ism', 'ate', 'iti', 'ous', 'ive', 'ize', 'ion', 'al',
  'er', 'ic',
]; // prettier-ignore

const vowel = /[aeiouy]/;
const isShort = (word: string): boolean =>
  /(^|[^aeiouy])[aeiouy][^aeiouywxY]$/.test(word) || /^[aeiouy][^aeiouy]$/.test(word);

/** Where the part after the first consonant that follows a vowel begins. */
function regionAfter(word: string, from: number): number {
  const found = /[aeiouy][^aeiouy]/.exec(word.slice(from));
  return found ? from + found.index + 2 : word.length;
}

function plural(word: string): string {
  if (word.endsWith('sses')) return word.slice(0, -2);
  if (/ie[ds]$/.test(word)) return word.slice(0, word.length > 4 ? -2 : -1);
  if (/[us]s$/.test(word)) return word;
  return word.endsWith('s') && vowel.test(word.slice(0, -2)) ? word.slice(0, -1) : word;
}

function past(word: string, r1: number): string {
  const eed = /eed(ly)?$/.exec(word);
  if (eed) return eed.index >= r1 ? `${word.slice(0, eed.index)}ee` : word;
  const ending = /(ed|edly|ing|ingly)$/.exec(word);
  if (!ending || !vowel.test(word.slice(0, ending.index))) return word;
  const stem = word.slice(0, ending.index);
  if (/(at|bl|iz)$/.test(stem)) return `${stem}e`;
  if (/(bb|dd|ff|gg|mm|nn|pp|rr|tt)$/.test(stem)) return stem.slice(0, -1);
  return r1 >= stem.length && isShort(stem) ? `${stem}e` : stem;
}

function ending(word: string, list: readonly (readonly [string, string])[], r1: number, r2: number): string {
  const found = list.find(([end]) => word.endsWith(end));
  if (!found) return word;
  const at = word.length - found[0].length;
  const before = word[at - 1] ?? '';
  const holds =
    at >= r1 &&
    (found[0] !== 'ogi' || before === 'l') &&
    (found[0] !== 'li' || /[cdeghkmnrt]/.test(before)) &&
    (found[0] !== 'ative' || at >= r2);
  return holds ? word.slice(0, at) + found[1] : word;
}

function suffix(word: string, r2: number): string {
  const found = fourth.find((end) => word.endsWith(end));
  if (!found) return word;
  const at = word.length - found.length;
  return at >= r2 && (found !== 'ion' || /[st]/.test(word[at - 1] ?? '')) ? word.slice(0, at) : word;
}

function last(word: string, r1: number, r2: number): string {
  const at = word.length - 1;
  if (word.endsWith('e') && (at >= r2 || (at >= r1 && !isShort(word.slice(0, at))))) return word.slice(0, at);
  return word.endsWith('ll') && at >= r2 ? word.slice(0, at) : word;
}

/** The stem of a word in small letters. */
export function stem(given: string): string {
  if (given.length <= 2) return given;
  const exception = exceptions.get(given);
  if (exception !== undefined) return exception;
  let word = given.replace(/^'/, '').replace(/^y|(?<=[aeiouy])y/g, 'Y');
  const start = /^(gener|commun|arsen)/.exec(word)?.[0].length;
  const r1 = start ?? regionAfter(word, 0);
  const r2 = regionAfter(word, r1);
  word = plural(word.replace(/'(s'?)?$/, ''));
  if (leftAlone.has(word)) return word;
  word = past(word, r1);
  if (/.[^aeiouy][yY]$/.test(word)) word = `${word.slice(0, -1)}i`;
  word = ending(word, second, r1, r2);
  word = ending(word, third, r1, r2);
  word = last(suffix(word, r2), r1, r2);
  return word.replaceAll('Y', 'y');
}
