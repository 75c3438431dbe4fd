import { isDoc } from '../bson/types.js';
import type { Value } from '../bson/value.js';
import { EngineError } from '../errors.js';

/** Operators that compare values by bytes alone. */
const COMPARING = new Set([
  '$min', '$max', '$minN', '$maxN', '$top', '$topN', '$bottom',
  '$bottomN', '$addToSet', '$setEquals', '$setIntersection', '$setUnion', '$setDifference', '$setIsSubset', '$sortArray',
  '$indexOfArray', '$rank', '$denseRank',
]); // prettier-ignore
const STAGES = new Set(['$bucket', '$bucketAuto', '$setWindowFields', '$fill', '$merge']);

const compares = (v: Value): string | undefined => {
  if (Array.isArray(v)) return v.map(compares).find((found) => found !== undefined);
  if (!isDoc(v)) return undefined;
  return (
    Object.keys(v).find((k) => COMPARING.has(k)) ??
    Object.values(v)
      .map(compares)
      .find((found) => found !== undefined)
  );
};

/** @throws {EngineError} 238: the stage compares texts in a place where the collation is not asked */
export function assertCollated(stage: string, spec: Value): void {
  if (stage === '$match') return;
  const what = STAGES.has(stage) ? stage : stage === '$facet' ? undefined : compares(spec);
  if (what !== undefined)
    throw new EngineError('NotImplemented', `${what} with a collation is not supported by the embedded engine`);
}
