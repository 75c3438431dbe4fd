import { encodeValue } from '../bson/key.js';
import type { Doc, Value } from '../bson/value.js';
import { EngineError } from '../errors.js';
import { type Accumulator, accumulatorField, compileAccumulator } from './accumulators.js';
import { compileExpression, type Variables } from './expression.js';

/** Groups documents one at a time; what it holds grows with the groups, and with what $push and $addToSet keep. */
export function createGroup(spec: Doc, variables: Variables): { add(doc: Doc): void; results(): Doc[] } {
  if (!('_id' in spec)) throw new EngineError(15955, 'a group specification must include an _id');
  const id = compileExpression(spec['_id']);
  const fields = Object.entries(spec)
    .filter(([name]) => name !== '_id')
    .map(([name, v]) => ({ name, ...compileAccumulator(...accumulatorField(name, v)) }));
  const groups = new Map<string, { id: Value; parts: Accumulator[] }>();
  return {
    add(doc) {
      const value = id(doc, variables);
      const key = encodeValue(value).toString('latin1');
      let group = groups.get(key);
      if (!group) {
        group = { id: value ?? null, parts: fields.map((f) => f.make(value, variables)) };
        groups.set(key, group);
      }
      for (const [i, f] of fields.entries()) group.parts[i]?.add(f.evaluate(doc, variables));
    },
    results: () =>
      [...groups.values()].map((g) => ({
        _id: g.id,
        ...Object.fromEntries(fields.map((f, i) => [f.name, g.parts[i]?.result()])),
      })),
  };
}
