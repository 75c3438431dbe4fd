import { type Variables } from '../aggregate/expression.js';
import type { Collation } from '../bson/collation.js';
import { isDoc, typeName } from '../bson/types.js';
import type { Doc, Value } from '../bson/value.js';
import { arrayFilters } from './array-filters.js';
import { bad, type Change, failed, REMOVE, show } from './change.js';
import { assertSameId, withId } from './id.js';
import { operators } from './operators/index.js';
import { assertNoConflict, comparePaths, mayMeet, partsOf } from './path.js';
import { pipelineUpdate } from './pipeline.js';
import { renamed, renamePaths } from './rename.js';
import { replacement } from './replacement.js';
import { base } from './upsert.js';
import { changed, placesOf } from './walk.js';

export interface UpdateOptions {
  readonly arrayFilters?: readonly Doc[];
  readonly let?: Doc;
  readonly collation?: Collation | undefined;
  readonly multi: boolean;
  readonly now: Date;
}

export interface Update {
  readonly isReplacement: boolean;
  /** The new document; the same reference if nothing changed. `positional`: where the query matched in an array. */
  apply(doc: Doc, positional?: number): Doc;
  /** The document that an upsert inserts: what the filter says is equal, then the update. */
  insertFor(filter: Doc): Doc;
}

interface Step {
  readonly operator: string;
  readonly path: string;
  readonly parts: readonly string[];
  readonly change: Change;
  /** $rename: where the value goes. */
  readonly to?: readonly string[];
}

/** The steps of one operator, one a path. */
function stepsOf(operator: string, operand: Value, options: UpdateOptions): Step[] {
  const compile = operators.get(operator);
  if (!compile && operator !== '$rename')
    throw failed(
      `Unknown modifier: ${operator}. Expected a valid update modifier or pipeline-style update specified as an array`,
    );
  if (!isDoc(operand))
    throw failed(
      `Modifiers operate on fields but we found type ${typeName(operand)} instead. For example: {$mod: {<field>: ...}} not {${operator}: ${show(operand)}}`,
    );
  return Object.entries(operand).map(([path, v]) =>
    compile
      ? { operator, path, parts: partsOf(path), change: compile(v, path, options) }
      : { operator, path, ...renamePaths(path, v), change: () => REMOVE },
  );
}

/** The path with `$` as the place where the query matched. @throws {EngineError} 2: it matched in no array */
function matched(parts: readonly string[], positional: number | undefined): readonly string[] {
  const at = parts.indexOf('$');
  if (at === -1) return parts;
  if (positional === undefined) throw bad('The positional operator did not find the match needed from the query.');
  return parts.with(at, String(positional));
}

/**
 * Compiles an update: operators, a replacement or a pipeline.
 *
 * @throws {EngineError} 9: no such operator; 40: two operators on one path; 14, 2: an operand of the wrong kind
 */
export function compileUpdate(update: Doc | readonly Value[], options: UpdateOptions): Update {
  const variables: Variables = { now: options.now, let: options.let ?? {}, collation: options.collation };
  if (Array.isArray(update)) return pipelineUpdate(update, variables);
  const document = update as Doc;
  const keys = Object.keys(document);
  const modifying = keys[0]?.startsWith('$') === true;
  if (!modifying) return replacement(document, options);
  const steps = Object.entries(document)
    .flatMap(([operator, operand]) => stepsOf(operator, operand, options))
    // $rename stands where its new field does.
    .toSorted((a, b) => comparePaths(a.to ?? a.parts, b.to ?? b.parts));
  const named = steps.flatMap(({ parts, to }) => (to ? [parts, to] : [parts]));
  assertNoConflict(named);
  const filters = arrayFilters(options.arrayFilters ?? [], named, options.collation);
  const meeting = mayMeet(named);
  const run = (doc: Doc, inserting: boolean, positional: number | undefined): Doc => {
    if (meeting) assertNoConflict(steps.flatMap(({ parts }) => placesOf(doc, matched(parts, positional), filters)));
    let out = doc;
    for (const step of steps) {
      if (step.operator === '$setOnInsert' && !inserting) continue;
      const walk = { lenient: step.operator === '$unset', inserting, filters, path: step.path };
      if (step.to) {
        const value = renamed(out, step.parts, 'source');
        if (value === undefined) continue;
        renamed(out, step.to, 'destination');
        out = changed(out, step.parts, 0, () => REMOVE, walk) as Doc;
        out = changed(out, step.to, 0, () => value, walk) as Doc;
      } else {
        const result = changed(out, matched(step.parts, positional), 0, step.change, walk, doc);
        if (result !== REMOVE) out = result as Doc;
      }
    }
    return out;
  };
  return {
    isReplacement: false,
    apply(doc, positional) {
      const after = run(doc, false, positional);
      assertSameId(doc, after);
      return after;
    },
    insertFor: (filter) => {
      const start = base(filter);
      const made = run(start, true, undefined);
      if (start['_id'] !== undefined) assertSameId(start, made);
      return withId(made);
    },
  };
}
