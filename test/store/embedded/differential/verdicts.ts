import type { Document } from 'bson';
import type { Arrivals } from './arrivals.js';
import type { Again, Further } from './asking.js';
import type { Operation } from './generate.js';
import { type Outcome, shown } from './perform.js';
import { expressions } from './verdicts/expressions.js';
import { type Fact, factsOf, sameItems } from './verdicts/facts.js';
import { groups } from './verdicts/groups.js';
import { type Json, type JsonDoc, isDoc, isList, parse, same, text } from './verdicts/json.js';
import { type Modelled, modelOf, stageAt } from './verdicts/model/stages.js';
import { projections } from './verdicts/projections.js';
import { explainedByMatching, queries, refusedByMatching } from './verdicts/queries.js';
import { docOf, listOf } from './verdicts/request.js';
import type { Seen, Verdict } from './verdicts/rule.js';
import { stages } from './verdicts/stages.js';
import { windows } from './verdicts/windows.js';
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
  readonly further: Further;
}

/** What is known of the second server where it departs from MongoDB's documentation. */
export const verdicts: readonly Verdict[] = [
  ...updates,
  ...queries,
  ...groups,
  ...windows,
  ...stages,
  ...projections,
  ...expressions,
];

const docs = (v: Json): readonly JsonDoc[] => (isList(v) ? v.filter(isDoc) : []);

/** How many documents of two lists, told apart by _id, are not the same in both. */
function changes(before: readonly JsonDoc[], after: readonly JsonDoc[]): number {
  const ids = new Set([...before, ...after].map((doc) => text(doc['_id'])));
  const of = (list: readonly JsonDoc[], id: string): JsonDoc | undefined => list.find((doc) => text(doc['_id']) === id);
  return [...ids].filter((id) => !same(of(before, id), of(after, id))).length;
}

const sortedRows = (outcome: Outcome): Outcome =>
  'result' in outcome ? { result: `[${docs(parse(outcome.result)).map(text).toSorted().join(',')}]` } : outcome;

type Named = (path: readonly string[]) => readonly string[];
/** Names a path in what comes to a stage as the documents have it, where it is a field of theirs as it is. */
function pathsIn(pipeline: readonly Document[]): Named {
  const rows = docOf(docOf(parse(shown(pipeline.at(-1))))['$replaceWith']);
  const fieldOf = (v: Json | undefined): readonly string[] | undefined => {
    const operand = listOf(docOf(v)['$ifNull'])[0] ?? v;
    return typeof operand === 'string' && /^\$\w/.test(operand) ? operand.slice(1).split('.') : undefined;
  };
  const operandAt = (v: Json | undefined, [step, ...rest]: readonly string[]): readonly [Json | undefined, number] => {
    const part = isList(v) ? v[Number(step)] : docOf(v)[step ?? ''];
    const [operand, steps] = isDoc(part) || isList(part) ? operandAt(part, rest) : [part, 0];
    return [fieldOf(part) === undefined ? operand : part, fieldOf(part) === undefined ? steps + 1 : 1];
  };
  return (path) => {
    if (path[0] === '_id') return path;
    const [operand, steps] = path.length === 0 ? [undefined, 0] : operandAt(rows, path);
    const field = fieldOf(operand);
    return field === undefined ? path : [...field, ...path.slice(steps)];
  };
}

/** The model of a stage, if both servers tell what comes to it. */
function modelled(difference: Difference, { at, pipeline, ours, theirs }: Arrivals): readonly Modelled[] {
  if (!('result' in ours)) return [];
  const { operation, further } = difference;
  const { name, spec, earlier, facet } = stageAt(docOf(parse(shown(operation)))['pipeline'], at);
  const [mine, other] = [sortedRows(ours), sortedRows(theirs)];
  const arrivals = further.arrivals.filter((arrival) => arrival.pipeline.length < pipeline.length);
  const vouched =
    ('result' in mine && 'result' in other && mine.result === other.result) ||
    verdictsOf(
      {
        ...difference,
        operation: { kind: 'aggregate', pipeline: [...pipeline] },
        ours: mine,
        theirs: other,
        further: { arrivals },
      },
      pathsIn(pipeline),
    ) !== undefined;
  return name === ''
    ? []
    : [{ name, facet, vouched, ...modelOf(name, spec, earlier, docs(parse(ours.result)), facet) }];
}

/** The documents that each server finds by the filter, by their _id. */
function foundOf({ found }: Further): Seen['found'] {
  if (found === undefined || 'code' in found.ours || 'code' in found.theirs) return undefined;
  const [ours, theirs] = [found.ours, found.theirs].map(({ result }) =>
    docs(parse(result)).map((doc) => text(doc['_id'])),
  );
  return { ours: new Set(ours), theirs: new Set(theirs) };
}

/** Whether the second server answers a request that comes to the same as the engine does. */
function isAlike(difference: Difference, again: Again | undefined): boolean {
  if (again === undefined || !('result' in difference.ours) || !('result' in again.theirs)) return false;
  const stateTheirs = again.stored ?? difference.stateTheirs;
  const alike = difference.ours.result === again.theirs.result && difference.stateOurs === stateTheirs;
  return alike || verdictsOf({ ...difference, ...again, stateTheirs }) !== undefined;
}
/** Whether it does once all decimals are doubles, numbers of all types being one. */
const isAlikeInDoubles = ({ ours, further: { doubled } }: Difference): boolean =>
  doubled !== undefined &&
  'result' in ours &&
  'result' in doubled &&
  sameItems(listOf(parse(ours.result)), listOf(parse(doubled.result)));

function seenOf(difference: Difference, named: Named = (path) => path): Seen {
  const { operation, ours, theirs, before, stateOurs, stateTheirs } = difference;
  const [x, y] = [ours, theirs].map((o) => ('result' in o ? parse(o.result) : undefined));
  const [was, stored, storedTheirs] = [before, stateOurs || '[]', stateTheirs || '[]'].map(parse) as [Json, Json, Json];
  // Where one side refused, the states differ by what the other wrote.
  const facts: readonly Fact[] =
    x === undefined || y === undefined
      ? []
      : [...factsOf('answer', x, y), ...factsOf('stored', stored, storedTheirs)].map((fact) => ({
          ...fact,
          path: named(fact.path),
        }));
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
    found: foundOf(difference.further),
    refusedWhole: 'code' in (difference.further.found?.theirs ?? {}),
    refusedEarlier: (difference.further.beginnings ?? []).some((outcome) => 'code' in outcome),
    alike: {
      named: isAlike(difference, difference.further.named),
      parted: isAlike(difference, difference.further.parted),
      dated: isAlike(difference, difference.further.dated),
      doubled: isAlikeInDoubles(difference),
    },
    models: facts.length === 0 ? [] : difference.further.arrivals.flatMap((arrival) => modelled(difference, arrival)),
  };
}

/** The kinds of a difference that is understood: one, or as many as explain all of it; undefined where some of it is left. */
export function verdictsOf(difference: Difference, named?: Named): readonly string[] | undefined {
  const s = seenOf(difference, named);
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
