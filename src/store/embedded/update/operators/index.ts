import type { Operator } from '../change.js';
import { currentDate, set, setOnInsert, unset } from './fields.js';
import { bit, inc, max, min, mul } from './numbers.js';
import { pop, pull, pullAll } from './pull.js';
import { addToSet, push } from './push.js';

/** Every update operator but `$rename`, which has two paths. https://www.mongodb.com/docs/manual/reference/operator/update/ */
export const operators: ReadonlyMap<string, Operator> = new Map([
  ['$addToSet', addToSet],
  ['$bit', bit],
  ['$currentDate', currentDate],
  ['$inc', inc],
  ['$max', max],
  ['$min', min],
  ['$mul', mul],
  ['$pop', pop],
  ['$pull', pull],
  ['$pullAll', pullAll],
  ['$push', push],
  ['$set', set],
  ['$setOnInsert', setOnInsert],
  ['$unset', unset],
]);
