import { isDoc, isNumeric, toNumber, typeName } from '../bson/types.js';
import type { Doc, Value } from '../bson/value.js';
import { EngineError } from '../errors.js';

/**
 * What a field of a command may hold; null stands for leaving the field out, but where it says otherwise.
 *
 * - `switch`: a boolean and nothing else, null neither; `flag`: a boolean or a number
 * - `size`: a number from 0
 * - `document`: a document, null not; `object`: a document
 * - `list`: an array; `documents`: an array of documents, in which a null stands for nothing; needed: it may not be left out
 * - `hint`: an index by its name or its key, null neither
 * - `own`: the command itself looks at it
 */
export type FieldType =
  | 'own'
  | 'string'
  | 'document'
  | 'object'
  | 'switch'
  | 'bool'
  | 'flag'
  | 'number'
  | 'size'
  | 'long'
  | 'list'
  | 'documents'
  | 'hint';

export type Fields = Readonly<Record<string, FieldType>>;

const wrong = (path: string, v: Value, wanted: string): EngineError =>
  new EngineError('TypeMismatch', `BSON field '${path}' is the wrong type '${typeName(v)}', expected ${wanted}`);

const NUMBERS = "types '[long, int, decimal, double']";

/** Of documents. @throws {EngineError} 14: something else is among them */
function hasNull(items: readonly Value[], path: string): boolean {
  let nulls = false;
  for (const [i, item] of items.entries())
    if (item === null) nulls = true;
    else if (!isDoc(item)) throw wrong(`${path}.${i}`, item, "type 'object'");
  return nulls;
}

/** Is a null in it that stands for nothing? @throws {EngineError} 14: another type; 9: a hint of another type; 51024: a size below 0 */
function check(type: FieldType, v: Value, path: string): boolean {
  const name = path.slice(path.lastIndexOf('.') + 1);
  switch (type) {
    case 'own':
      return false;
    case 'string':
      if (typeof v !== 'string') throw wrong(path, v, "type 'string'");
      return false;
    case 'document':
      if (!isDoc(v)) throw new EngineError('TypeMismatch', `Expected field ${name}to be of type object`);
      return false;
    case 'object':
      if (!isDoc(v)) throw wrong(path, v, "type 'object'");
      return false;
    case 'switch':
      if (typeof v !== 'boolean')
        throw new EngineError('TypeMismatch', `Field '${name}' should be a boolean value, but found: ${typeName(v)}`);
      return false;
    case 'bool':
      if (typeof v !== 'boolean') throw wrong(path, v, "type 'bool'");
      return false;
    case 'flag':
      if (typeof v !== 'boolean' && !isNumeric(v)) throw wrong(path, v, "types '[bool, long, int, decimal, double']");
      return false;
    case 'number':
    case 'size':
      if (!isNumeric(v)) throw wrong(path, v, NUMBERS);
      if (type === 'size' && toNumber(v) <= -1)
        throw new EngineError(51024, `BSON field '${name}' value must be >= 0, actual value '${v.toString()}'`);
      return false;
    case 'long':
      if (typeName(v) !== 'long') throw wrong(path, v, "type 'long'");
      return false;
    case 'list':
    case 'documents':
      if (!Array.isArray(v)) throw wrong(path, v, "type 'array'");
      return type === 'documents' && hasNull(v, path);
    case 'hint':
      if (typeof v !== 'string' && !isDoc(v))
        throw new EngineError('FailedToParse', 'Hint must be a string or an object');
      return false;
  }
}

const takesNull = (type: FieldType): boolean => !['own', 'switch', 'document', 'hint'].includes(type);

/**
 * The fields of a command, or of a part of one, that are there: what is null is left out. `others`: what fields that
 * are not known are taken for, where they may be there.
 *
 * @throws {EngineError} 40415: a field that is not known; 14, 9, 51024: one of the wrong type
 */
export function checked(given: Doc, path: string, fields: Fields, others?: FieldType): Doc {
  let nulls = false;
  for (const [name, v] of Object.entries(given)) {
    const type = Object.hasOwn(fields, name) ? fields[name] : others;
    if (type === undefined) throw new EngineError(40415, `BSON field '${path}.${name}' is an unknown field.`);
    if ((v === null && takesNull(type)) || check(type, v, `${path}.${name}`)) nulls = true;
  }
  if (!nulls) return given;
  return Object.fromEntries(
    Object.entries(given)
      .filter(([name, v]) => v !== null || !takesNull(fields[name] ?? 'own'))
      .map(([name, v]) => [
        name,
        fields[name] === 'documents' && Array.isArray(v) ? v.filter((item) => item !== null) : v,
      ]),
  );
}

/** Fields that any command may bear. */
export const GENERIC: Fields = {
  $db: 'own',
  lsid: 'object',
  txnNumber: 'long',
  autocommit: 'bool',
  startTransaction: 'bool',
  $clusterTime: 'own',
  $readPreference: 'own',
  readConcern: 'object',
  writeConcern: 'object',
  maxTimeMS: 'number',
  comment: 'own',
  apiVersion: 'string',
  apiStrict: 'bool',
  apiDeprecationErrors: 'bool',
  $audit: 'own',
  $client: 'own',
  $configServerState: 'own',
  stmtId: 'number',
  stmtIds: 'list',
  $queryOptions: 'own',
  serialization: 'own',
  databaseVersion: 'own',
  shardVersion: 'own',
  maxTimeMSOpOnly: 'own',
};
