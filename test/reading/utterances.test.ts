import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import * as checkIn from '../../bot-scripts/lib/reading/check-in.js';
import * as group from '../../bot-scripts/lib/reading/group.js';
import * as help from '../../bot-scripts/lib/reading/help.js';
import * as points from '../../bot-scripts/lib/reading/points.js';
import * as review from '../../bot-scripts/lib/reading/review.js';
import { serviceList, serviceReport } from '../../bot-scripts/lib/reading/service.js';
import type { ReadContext } from '../../src/bot/grammar.js';
import { createReader } from '../../src/bot/reader.js';
import { root } from '../../src/paths.js';
import { sameSlots } from './compare.js';

const Line = z.object({
  flow: z.string(),
  text: z.string(),
  intent: z.string(),
  slots: z.record(z.string(), z.unknown()),
  note: z.string(),
});
type Line = z.infer<typeof Line>;

const read = (file: string): Line[] =>
  readFileSync(join(root, 'test/data', file), 'utf8')
    .trim()
    .split('\n')
    .map((line) => Line.parse(JSON.parse(line)));

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

const grammars = [
  checkIn.checkIn,
  serviceReport,
  serviceList,
  ...Object.values(group),
  ...Object.values(help),
  ...Object.values(points),
  review.reviewList,
  review.approve,
  review.reject,
  review.revoke,
  review.undo,
];
const reader = createReader(grammars, { botNames: ['网格小助手'] });
const names = new Set(['王秀兰', '张三', '李四', '陈桂芳', '李国强', '赵志强']);
const roster = {
  has: (name: string) => names.has(name),
  prefixOf: (text: string) => [4, 3, 2].map((n) => text.slice(0, n)).find((n) => names.has(n)),
};

function contextOf({ flow, note }: Line): ReadContext {
  const place = note.startsWith('private') ? 'private' : 'group';
  const byFlow = ['review', 'notice'].includes(flow)
    ? 'leader'
    : ['statistics', 'feedback'].includes(flow)
      ? 'secretary'
      : 'member';
  const role = /secretary/.test(note) ? 'secretary' : /leader|staff/.test(note) ? 'leader' : byFlow;
  return {
    now: new Date('2026-11-25T10:00:00+08:00'),
    zone: 'Asia/Shanghai',
    place,
    addressed: place === 'private',
    role,
    names: roster,
    open: 'all',
  };
}

/** As `POST /api/sandbox/read` presents a reading. */
function readingOf(line: Line): { intent: string; slots: Record<string, unknown> } {
  const { intent, slots } = reader.read({ text: line.text, mentionsBot: false, mentions: [] }, contextOf(line));
  return intent === 'unknown' ? { intent: 'ignore', slots: {} } : { intent, slots };
}

const right = (line: Line): boolean => {
  const got = readingOf(line);
  return got.intent === line.intent && sameSlots(line.slots, got.slots);
};

describe.each(['utterances.jsonl', 'more-utterances.jsonl', 'messages-by-flow.jsonl'])('the messages of %s', (file) => {
  const lines = read(file);

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
