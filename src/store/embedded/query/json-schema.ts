import { modulo } from '../aggregate/arithmetic.js';
import { toDecimal } from '../aggregate/decimals.js';
import { compare, equals } from '../bson/compare.js';
import { isDoc, isNumeric, toInteger, toNumber, typeName, typeNumbers } from '../bson/types.js';
import type { Doc, Value } from '../bson/value.js';
import { EngineError } from '../errors.js';
import { field } from './path.js';
import { toRegExp } from './regex.js';

type Test = (v: Value) => boolean;

/** JSON's names of types; a whole number has no name of its own. */
const JSON_TYPES = new Map([
  ['object', 'object'],
  ['array', 'array'],
  ['number', 'number'],
  ['boolean', 'bool'],
  ['string', 'string'],
  ['null', 'null'],
]);

const failed = (message: string): EngineError => new EngineError('FailedToParse', message);
const mismatch = (keyword: string, wanted: string): EngineError =>
  new EngineError('TypeMismatch', `$jsonSchema keyword '${keyword}' must be ${wanted}`);

/** Keywords of a kind that a value is not of, or that say nothing of it, are met by it. */
const met: Test = () => true;

/** A list that names each thing once. @throws {EngineError} 9: it is empty, or names one twice; 14: no list */
function listOf(keyword: string, operand: Value): readonly Value[] {
  if (!Array.isArray(operand)) throw mismatch(keyword, 'an array');
  if (operand.length === 0) throw failed(`$jsonSchema keyword '${keyword}' cannot be an empty array`);
  if (!unique(operand)) throw failed(`$jsonSchema keyword '${keyword}' array cannot contain duplicate values`);
  return operand;
}

const lengthOf = (text: string): number => [...text].length;

function typesTest(keyword: 'type' | 'bsonType', operand: Value): Test {
  const names = listOf(keyword, Array.isArray(operand) ? operand : [operand]).map((t) => {
    if (typeof t !== 'string') throw mismatch(keyword, 'either a string or an array of strings');
    if (keyword === 'type' && t === 'integer') throw failed("$jsonSchema type 'integer' is not currently supported.");
    const name = keyword === 'type' ? JSON_TYPES.get(t) : t;
    if (name === undefined || (name !== 'number' && typeNumbers[name] === undefined))
      throw new EngineError('BadValue', `Unknown type name alias: ${t}`);
    return name;
  });
  return (v) => names.includes(typeName(v)) || (names.includes('number') && isNumeric(v));
}

function whole(keyword: string, operand: Value): number {
  const n = toInteger(operand);
  if (n === undefined || n < 0) throw failed(`$jsonSchema keyword '${keyword}' must be a whole number from 0`);
  return n;
}

function schemas(keyword: string, operand: Value): Test[] {
  if (!Array.isArray(operand)) throw mismatch(keyword, 'an array');
  if (operand.length === 0)
    throw new EngineError('BadValue', `$jsonSchema keyword '${keyword}' must be a non-empty array`);
  return operand.map(compileSchema);
}

const namesIn = (keyword: string, operand: Value): string[] =>
  listOf(keyword, operand).map((name) => {
    if (typeof name !== 'string') throw mismatch(keyword, 'an array of strings');
    return name;
  });

/** A bound of a number; `exclusive` is MongoDB's (draft 4's) boolean beside it. */
function bound(keyword: 'minimum' | 'maximum', schema: Doc): Test {
  const limit = schema[keyword];
  if (!isNumeric(limit)) throw mismatch(keyword, 'a number');
  const sign = keyword === 'minimum' ? 1 : -1;
  const least = schema[keyword === 'minimum' ? 'exclusiveMinimum' : 'exclusiveMaximum'] === true ? 1 : 0;
  const isNaN = Number.isNaN(toNumber(limit));
  return (v) => !isNumeric(v) || (Number.isNaN(toNumber(v)) === isNaN && compare(v, limit) * sign >= least);
}

