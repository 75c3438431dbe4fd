import { isDoc, type Json, type JsonDoc, plain, same } from '../json.js';
import { docOf, listOf, stagesOf } from '../request.js';
import { ACCUMULATORS } from './accumulators.js';
import { order } from './order.js';
import { permitsInWindow, type Row } from './windows.js';

/** A stage that looks at many documents, and what it may give, reckoned anew from the documents that come to it. */
export interface Modelled {
  /** The name of the $facet it stands in. */
  readonly facet: string | undefined;
  readonly name: string;
  readonly fields: readonly string[];
  /** Whether the second server has the same documents come to it, or others for a reason that is known. */
  readonly vouched: boolean;
  /** How many come to it. */
  readonly arrived: number;
  /** Whether it makes groups, each named by its _id. */
  readonly grouping: boolean;
  /** Whether a field of a document that it gives may have the value that it has there. */
  readonly permits: (row: Json | undefined, field: string) => boolean;
}

/** The name of the bucket that a value lies in. */
function bucketOf(v: Json | undefined, spec: Json): Json | undefined {
  const bounds = listOf(docOf(spec)['boundaries']);
  const at = bounds.findIndex((bound, i) => i > 0 && order(v, bounds[i - 1]) >= 0 && order(v, bound) < 0);
  return at === -1 ? docOf(spec)['default'] : bounds[at - 1];
}
/** Stages after which documents come in no known order. */
const UNORDERED = ['$group', '$bucket', '$sortByCount', '$facet', '$setWindowFields'];

/** Stages after which $group takes the last of equal values for $min and $max: MongoDB runs it with the scan, in another engine. */
const OF_A_SCAN = ['$match', '$sort', '$skip', '$limit'];

/** Whether documents come in the order of `_id`: those of $unionWith once more from the least. */
function inOrder(rows: readonly Row[], earlier: readonly string[]): boolean {
  const ids = rows.map((row) => row['_id']).filter((id) => id !== undefined);
  const falls = ids.filter((id, i) => i > 0 && order(ids[i - 1], id) > 0).length;
  return falls <= earlier.filter((name) => name === '$unionWith').length;
}

const outputOf = (name: string, spec: Json): JsonDoc => {
  if (name === '$sortByCount') return { count: { $count: {} } };
  const { _id, ...fields } = name === '$group' ? docOf(spec) : docOf(docOf(spec)['output']);
  return fields;
};

function byKey(rows: readonly Row[], keyOf: (row: Row) => Json | undefined): ReadonlyMap<string, readonly Row[]> {
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const key = plain(keyOf(row) ?? null);
    groups.set(key, [...(groups.get(key) ?? []), row]);
  }
  return groups;
}

/**
 * The model of one stage.
 * @param earlier the names of the stages before it
 * @param rows what comes to it, in order: see `Arrivals`
 * @param facet the name of the $facet it stands in
 */
export function modelOf(
  name: string,
  spec: Json,
  earlier: readonly string[],
  rows: readonly Row[],
  facet?: string,
): Pick<Modelled, 'grouping' | 'permits' | 'arrived' | 'fields'> {
  const output = outputOf(name, spec);
  const fields = Object.keys(output);
  const keyOf = (row: Row): Json | undefined => (name === '$bucket' ? bucketOf(row['k'], spec) : row['k']);
  const groups = byKey(rows, keyOf);
  const arrived = rows.length;
  if (name === '$setWindowFields')
    return {
      fields,
      arrived,
      grouping: false,
      permits: (made, field) => {
        const row = rows.find(({ _id }) => same(_id, docOf(made)['_id']));
        const partition = row && groups.get(plain(row['k'] ?? null));
        return (
          row !== undefined &&
          partition !== undefined &&
          permitsInWindow(docOf(made)[field], partition, row, field, spec)
        );
      },
    };
  const ordered = !earlier.some((stage) => UNORDERED.includes(stage));
  const right = !ordered || inOrder(rows, earlier);
  const ties =
    !ordered || facet !== undefined
      ? undefined
      : earlier.every((stage) => OF_A_SCAN.includes(stage))
        ? 'last'
        : 'first';
  return {
    fields,
    arrived,
    grouping: name !== '$count',
    permits: (made, field) => {
      const group = groups.get(plain(docOf(made)['_id'] ?? null));
      if (!right || group === undefined || !isDoc(made)) return false;
      // Of equal keys the first one names the group.
      if (field === '_id')
        return (ordered ? group.slice(0, 1) : group).some((row) => same(keyOf(row) ?? null, made['_id'] ?? null));
      const [[operator, operand] = ['', null]] = Object.entries(docOf(output[field]));
      const values = group.map((row) => docOf(row['v'])[field]);
      const keys = group.map((row) => listOf(docOf(row['by'])[field]));
      const given = made[field];
      return ACCUMULATORS[operator]?.(given, { values, keys, ordered, ties }, operand) ?? false;
    },
  };
}

/** The stage at a place of a pipeline: see `Arrivals`. */
export function stageAt(
  pipeline: Json | undefined,
  at: string,
): {
  readonly name: string;
  readonly spec: Json;
  readonly earlier: readonly string[];
  readonly facet: string | undefined;
} {
  const [outer, facet, inner] = at.split('.');
  const whole = stagesOf(pipeline);
  const stages = facet === undefined ? whole : stagesOf(docOf(whole[Number(outer)]?.spec)[facet]);
  const place = Number(inner ?? outer);
  const earlier = [...(facet === undefined ? [] : whole.slice(0, Number(outer))), ...stages.slice(0, place)];
  const { name = '', spec = null } = stages[place] ?? {};
  return { name, spec, facet, earlier: earlier.map((stage) => stage.name) };
}
