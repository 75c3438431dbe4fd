import { createHash } from 'node:crypto';
import { type Document, EJSON } from 'bson';
import type { Operation } from './generate.js';
import { type Outcome, shown } from './perform.js';

/** A scene as it is kept: each operation with the right answer to it, and what is stored after it. */
export interface RecordedScene {
  readonly documents: Document[];
  readonly indexes: Document[];
  readonly steps: readonly { readonly operation: Operation; readonly answer: string; readonly stored?: string }[];
}

/** Longer texts are kept as their digest. */
const LONGEST = 150;

export const brief = (text: string): string =>
  text.length <= LONGEST ? text : `sha1 ${createHash('sha1').update(text).digest('base64').slice(0, 16)}`;

/** The code of an error, not its text: that is each server's own. */
export const answerOf = (o: Outcome): string => brief('result' in o ? o.result : `error ${o.code}`);

export const writes = ({ kind }: Operation): boolean => !['find', 'count', 'distinct', 'aggregate'].includes(kind);

export const written = (scenes: readonly RecordedScene[]): string =>
  `[\n${scenes.map((s) => shown(s)).join(',\n')}\n]\n`;

export const read = (text: string): RecordedScene[] =>
  EJSON.parse(text, { relaxed: false }) as unknown as RecordedScene[];
