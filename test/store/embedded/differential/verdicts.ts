import type { Operation } from './generate.js';
import { type Outcome, shown } from './perform.js';
import { expressions } from './verdicts/expressions.js';
import { type Fact, factsOf } from './verdicts/facts.js';
import { type Json, type JsonDoc, isDoc, isList, parse, same, text } from './verdicts/json.js';
import { pipelines } from './verdicts/pipelines.js';
import { explainedByMatching, queries, refusedByMatching } from './verdicts/queries.js';
import { docOf } from './verdicts/request.js';
import type { Seen, Verdict } from './verdicts/rule.js';
import { updates } from './verdicts/updates.js';

/** A difference, as the runner comes upon it. */
export interface Difference {
  readonly operation: Operation;
  readonly ours: Outcome;
  readonly theirs: Outcome;
  /** The documents, as the engine had them before the operation and as both had them after a write, in JSON. */
  readonly before: string;
  readonly stateOurs: string;
  readonly stateTheirs: string;
}

/** What is known of the second server where it departs from MongoDB's documentation. */
export const verdicts: readonly Verdict[] = [...updates, ...queries, ...pipelines, ...expressions];

const docs = (v: Json): readonly JsonDoc[] => (isList(v) ? v.filter(isDoc) : []);

/** How many documents of two lists, told apart by _id, are not the same in both. */
function changes(before: readonly JsonDoc[], after: readonly JsonDoc[]): number {
  const ids = new Set([...before, ...after].map((doc) => text(doc['_id'])));
  const of = (list: readonly JsonDoc[], id: string): JsonDoc | undefined => list.find((doc) => text(doc['_id']) === id);
  return [...ids].filter((id) => !same(of(before, id), of(after, id))).length;
}

function seenOf({ operation, ours, theirs, before, stateOurs, stateTheirs }: Difference): Seen {
  const [x, y] = [ours, theirs].map((o) => ('result' in o ? parse(o.result) : undefined));
  const [was, stored, storedTheirs] = [before, stateOurs || '[]', stateTheirs || '[]'].map(parse) as [Json, Json, Json];
  // Where one side refused, the states differ by what the other wrote.
  const facts: readonly Fact[] =
    x === undefined || y === undefined ? [] : [...factsOf('answer', x, y), ...factsOf('stored', stored, storedTheirs)];
  return {
    operation: docOf(parse(shown(operation))),
    kind: operation.kind,
    before: docs(was),
    changed: changes(docs(was), docs(stored)),
    ours: x,
    theirs: y,
    code: 'code' in ours ? ours.code : undefined,
    theirCode: 'code' in theirs ? theirs.code : undefined,
    message: 'code' in ours ? ours.message : '',
    theirMessage: 'code' in theirs ? theirs.message : '',
    stateTheirs: storedTheirs,
    facts,
  };
}

/** The kinds of a difference that is understood: one, or as many as explain all of it; undefined where some of it is left. */
export function verdictsOf(difference: Difference): readonly string[] | undefined {
  const s = seenOf(difference);
  if (s.ours === undefined || s.theirs === undefined) {
    const why = verdicts.find((v) => v.refusal?.(s) === true || refusedByMatching(v, s));
    return why && [why.name];
  }
  const names = new Set<string>();
  for (const f of s.facts) {
    const why = verdicts.find((v) => v.fact?.(f, s) === true || explainedByMatching(v, s)(f));
    if (why === undefined) return undefined;
    names.add(why.name);
  }
  return names.size === 0 ? undefined : [...names];
}