/** The boolean beside a bound. @throws {EngineError} 9: there is no bound; 14: no boolean */
const exclusive =
  (keyword: 'minimum' | 'maximum') =>
  (operand: Value, schema: Doc): Test => {
    if (schema[keyword] === undefined)
      throw failed(`$jsonSchema keyword '${keyword}' must be present beside its exclusive form`);
    if (typeof operand !== 'boolean') throw mismatch(`exclusive ${keyword}`, 'a boolean');
    return met;
  };

/** `properties`, `patternProperties` and `additionalProperties`, which decide together what a field may be. */
function propertiesTest({ properties = {}, patternProperties = {}, additionalProperties = true }: Doc): Test {
  if (!isDoc(properties)) throw mismatch('properties', 'an object');
  if (!isDoc(patternProperties)) throw mismatch('patternProperties', 'an object');
  const named = new Map(Object.entries(properties).map(([name, schema]) => [name, compileSchema(schema)]));
  const patterns = Object.entries(patternProperties).map(
    ([pattern, schema]) => [toRegExp(pattern, ''), compileSchema(schema)] as const,
  );
  const others: Test =
    typeof additionalProperties === 'boolean' ? () => additionalProperties : compileSchema(additionalProperties);
  return (doc) =>
    !isDoc(doc) ||
    Object.entries(doc).every(([name, v]) => {
      if (v === undefined) return true;
      const tests = patterns.filter(([pattern]) => pattern.test(name)).map(([, test]) => test);
      const own = named.get(name);
      if (own) tests.push(own);
      return tests.length === 0 ? others(v) : tests.every((test) => test(v));
    });
}

/** `items` and `additionalItems`. */
function itemsTest({ items, additionalItems = true }: Doc): Test {
  const rest: Test = typeof additionalItems === 'boolean' ? () => additionalItems : compileSchema(additionalItems);
  if (items === undefined) return met;
  if (!Array.isArray(items)) {
    const each = compileSchema(items);
    return (v) => !Array.isArray(v) || v.every(each);
  }
  const places = items.map(compileSchema);
  return (v) => !Array.isArray(v) || v.every((item, i) => (places[i] ?? rest)(item));
}

function dependenciesTest(operand: Value): Test {
  if (!isDoc(operand)) throw mismatch('dependencies', 'an object');
  const tests = Object.entries(operand).map(([name, needed]): [string, Test] => {
    if (isDoc(needed)) return [name, compileSchema(needed)];
    const names = namesIn('dependencies', needed);
    return [name, (v) => isDoc(v) && names.every((n) => field(v, n) !== undefined)];
  });
  return (v) => !isDoc(v) || tests.every(([name, test]) => field(v, name) === undefined || test(v));
}

/** A value with its fields in order: in a schema the order of fields is none. */
function ordered(v: Value): Value {
  if (Array.isArray(v)) return v.map(ordered);
  if (!isDoc(v)) return v;
  const fields = Object.entries(v).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(fields.map(([name, inner]) => [name, ordered(inner)]));
}

function unique(list: readonly Value[]): boolean {
  const items = list.map(ordered);
  return items.every((item, i) => !items.slice(i + 1).some((other) => equals(item, other)));
}

const words =
  (keyword: string) =>
  (operand: Value): Test => {
    if (typeof operand !== 'string') throw mismatch(keyword, 'of type string');
    return met;
  };

const isZero = (v: Value): boolean => isNumeric(v) && toNumber(v) === 0;

