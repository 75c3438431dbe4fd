import type { Fact } from './facts.js';
import { isDoc, isList, type Json, text } from './json.js';
import type { Modelled } from './model/stages.js';
import { accumulatorsOf, docOf, listOf } from './request.js';
import type { Seen } from './rule.js';

/** The pipeline of a request, be it an update's. */
export const pipelineOf = ({ operation }: Seen): Json | undefined =>
  isList(operation['update']) ? operation['update'] : operation['pipeline'];

/** Whether one of some accumulators makes the field at a fact's path. */
export const isAccumulated = (f: Fact, s: Seen, ...names: readonly string[]): boolean =>
  accumulatorsOf(pipelineOf(s)).some(({ field, operator }) => f.path.includes(field) && names.includes(operator));

export const withoutNulls = (v: readonly Json[]): readonly Json[] => v.filter((item) => item !== null);
export const idOf = (v: Json | undefined): Json | undefined => docOf(v)['_id'];

/** Rows of the answer that a $group of $group, $facet or a row itself may have made. */
export const rowsOf = (v: Json | undefined): readonly Json[] =>
  listOf(v).flatMap((row) => [
    row,
    ...(isDoc(row) ? Object.values(row).flatMap((part) => (isList(part) ? part : [])) : []),
  ]);

/** A value without the fields that are null. */
const bareOf = (v: Json | undefined): Json =>
  isList(v)
    ? v.map(bareOf)
    : isDoc(v)
      ? Object.fromEntries(
          Object.entries(v)
            .filter(([, part]) => part !== null)
            .map(([name, part]) => [name, bareOf(part)]),
        )
      : (v ?? null);
/** The text of that. */
export const bare = (v: Json | undefined): string => text(bareOf(v));

const makes = (model: Modelled, field: string | undefined): field is string =>
  field !== undefined && (model.fields.includes(field) || (field === '_id' && model.grouping));
/** The document that a stage makes and the field of it in which a fact lies; undefined for what another stage makes. */
function madeBy(
  model: Modelled,
  { path: [first, second], row, near }: Fact,
): readonly [Json | undefined, string] | undefined {
  if (model.facet === undefined && makes(model, first)) return [row, first];
  // What a stage before $facet makes lies in the fields of that.
  return (model.facet === undefined || model.facet === first) && makes(model, second) ? [near, second] : undefined;
}

/** Whether the engine has at a fact's path what the last stage that makes it may give, of what comes to that stage. */
export function isRight(f: Fact, s: Seen): boolean {
  const model = s.models.findLast((m) => madeBy(m, f) !== undefined);
  const made = model && madeBy(model, f);
  return model !== undefined && made !== undefined && model.vouched && model.permits(...made);
}

/** Whether a document is as the stage that makes it may give it, in all of its fields. */
export function isRightRow(row: Json | undefined, s: Seen): boolean {
  const { models } = s;
  const fields = Object.keys(docOf(row));
  const made = fields.map((field) => [field, models.findLast((m) => makes(m, field))] as const);
  return (
    fields.includes('_id') &&
    made.every(([field, model]) => model === undefined || (model.vouched && model.permits(row, field))) &&
    made.some(([, model]) => model !== undefined)
  );
}
