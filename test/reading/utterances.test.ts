import { describe, expect, it } from '@jest/globals';
import { sameSlots } from './compare.js';
import { FILES, linesOf, readingOf, type Line } from './corpus.js';

const BUILT = ['checkIn', 'service', 'review', 'points', 'help', 'none'];
/** Readings that write something: none of them may come out wrongly. */
const RECORDS = [
  'service.report',
  'checkIn.request',
  'review.approve',
  'review.reject',
  'service.withdraw',
  'review.reverse',
  'group.bind',
  'points.award',
  'points.deduct',
];

const right = (line: Line): boolean => {
  const got = readingOf(line);
  return got.intent === line.intent && sameSlots(line.slots, got.slots);
};

describe.each(FILES)('the messages of %s', (file) => {
  const lines = linesOf(file);

  it.each(BUILT.filter((flow) => lines.some((l) => l.flow === flow)))(
    'flow %s is read as meant, 97 of 100 at least',
    (flow) => {
      const ours = lines.filter((l) => l.flow === flow);
      const wrong = ours.filter((l) => !right(l));
      const shown = wrong.map(
        (l) => `${l.text}\n   meant ${l.intent} ${JSON.stringify(l.slots)}\n   read  ${JSON.stringify(readingOf(l))}`,
      );
      process.stdout.write(`${file} ${flow}: ${ours.length - wrong.length} of ${ours.length}\n`);
      if (wrong.length > 0) process.stdout.write(`${shown.join('\n')}\n`);
      expect(wrong.length / ours.length).toBeLessThanOrEqual(0.03);
    },
  );

  it('makes no wrong record of any message, of flows not built either', () => {
    const wrong = lines.filter((l) => {
      const got = readingOf(l);
      return RECORDS.includes(got.intent) && !(got.intent === l.intent && sameSlots(l.slots, got.slots));
    });
    const pending = [...new Set(lines.map((l) => l.flow))].filter((f) => !BUILT.includes(f));
    process.stdout.write(`${file} pending flows: ${pending.join(', ') || 'none'}\n`);
    expect(wrong.map((l) => `${l.text} → ${JSON.stringify(readingOf(l))}`)).toEqual([]);
  });
});
