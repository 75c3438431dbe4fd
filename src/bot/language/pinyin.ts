import { pinyin } from 'pinyin-pro';

const known = new Map<string, string>();

/** A character's usual syllable, without tone; other signs stand for themselves. */
function syllable(character: string): string {
  let s = known.get(character);
  if (s === undefined) {
    s = pinyin(character, { toneType: 'none', v: true });
    if (known.size < 20_000) known.set(character, s);
  }
  return s;
}

/** The sound of a word, character by character: `爆到` and `报到` are one. */
export const soundOf = (text: string): string => [...text].map(syllable).join(' ');
