import { distance } from 'fastest-levenshtein';
import { soundOf } from './pinyin.js';

/** Command words that look or sound like the beginning of a text: at most three, the nearest first. Only suggested, never run. */
export function nearWords(text: string, words: readonly string[]): string[] {
  const [first = ''] = text.split(/[\s,:;?#\d]/u);
  if (first === '') return [];
  const sound = soundOf(first.slice(0, 6));
  return words
    .map((word) => {
      const written = Math.min(distance(first, word), distance(first.slice(0, word.length), word));
      const spoken = distance(sound.replaceAll(' ', ''), soundOf(word).replaceAll(' ', '')) / 3;
      return { word, far: Math.min(written, spoken) };
    })
    .filter(
      ({ word, far }) => far <= (word.length <= 2 ? 1 : 1.4) && (far < 1 || [...word].some((c) => first.includes(c))),
    )
    .toSorted((a, b) => a.far - b.far || a.word.length - b.word.length)
    .slice(0, 3)
    .map(({ word }) => word);
}
