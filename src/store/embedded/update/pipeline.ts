import { assertCollated } from '../aggregate/collated.js';
import { compileWith, type Variables } from '../aggregate/expression.js';
import { STAGES } from '../aggregate/stages/names.js';
import { oneToOne } from '../aggregate/stages/one-to-one.js';
import { isDoc } from '../bson/types.js';
import type { Doc, Value } from '../bson/value.js';
import { EngineError } from '../errors.js';
import type { Update } from './apply.js';
import { mismatch } from './change.js';
import { assertSameId, withId } from './id.js';
import { base } from './upsert.js';
import { same } from './walk.js';

/** @throws {EngineError} 40324: no such stage; 72: one that an update may not have; 238: one that compares, with a collation */
export function pipelineUpdate(stages: readonly Value[], variables: Variables): Update {
  const compiled = stages.map((stage) => {
    if (!isDoc(stage)) throw mismatch("Each element of the 'pipeline' array must be an object");
    if (Object.keys(stage).length !== 1)
      throw new EngineError(40323, 'A pipeline stage specification object must contain exactly one field.');
    const [[name, spec]] = Object.entries(stage) as [[string, Value]];
    if (!STAGES.has(name)) throw new EngineError(40324, `Unrecognized pipeline stage name: '${name}'`);
    const run = compileWith(variables, () => oneToOne(name, spec));
    if (!run) throw new EngineError('InvalidOptions', `${name} is not allowed to be used within an update`);
    if (variables.collation) assertCollated(name, spec);
    return run;
  });
  const run = (doc: Doc): Doc => compiled.reduce((d, stage) => stage(d, variables), doc);
  return {
    isReplacement: false,
    apply(doc) {
      const after = run(doc);
      const result = after['_id'] === undefined ? { _id: doc['_id'], ...after } : after;
      assertSameId(doc, result);
      return same(result, doc) ? doc : result;
    },
    insertFor: (filter) => withId(run(base(filter))),
  };
}
