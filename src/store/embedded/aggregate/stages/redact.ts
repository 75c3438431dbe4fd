import { isDoc } from '../../bson/types.js';
import type { Doc, Value } from '../../bson/value.js';
import { EngineError } from '../../errors.js';
import { compileExpression, type Variables } from '../expression.js';

/** Keeps, prunes or descends at each level. https://www.mongodb.com/docs/manual/reference/operator/aggregation/redact/ */
export function redact(spec: Value): (doc: Doc, v: Variables) => Doc | undefined {
  const decide = compileExpression(spec);
  const inside = (value: Value, root: Doc, v: Variables): Value => {
    if (isDoc(value)) return level(value, root, v);
    if (!Array.isArray(value)) return value;
    return value.flatMap((item) => {
      const kept = inside(item, root, v);
      return kept === undefined && (isDoc(item) as boolean) ? [] : [kept];
    });
  };
  const level = (doc: Doc, root: Doc, v: Variables): Doc | undefined => {
    const decision = decide(root, { ...v, let: { ...v.let, CURRENT: doc } });
    if (decision === 'prune') return undefined;
    if (decision === 'keep') return doc;
    if (decision !== 'descend') throw new EngineError(17053, '$redact must return $$DESCEND, $$PRUNE or $$KEEP');
    const out: Doc = {};
    for (const [k, value] of Object.entries(doc)) {
      const kept = inside(value, root, v);
      if (kept !== undefined) out[k] = kept;
    }
    return out;
  };
  return (doc, v) => level(doc, doc, v);
}
