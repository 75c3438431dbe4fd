import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import * as checkIn from '../../bot-scripts/lib/reading/check-in.js';
import * as group from '../../bot-scripts/lib/reading/group.js';
import * as help from '../../bot-scripts/lib/reading/help.js';
import * as points from '../../bot-scripts/lib/reading/points.js';
import * as review from '../../bot-scripts/lib/reading/review.js';
import { serviceList, serviceReport } from '../../bot-scripts/lib/reading/service.js';
import type { Grammar, ReadContext } from '../../src/bot/grammar.js';
import { createReader } from '../../src/bot/reader.js';
import { root } from '../../src/paths.js';

const Line = z.object({
  flow: z.string(),
  text: z.string(),
  intent: z.string(),
  slots: z.record(z.string(), z.unknown()),
  note: z.string(),
});
export type Line = z.infer<typeof Line>;

/** The messages of one file of test/data. */
export const linesOf = (file: string): Line[] =>
  readFileSync(join(root, 'test/data', file), 'utf8')
    .trim()
    .split('\n')
    .map((line) => Line.parse(JSON.parse(line)));

export const FILES = ['utterances.jsonl', 'more-utterances.jsonl', 'messages-by-flow.jsonl', 'everyday-messages.jsonl'];

/** What the bot can read, in the order it is tried in. */
export const grammars: Grammar[] = [
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
export function readingOf(line: Line): { intent: string; slots: Record<string, unknown> } {
  const { intent, slots } = reader.read({ text: line.text, mentionsBot: false, mentions: [] }, contextOf(line));
  return intent === 'unknown' ? { intent: 'ignore', slots: {} } : { intent, slots };
}
