import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { z } from 'zod';
import { rulesFile } from '../../../src/paths.js';

const ItemFile = z.strictObject({
  items: z.record(z.string(), z.array(z.string())),
  signs: z.array(z.strictObject({ pattern: z.string(), item: z.string() })),
});

export interface FoundItem {
  readonly item: string;
  readonly from: number;
  readonly to: number;
  /** Told by what was done; no listed word names it. */
  readonly bySign: boolean;
}

function load(): { words: readonly [string, string][]; signs: readonly { pattern: RegExp; item: string }[] } {
  const file = rulesFile('service-items.yaml');
  const parsed = ItemFile.safeParse(parse(readFileSync(file, 'utf8')));
  if (!parsed.success) throw new Error(`${file}: ${z.prettifyError(parsed.error)}`);
  const { items, signs } = parsed.data;
  const words = Object.entries(items).flatMap(([item, aliases]): [string, string][] => [
    [item, item],
    ...aliases.map((a): [string, string] => [a, item]),
  ]);
  for (const { item } of signs)
    if (!(item in items)) throw new Error(`${file}: a sign names ${item}, which is no item`);
  return {
    words: words.toSorted(([a], [b]) => b.length - a.length),
    signs: signs.map((s) => ({ pattern: new RegExp(s.pattern), item: s.item })),
  };
}

const table = load();

/** The items that a text names, in order: listed words first, then what was done. */
export function findItems(text: string): FoundItem[] {
  const found: FoundItem[] = [];
  for (const [word, item] of table.words) {
    const from = text.indexOf(word);
    if (from >= 0 && !found.some((f) => from < f.to && from + word.length > f.from))
      found.push({ item, from, to: from + word.length, bySign: false });
  }
  if (found.length > 0) {
    const canonical = found.filter((f) => text.slice(f.from, f.to) === f.item);
    return (canonical.length > 0 ? canonical : found).toSorted((a, b) => a.from - b.from);
  }
  const sign = table.signs.find(({ pattern }) => pattern.test(text));
  const m = sign?.pattern.exec(text);
  return sign && m ? [{ item: sign.item, from: m.index, to: m.index + m[0].length, bySign: true }] : [];
}
