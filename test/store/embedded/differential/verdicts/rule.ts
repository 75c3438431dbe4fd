import type { Operation } from '../generate.js';
import type { Fact } from './facts.js';
import type { Json, JsonDoc } from './json.js';
import type { Modelled } from './model/stages.js';
import { holds } from './request.js';

/** A difference as the verdicts look at it. */
export interface Seen {
  readonly operation: JsonDoc;
  readonly kind: Operation['kind'];
  readonly before: readonly JsonDoc[];
  /** How many of the documents the engine changed, added or removed. */
  readonly changed: number;
  /** The answers; undefined where a side refused, and then the code and the text of that. */
  readonly ours: Json | undefined;
  readonly theirs: Json | undefined;
  readonly code: number | undefined;
  readonly theirCode: number | undefined;
  readonly message: string;
  readonly theirMessage: string;
  readonly stateTheirs: Json;
  readonly facts: readonly Fact[];
  /** The documents that each server finds by the filter in a copy of what was stored, by the text of their _id. */
  readonly found: { readonly ours: ReadonlySet<string>; readonly theirs: ReadonlySet<string> } | undefined;
  /** Whether the second server answers as the engine does what comes to the same: see `Further`. */
  readonly alike: {
    readonly named: boolean;
    readonly parted: boolean;
    readonly dated: boolean;
    readonly doubled: boolean;
  };
  /** Whether the second server refuses the filter where it looks at all documents. */
  readonly refusedWhole: boolean;
  /** Whether the second server refuses a beginning of the pipeline. */
  readonly refusedEarlier: boolean;
  /** Stages of the pipeline that look at many documents, and what they may give. */
  readonly models: readonly Modelled[];
}

/** A kind of difference in which the second server departs from MongoDB's documentation. */
export interface Verdict {
  readonly name: string;
  /** The page that decides. */
  readonly page: string;
  /** Where a side refused: whether this is why. */
  readonly refusal?: (s: Seen) => boolean;
  /** Where both answered: whether this explains one of the facts. All need to be explained. */
  readonly fact?: (f: Fact, s: Seen) => boolean;
  /** Whether the second server may take a document for another filter's, or leave it out. */
  readonly matching?: (doc: JsonDoc, s: Seen) => boolean;
}

const manual = 'https://www.mongodb.com/docs/manual/';
export const page = (path: string): string => `${manual}${path}`;
export const operator = (name: string): string => `${manual}reference/operator/${name}/`;

export const has = (s: Seen, ...keys: readonly string[]): boolean => holds(s.operation, ...keys);

/** A refusal by codes and by the words of both servers; undefined for the code: that side answers. */
export const refusal =
  (
    ours: readonly [number, RegExp] | undefined,
    theirs: readonly [number | readonly number[], RegExp] | undefined,
    more: (s: Seen) => boolean = () => true,
  ) =>
  (s: Seen): boolean =>
    (ours === undefined ? s.ours !== undefined : s.code === ours[0] && ours[1].test(s.message)) &&
    (theirs === undefined
      ? s.theirs !== undefined
      : s.theirCode !== undefined && [theirs[0]].flat().includes(s.theirCode) && theirs[1].test(s.theirMessage)) &&
    more(s);
