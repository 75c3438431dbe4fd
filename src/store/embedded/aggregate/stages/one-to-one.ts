import { Int32 } from 'bson';
import { isDoc, typeName } from '../../bson/types.js';
import type { Doc, Value } from '../../bson/value.js';
import { EngineError } from '../../errors.js';
import { assertPath, field, setField } from '../../query/path.js';
import { compileProjection } from '../../query/projection.js';
import { compileExpression, type Variables } from '../expression.js';

export type OneToOne = (doc: Doc, v: Variables) => Doc;

/** Sets a value at a path: documents on the way are made, each document of an array gets it. Undefined removes. */
export function setPath(value: Value, parts: readonly string[], v: Value, at = 0): Value {
  const part = parts[at];
  if (part === undefined) return v;
  if (Array.isArray(value)) return value.map((item) => setPath(item, parts, v, at));
  const doc = isDoc(value) ? { ...value } : {};
  const inner = setPath(field(doc, part), parts, v, at + 1);
  if (inner === undefined) delete doc[part];
  else setField(doc, part, inner);
  return doc;
}

/** Whether a path comes to a place: not through an array without elements. */
function reaches(value: Value, parts: readonly string[], at = 0): boolean {
  if (Array.isArray(value)) return value.some((item) => reaches(item, parts, at));
  const part = parts[at];
  return (
    part === undefined || at === parts.length - 1 || reaches(isDoc(value) ? field(value, part) : null, parts, at + 1)
  );
}

type Leaf = readonly [parts: readonly string[], v: Value];

/** A document without operators names fields inside it. @throws {EngineError} 40181, 40183: not as it must be */
function leaves(v: Value, parts: readonly string[]): Leaf[] {
  const names = isDoc(v) ? Object.keys(v) : [];
  const operator = names.find((n) => n.startsWith('$'));
  if (!isDoc(v) || names.length === 0 || (operator !== undefined && names.length === 1)) return [[parts, v]];
  if (operator !== undefined)
    throw new EngineError(
      40181,
      `an expression specification must contain exactly one field, the name of the expression. Found ${names.length} fields`,
    );
  return Object.entries(v).flatMap(([name, inner]) => {
    if (name.includes('.')) throw new EngineError(40183, `cannot use dotted field name '${name}' in a sub object`);
    return leaves(inner, [...parts, ...assertPath(name)]);
  });
}

/** https://www.mongodb.com/docs/manual/reference/operator/aggregation/addFields/ */
export function addFields(spec: Value, name = '$addFields'): OneToOne {
  if (!isDoc(spec))
    throw new EngineError(40272, `${name} specification stage must be an object, got ${typeName(spec)}`);
  const named = Object.entries(spec).flatMap(([path, v]) => leaves(v, assertPath(path)));
  const paths = named.map(([parts]) => parts.join('.')).toSorted();
  for (const [i, a] of paths.entries()) {
    const b = paths[i + 1];
    if (b !== undefined && (a === b || b.startsWith(`${a}.`)))
      throw new EngineError(
        40176,
        `Invalid ${name} :: caused by :: specification contains two conflicting paths. Cannot specify both '${b}' and '${a}'`,
      );
  }
  const fields = named.map(([parts, v]) => [parts, compileExpression(v)] as const);
  return (doc, v) => {
    let out = doc;
    // Every expression sees the document as it came in.
    for (const [parts, evaluate] of fields) if (reaches(out, parts)) out = setPath(out, parts, evaluate(doc, v)) as Doc;
    return out;
  };
}

function unset(spec: Value): OneToOne {
  const paths = Array.isArray(spec) ? spec : [spec];
  if (paths.length === 0)
    throw new EngineError(31119, '$unset specification must be a string or an array with at least one field');
  const names = paths.map((p) => {
    if (typeof p !== 'string')
      throw Array.isArray(spec)
        ? new EngineError(31120, '$unset specification must be a string or an array containing only string values')
        : new EngineError(31002, '$unset specification must be a string or an array');
    return p;
  });
  return compileProjection(Object.fromEntries(names.map((p) => [p, new Int32(0)])), { stage: true });
}

/** https://www.mongodb.com/docs/manual/reference/operator/aggregation/replaceRoot/ */
function replaceRoot(name: string, spec: Value): OneToOne {
  if (name === '$replaceRoot' && !isDoc(spec))
    throw new EngineError(40229, `expected an object as specification for $replaceRoot stage, got ${typeName(spec)}`);
  if (name === '$replaceRoot' && isDoc(spec)) {
    const odd = Object.keys(spec).find((k) => k !== 'newRoot');
    if (odd !== undefined) throw new EngineError(40415, `BSON field '$replaceRoot.${odd}' is an unknown field.`);
    if (!('newRoot' in spec))
      throw new EngineError(40414, "BSON field '$replaceRoot.newRoot' is missing but a required field");
  }
  const evaluate = compileExpression(name === '$replaceRoot' && isDoc(spec) ? spec['newRoot'] : spec);
  return (doc, v) => {
    const root = evaluate(doc, v);
    if (!isDoc(root))
      throw new EngineError(
        40228,
        `'newRoot' expression must evaluate to an object, but resulting value was of type: ${typeName(root)}`,
      );
    return root;
  };
}

/** Stages that make one document of one: also those of a pipeline update. */
export function oneToOne(name: string, spec: Value): OneToOne | undefined {
  switch (name) {
    case '$project': {
      if (!isDoc(spec)) throw new EngineError(15969, '$project specification must be an object');
      if (Object.keys(spec).length === 0)
        throw new EngineError(
          51272,
          'Invalid $project :: caused by :: projection specification must have at least one field',
        );
      return compileProjection(spec, { stage: true });
    }
    case '$addFields':
    case '$set':
      return addFields(spec, name);
    case '$unset':
      return unset(spec);
    case '$replaceRoot':
    case '$replaceWith':
      return replaceRoot(name, spec);
    default:
      return undefined;
  }
}
