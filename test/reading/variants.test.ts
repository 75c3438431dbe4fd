import { describe, expect, it } from '@jest/globals';
import { Converter } from 'opencc-js/cn2t';
import { sameSlots } from './compare.js';
import { FILES, linesOf, readingOf } from './corpus.js';

/** Every letter, digit and mark of ASCII in the width of a Chinese character. */
const fullWidth = (text: string): string =>
  text.replace(/[!-~]/g, (c) => String.fromCharCode(c.charCodeAt(0) + 0xfee0));

const toTraditional = Converter({ from: 'cn', to: 'hk' });
const toTaiwan = Converter({ from: 'cn', to: 'tw' });

/** All messages with `VARIANTS=all`, otherwise one of six: the reading of each is compared ten times. */
const every = process.env['VARIANTS'] === 'all' ? 1 : 6;
const plain = FILES.flatMap(linesOf)
  .filter((_, i) => i % every === 0)
  .map((line) => ({ line, reading: readingOf(line) }));

describe('a message reads the same', () => {
  const different = (written: (text: string) => string): string[] =>
    plain.flatMap(({ line, reading }) => {
      const text = written(line.text);
      const other = readingOf({ ...line, text });
      return other.intent === reading.intent && sameSlots(reading.slots, other.slots)
        ? []
        : [`${text} → ${JSON.stringify(other)}, but ${JSON.stringify(reading)}`];
    });

  it.each<[string, (text: string) => string]>([
    ['in full-width signs', fullWidth],
    ['with ideographic spaces', (text) => text.replaceAll(' ', '\u3000')],
    ['with the spaces that mentions leave', (text) => text.replaceAll(' ', '\u2005')],
    ['with every space doubled', (text) => text.replaceAll(' ', '  ')],
    ['with spaces at both ends', (text) => ` ${text}\u3000`],
    ['with zero-width signs between', (text) => [...text].join('\u200b')],
    ['with a flower after it', (text) => `${text}🌹`],
    ['in the traditional characters of Hong Kong', toTraditional],
    ['in the traditional characters of Taiwan', toTaiwan],
    ['in Windows line ends', (text) => text.replaceAll('\n', '\r\n')],
  ])('%s', (_, written) => expect(different(written)).toEqual([]));
});
