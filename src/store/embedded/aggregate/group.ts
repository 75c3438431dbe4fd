import { Double, Int32 } from 'bson';
import { foldValue } from '../bson/collation.js';
import { encodeValue } from '../bson/key.js';
import { isDoc } from '../bson/types.js';
import type { Doc, Value } from '../bson/value.js';
import { EngineError, outOfMemory } from '../errors.js';
import { Slice } from '../query/slices.js';
import { type Accumulator, accumulatorField, compileAccumulator, OF_A_SCAN } from './accumulators.js';
import { compileExpression } from './expression.js';
import { type Docs, type PipelineEnv, roughBytes, type Stage } from './stage.js';

/** What a group without values takes. */
const GROUP_BYTES = 200;
/** Accumulators that keep every value they are given. */
const KEEPS = new Set([
  '$push',
  '$addToSet',
  '$firstN',
  '$lastN',
  '$minN',
  '$maxN',
  '$topN',
  '$bottomN',
  '$stdDevPop',
  '$stdDevSamp',
  '$median',
  '$percentile',
  '$mergeObjects',
]);

/** Equal values have equal keys. Numbers and texts are their own: most groups need no bytes. */
function keyOf(v: Value): string | number {
  if (v instanceof Int32) return v.value;
  if (typeof v === 'string') return `s${v}`;
  if (v instanceof Double && Number.isSafeInteger(v.value)) return v.value + 0;
  const bytes = encodeValue(v).toString('latin1');
  // A long or a decimal that is a whole number has the bytes of the double.
  const n = typeof v === 'object' && v !== null && '_bsontype' in v ? Number(v) : Number.NaN;
  return Number.isSafeInteger(n) && encodeValue(new Double(n)).toString('latin1') === bytes ? n + 0 : `b${bytes}`;
}

/** They read fields that they do not name by a path. */
const READS_BY_NAME = ['$getField', '$top', '$topN', '$bottom', '$bottomN'];

/** The fields that an expression may read; undefined: perhaps all. */
function fieldsRead(v: Value, into: Set<string>): Set<string> | undefined {
  if (typeof v === 'string') {
    if (v.startsWith('$$ROOT') || v.startsWith('$$CURRENT') || v.includes('__proto__')) return undefined;
    if (v.startsWith('$') && !v.startsWith('$$')) into.add(v.slice(1).split('.')[0] ?? '');
    return into;
  }
  if (isDoc(v) && READS_BY_NAME.some((name) => name in v)) return undefined;
  const inner = Array.isArray(v) ? v : isDoc(v) ? Object.values(v) : [];
  return inner.every((part) => fieldsRead(part, into) !== undefined) ? into : undefined;
}

/** Groups documents one at a time; what it holds grows with the groups, and with what $push and its like keep. */
function createGroup(
  spec: Doc,
  { variables, memoryLimitBytes, collation }: PipelineEnv,
  ofScan = false,
): { add(doc: Doc): void; results(): Iterable<Doc> } {
  const fields = Object.entries(spec)
    .filter(([name]) => name !== '_id')
    .map(([name, v]) => {
      const [operator, argument] = accumulatorField(name, v);
      const own = ofScan ? OF_A_SCAN[operator] : undefined;
      return { name, keeps: KEEPS.has(operator), ...compileAccumulator(operator, argument), ...(own && { make: own }) };
    });
  if (!('_id' in spec)) throw new EngineError(15955, 'a group specification must include an _id');
  const id = compileExpression(spec['_id']);
  const groups = new Map<string | number, { id: Value; parts: Accumulator[] }>();
  let bytes = 0;
  const take = (more: number): void => {
    bytes += more;
    if (bytes > memoryLimitBytes) throw outOfMemory('$group', memoryLimitBytes);
  };
  return {
    add(doc) {
      const value = id(doc, variables);
      const key = keyOf(collation ? foldValue(value, collation) : value);
      let group = groups.get(key);
      if (!group) {
        group = { id: value ?? null, parts: fields.map((f) => f.make(value, variables)) };
        groups.set(key, group);
        take(GROUP_BYTES * (1 + fields.length) + (typeof key === 'string' ? 2 * key.length : 0));
      }
      for (let i = 0; i < fields.length; i += 1) {
        const f = fields[i] as (typeof fields)[number];
        const v = f.evaluate(doc, variables);
        if (f.keeps) take(roughBytes(v));
        group.parts[i]?.add(v);
      }
    },
    *results() {
      for (const g of groups.values())
        yield { _id: g.id, ...Object.fromEntries(fields.map((f, i) => [f.name, g.parts[i]?.result()])) };
    },
  };
}

/** https://www.mongodb.com/docs/manual/reference/operator/aggregation/group/ */
export function group(spec: Doc, env: PipelineEnv): Stage {
  createGroup(spec, env);
  const stage = async function* (input: Docs): Docs {
    const made = createGroup(spec, env);
    for await (const doc of input) made.add(doc);
    yield* made.results();
  };
  const run = async function* (source: Iterable<Doc | undefined>): Docs {
    const made = createGroup(spec, env, true);
    const slice = new Slice();
    try {
      for (const doc of source) {
        if (doc) made.add(doc);
        if (!doc || slice.over()) await env.pause();
      }
    } catch (error) {
      throw error instanceof EngineError && error.inGroup !== undefined
        ? new EngineError(error.inGroup, error.message)
        : error;
    }
    yield* made.results();
  };
  return Object.assign(stage, { direct: { fields: fieldsRead(spec, new Set()), run } });
}
