import { isDoc, typeName } from '../../bson/types.js';
import type { Value } from '../../bson/value.js';
import { checked } from '../../commands/fields.js';
import { EngineError } from '../../errors.js';

/**
 * https://www.mongodb.com/docs/manual/reference/operator/aggregation/densify/
 *
 * @throws {EngineError} 9: no document; 40414: a part is missing; 14, 40415
 */
export function assertDensify(spec: Value): void {
  if (!isDoc(spec))
    throw new EngineError(
      'FailedToParse',
      `The $densify stage specification must be an object, found ${typeName(spec)}`,
    );
  const given = checked(spec, '$densify', { field: 'string', partitionByFields: 'list', range: 'object' });
  for (const name of ['field', 'range'])
    if (given[name] === undefined)
      throw new EngineError(40414, `BSON field '$densify.${name}' is missing but a required field`);
  const range = checked(given['range'] as Record<string, Value>, '$densify.range', {
    bounds: 'own',
    step: 'number',
    unit: 'string',
  });
  for (const name of ['bounds', 'step'])
    if (range[name] === undefined)
      throw new EngineError(40414, `BSON field '$densify.range.${name}' is missing but a required field`);
}
