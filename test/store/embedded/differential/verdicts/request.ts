import { isDoc, isList, type Json, type JsonDoc, some } from './json.js';

/** What a request says, read from its JSON. */
export interface Clause {
  readonly path: string;
  readonly operator: string;
  readonly operand: Json;
  /** The operators it stands in, the outermost first. */
  readonly inside: readonly string[];
}

export const docOf = (v: Json | undefined): JsonDoc => (isDoc(v) ? v : {});
export const listOf = (v: Json | undefined): readonly Json[] => (isList(v) ? v : []);

/** Whether a key stands anywhere in a value. */
export const holds = (v: Json, ...keys: readonly string[]): boolean =>
  some(v, (part) => isDoc(part) && keys.some((key) => key in part));

/** The conditions of a filter, one by one. */
export function clausesOf(filter: Json, inside: readonly string[] = [], at = ''): readonly Clause[] {
  return Object.entries(docOf(filter)).flatMap(([key, v]): readonly Clause[] => {
    if (['$and', '$or', '$nor'].includes(key))
      return listOf(v).flatMap((part) => clausesOf(part, [...inside, key], at));
    if (key === '$expr') return [{ path: at, operator: key, operand: v, inside }];
    return conditionsAt(at === '' ? key : `${at}.${key}`, v, inside);
  });
}
function conditionsAt(path: string, v: Json, inside: readonly string[]): readonly Clause[] {
  if (!isDoc(v) || !Object.keys(v).some((key) => key.startsWith('$')))
    return [{ path, operator: '$eq', operand: v, inside }];
  return Object.entries(v).flatMap(([operator, operand]): readonly Clause[] => {
    if (operator === '$not') return conditionsAt(path, operand, [...inside, operator]);
    if (operator === '$elemMatch')
      return Object.keys(docOf(operand)).some((key) => key.startsWith('$'))
        ? conditionsAt(path, operand, [...inside, operator])
        : clausesOf(operand, [...inside, operator], path);
    if (operator === '$all')
      return [
        { path, operator, operand, inside },
        ...listOf(operand).flatMap((item) => (holds(item, '$elemMatch') ? conditionsAt(path, item, inside) : [])),
      ];
    return [{ path, operator, operand, inside }];
  });
}

/** One stage of a pipeline, with the stages after it in the same one. */
export interface StageSeen {
  readonly name: string;
  readonly spec: Json;
  readonly after: readonly StageSeen[];
}
/** The stages of a pipeline; those within $facet, $lookup and $unionWith too. */
export function stagesOf(pipeline: Json | undefined): readonly StageSeen[] {
  const stages: StageSeen[] = [];
  for (const stage of listOf(pipeline).toReversed()) {
    const [[name, spec] = ['', null]] = Object.entries(docOf(stage));
    stages.unshift({ name, spec, after: [...stages] });
  }
  return stages;
}
const inner = ({ name, spec }: StageSeen): readonly StageSeen[] =>
  (name === '$facet' ? Object.values(docOf(spec)) : [docOf(spec)['pipeline']]).flatMap((p) => allStages(p));
export const allStages = (pipeline: Json | undefined): readonly StageSeen[] =>
  stagesOf(pipeline).flatMap((stage) => [stage, ...inner(stage)]);

/** Which accumulator makes a field of $group, $bucket or $setWindowFields, with its operand. */
export function accumulatorsOf(pipeline: Json | undefined): readonly {
  readonly field: string;
  readonly operator: string;
  readonly operand: Json;
}[] {
  return allStages(pipeline).flatMap(({ name, spec }) => {
    const fields =
      name === '$group'
        ? docOf(spec)
        : ['$bucket', '$setWindowFields'].includes(name)
          ? docOf(docOf(spec)['output'])
          : {};
    return Object.entries(fields)
      .filter(([field]) => field !== '_id')
      .map(([field, v]) => {
        const [[operator, operand] = ['', null]] = Object.entries(docOf(v));
        return { field, operator, operand };
      });
  });
}

/** Every filter of a request: its own, those of $match. */
export const filtersOf = (operation: JsonDoc): readonly Json[] => [
  ...(operation['filter'] === undefined ? [] : [operation['filter']]),
  ...allStages(operation['pipeline'])
    .filter(({ name }) => name === '$match')
    .map(({ spec }) => spec),
];

const pathsIn = (v: Json, at = ''): readonly string[] =>
  Object.entries(docOf(v)).flatMap(([key, part]) => {
    const path = at === '' ? key : `${at}.${key}`;
    return isDoc(part) && !Object.keys(part).some((k) => k.startsWith('$')) ? pathsIn(part, path) : [path];
  });
/** Paths that a projection, $project or $unset names. */
export const projectedPaths = (operation: JsonDoc): readonly string[] => [
  ...pathsIn(operation['projection'] ?? null),
  ...pathsIn(operation['fields'] ?? null),
  ...[...allStages(operation['pipeline']), ...stagesOf(operation['update'])].flatMap(({ name, spec }) =>
    name === '$unset' && typeof spec === 'string' ? [spec] : name === '$project' ? pathsIn(spec) : [],
  ),
];

/** Paths that the operators of an update name, and for $rename the new ones. */
export const updatedPaths = (operation: JsonDoc, ...operators: readonly string[]): readonly string[] =>
  Object.entries(docOf(operation['update']))
    .filter(([operator]) => operators.length === 0 || operators.includes(operator))
    .flatMap(([operator, v]) =>
      Object.entries(docOf(v)).flatMap(([path, to]) =>
        operator === '$rename' && typeof to === 'string' ? [path, to] : [path],
      ),
    );
