import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { z } from 'zod';
import { rulesFile } from '../../../src/paths.js';

const Signs = z.array(z.strictObject({ pattern: z.string(), item: z.string() }));
const ItemFile = z.strictObject({
  items: z.record(z.string(), z.array(z.string())),
  overrides: Signs.default([]),
  signs: Signs,
});

export interface FoundItem {
  readonly item: string;
  readonly from: number;
  readonly to: number;
  /** Told by what was done; no listed word names it. */
  readonly bySign: boolean;
}

interface Sign {
  readonly pattern: RegExp;
  readonly item: string;
}

interface Table {
  readonly words: readonly [string, string][];
  readonly parted: ReadonlyMap<string, string>;
  readonly overrides: readonly Sign[];
  readonly signs: readonly Sign[];
}

function load(): Table {
  const file = rulesFile('service-items.yaml');
  const parsed = ItemFile.safeParse(parse(readFileSync(file, 'utf8')));
  if (!parsed.success) throw new Error(`${file}: ${z.prettifyError(parsed.error)}`);
  const { items, overrides, signs } = parsed.data;
  const words = Object.entries(items).flatMap(([item, aliases]): [string, string][] => [
    [item, item],
    ...aliases.map((a): [string, string] => [a, item]),
  ]);
  for (const { item } of [...overrides, ...signs])
    if (!(item in items)) throw new Error(`${file}: a sign names ${item}, which is no item`);
  const compiled = (listed: readonly { pattern: string; item: string }[]): Sign[] =>
    listed.map((s) => ({ pattern: new RegExp(s.pattern), item: s.item }));
  // `站完岗`, `理了发`: what stands between the two characters of a verb and its object.
  const parted = words
    .filter(([w]) => w.length === 2)
    .flatMap(([w, item]) => [...'完了过个好'].map((c): [string, string] => [`${w[0]}${c}${w[1]}`, item]));
  return {
    parted: new Map(parted),
    words: words.toSorted(([a], [b]) => b.length - a.length),
    overrides: compiled(overrides),
    signs: compiled(signs),
  };
}

const table = load();

/** Between two services of one report. */
export const JOINS = /^\s*(?:和|跟|与|及|以及|还有|、|,|\+|加上?|兼)\s*$/;

/**
 * The items that a text names, in order: listed words first, then what was done. Beside an item's own name the words that
 * tell what it was are not listed, unless they are joined to it (`护学和守桶`) or `all` are asked for.
 */
export function findItems(text: string, all = false): FoundItem[] {
  const found: FoundItem[] = [];
  for (const { pattern, item } of table.overrides) {
    const m = pattern.exec(text);
    if (m) found.push({ item, from: m.index, to: m.index + m[0].length, bySign: false });
  }
  for (const [word, item] of table.words) {
    const from = text.indexOf(word);
    if (from >= 0 && !found.some((f) => from < f.to && from + word.length > f.from))
      found.push({ item, from, to: from + word.length, bySign: false });
  }
  if (found.length > 0) {
    const inOrder = found.toSorted((a, b) => a.from - b.from);
    const isNamed = (f: FoundItem | undefined): boolean => f !== undefined && text.slice(f.from, f.to) === f.item;
    if (all || !inOrder.some(isNamed)) return inOrder;
    const joined = (a: FoundItem | undefined, b: FoundItem | undefined): boolean =>
      a !== undefined && b !== undefined && (isNamed(a) || isNamed(b)) && JOINS.test(text.slice(a.to, b.from));
    return inOrder.filter((f, i) => isNamed(f) || joined(inOrder[i - 1], f) || joined(f, inOrder[i + 1]));
  }
  for (const m of text.matchAll(/\p{Script=Han}[完了过个好]\p{Script=Han}/gu)) {
    const item = table.parted.get(m[0]);
    if (item !== undefined) return [{ item, from: m.index, to: m.index + m[0].length, bySign: false }];
  }
  const sign = table.signs.find(({ pattern }) => pattern.test(text));
  const m = sign?.pattern.exec(text);
  return sign && m ? [{ item: sign.item, from: m.index, to: m.index + m[0].length, bySign: true }] : [];
}