const keywords: Readonly<Record<string, (operand: Value, schema: Doc) => Test>> = {
  type: (operand) => typesTest('type', operand),
  bsonType: (operand) => typesTest('bsonType', operand),
  enum(operand) {
    const values = listOf('enum', operand).map(ordered);
    return (v) => values.some((item) => equals(item, ordered(v)));
  },
  required(operand) {
    const names = namesIn('required', operand);
    return (v) => !isDoc(v) || names.every((name) => field(v, name) !== undefined);
  },
  properties: (_operand, schema) => propertiesTest(schema),
  patternProperties: (_operand, schema) => propertiesTest(schema),
  additionalProperties: (_operand, schema) => propertiesTest(schema),
  items: (_operand, schema) => itemsTest(schema),
  additionalItems: (_operand, schema) => itemsTest(schema),
  dependencies: dependenciesTest,
  minItems: (operand) => atLeast((v) => (Array.isArray(v) ? v.length : undefined), whole('minItems', operand)),
  maxItems: (operand) => atMost((v) => (Array.isArray(v) ? v.length : undefined), whole('maxItems', operand)),
  uniqueItems(operand) {
    if (typeof operand !== 'boolean') throw mismatch('uniqueItems', 'a boolean');
    return operand ? (v) => !Array.isArray(v) || unique(v) : met;
  },
  minLength: (operand) =>
    atLeast((v) => (typeof v === 'string' ? lengthOf(v) : undefined), whole('minLength', operand)),
  maxLength: (operand) => atMost((v) => (typeof v === 'string' ? lengthOf(v) : undefined), whole('maxLength', operand)),
  minProperties: (operand) => atLeast(fieldsIn, whole('minProperties', operand)),
  maxProperties: (operand) => atMost(fieldsIn, whole('maxProperties', operand)),
  minimum: (_operand, schema) => bound('minimum', schema),
  maximum: (_operand, schema) => bound('maximum', schema),
  exclusiveMinimum: exclusive('minimum'),
  exclusiveMaximum: exclusive('maximum'),
  multipleOf(operand) {
    if (!isNumeric(operand)) throw mismatch('multipleOf', 'a number');
    if (toNumber(operand) <= 0) throw failed("$jsonSchema keyword 'multipleOf' must have a positive value");
    const divisor = toDecimal(operand);
    return (v) => !isNumeric(v) || isZero(modulo(toDecimal(v), divisor));
  },
  pattern(operand) {
    if (typeof operand !== 'string') throw mismatch('pattern', 'a string');
    const regex = toRegExp(operand, '');
    return (v) => typeof v !== 'string' || regex.test(v);
  },
  allOf: (operand) =>
    (
      (tests) => (v: Value) =>
        tests.every((t) => t(v))
    )(schemas('allOf', operand)),
  anyOf: (operand) =>
    (
      (tests) => (v: Value) =>
        tests.some((t) => t(v))
    )(schemas('anyOf', operand)),
  oneOf: (operand) =>
    (
      (tests) => (v: Value) =>
        tests.filter((t) => t(v)).length === 1
    )(schemas('oneOf', operand)),
  not: (operand) =>
    (
      (test) => (v: Value) =>
        !test(v)
    )(compileSchema(operand)),
  title: words('title'),
  description: words('description'),
};

const fieldsIn = (v: Value): number | undefined => (isDoc(v) ? Object.keys(v).length : undefined);
const atLeast =
  (size: (v: Value) => number | undefined, least: number): Test =>
  (v) =>
    (size(v) ?? least) >= least;
const atMost =
  (size: (v: Value) => number | undefined, most: number): Test =>
  (v) =>
    (size(v) ?? most) <= most;

/**
 * JSON Schema draft 4 with MongoDB's `bsonType`; fields that are missing are met by everything but `required`.
 * https://www.mongodb.com/docs/manual/reference/operator/query/jsonSchema/
 *
 * @throws {EngineError} 9, 14: a keyword that is not known, or whose value is of the wrong kind
 */
export function compileSchema(schema: Value): Test {
  if (!isDoc(schema)) throw new EngineError('TypeMismatch', '$jsonSchema must be an object');
  if ('type' in schema && 'bsonType' in schema)
    throw failed("Cannot specify both $jsonSchema keywords 'type' and 'bsonType'");
  const tests = Object.entries(schema).map(([keyword, operand]) => {
    const compile = Object.hasOwn(keywords, keyword) ? keywords[keyword] : undefined;
    if (!compile)
      throw ['$ref', '$schema', 'default', 'definitions', 'format', 'id'].includes(keyword)
        ? failed(`$jsonSchema keyword '${keyword}' is not currently supported`)
        : failed(`Unknown $jsonSchema keyword: ${keyword}`);
    return compile(operand, schema);
  });
  return (v) => tests.every((test) => test(v));
}
