import { isDoc, typeName } from '../../bson/types.js';
import type { Doc, Value } from '../../bson/value.js';
import { EngineError } from '../../errors.js';

const METHODS: Readonly<Record<string, string>> = { linear: '$linearFill', locf: '$locf' };

/**
 * As the $addFields and the $setWindowFields that stand for it.
 * https://www.mongodb.com/docs/manual/reference/operator/aggregation/fill/
 */
export function fill(spec: Value): Doc[] {
  if (!isDoc(spec))
    throw new EngineError('FailedToParse', `the $fill stage specification must be an object, found ${typeName(spec)}`);
  const { partitionBy, partitionByFields, sortBy, output, ...rest } = spec as Record<string, Value>;
  const [odd] = Object.keys(rest);
  if (odd !== undefined) throw new EngineError(40415, `BSON field '$fill.${odd}' is an unknown field.`);
  if (!isDoc(output)) throw new EngineError(40414, "BSON field '$fill.output' is missing but a required field");
  if (partitionBy !== undefined && partitionByFields !== undefined)
    throw new EngineError(6050204, 'Maximum one of partitionBy and partitionByFields can be specified in $fill');
  const partition = Array.isArray(partitionByFields)
    ? Object.fromEntries(partitionByFields.map((f) => [String(f), `$${String(f)}`]))
    : partitionBy;
  const values: Doc = {};
  const windows: Doc = {};
  for (const [path, how] of Object.entries(output)) {
    if (!isDoc(how) || 'value' in how === 'method' in how)
      throw new EngineError(6050202, "Each $fill output must have either 'value' or 'method'");
    if ('value' in how) values[path] = { $ifNull: [`$${path}`, how['value']] };
    else {
      const method = METHODS[String(how['method'])];
      if (method === undefined) throw new EngineError(6050202, 'Method must be either locf or linear');
      if (method === '$linearFill' && !isDoc(sortBy))
        throw new EngineError('FailedToParse', 'sortBy is required for the linear method of $fill');
      windows[path] = { [method]: `$${path}` };
    }
  }
  const window = {
    ...(partition !== undefined && { partitionBy: partition }),
    ...(sortBy !== undefined && { sortBy }),
  };
  return [
    ...(Object.keys(windows).length > 0 ? [{ $setWindowFields: { ...window, output: windows } }] : []),
    ...(Object.keys(values).length > 0 ? [{ $addFields: values }] : []),
  ];
}
