import { BSONRegExp } from 'bson';
import { assertCollated } from '../aggregate/collated.js';
import { compileExpression, compileWith } from '../aggregate/expression.js';
import type { Collation } from '../bson/collation.js';
import { isDoc, toInteger, truthy } from '../bson/types.js';
import type { Doc, Value } from '../bson/value.js';
import { badValue as bad, EngineError } from '../errors.js';
import { distanceAt } from './geo/near.js';
import { geoIntersects, geoWithin, nearIn } from './geo/operators.js';
import { compileSchema } from './json-schema.js';
import { visitPath } from './path.js';
import { placing } from './place.js';
import { compileText, keepScore, type TextIndex } from './text/search.js';
import {
  bitsTest,
  equalTest,
  inList,
  isOperators,
  modTest,
  rangeTest,
  regexTest,
  type Test,
  typeTest,
} from './value-tests.js';

/**
 * A compiled query. Documents keep their BSON types here (a Long, an Int32 and a
 * Double of one value are equal, null and missing differ by operator), and a keyed read has no time to compile an object.
 */
export interface Filter {
  test(doc: Doc): boolean;
  /** Where in the first array on the way a document that is found matched, for the positional `$`; undefined: in no array. */
  positional(doc: Doc): number | undefined;
}

export interface FilterOptions {
  readonly let?: Doc;
  readonly now?: Date;
  readonly collation?: Collation;
  /** May `$near` stand here, where it would order what is found? `element`: a query on one element of a list may least. */
  readonly near?: 'nested' | 'refused' | 'validator' | 'element';
  /** The filter makes a document too: what an expression says is equal is not known. */
  readonly upsert?: boolean;
  /** Each test is of the value that the path reaches alone, and of no elements of it: that of an `$elemMatch`. */
  readonly alone?: boolean;
  /** Within an `$elemMatch`, where what is said of whole documents has no place. */
  readonly inElement?: boolean;
  /** The collection's text index, for `$text`. */
  readonly text?: TextIndex | undefined;
}

/** Tests one value as it stands, without looking into an array. */
type Matcher = (doc: Doc, found: (index: number) => void) => boolean;

/** @throws {EngineError} BadValue: an unknown operator, an operand of the wrong kind */
export function compileFilter(filter: Doc, options: FilterOptions = {}): Filter {
  const matches = compileDoc(filter, options);
  let places: Matcher[] | undefined;
  const [first, second] = orders(filter);
  if (second)
    throw bad(first === second ? `Too many ${first} expressions` : 'text and geoNear not allowed in same query');
  if (first === 'text') assertPrefix(filter, options.text?.prefix ?? []);
  return {
    test: (doc) => matches(doc, () => undefined),
    positional(doc) {
      places ??= placing(filter).map(([path, operand]) => compilePath(path, operand, options));
      let index: number | undefined;
      for (const tells of places)
        tells(doc, (i) => {
          index = i;
        });
      return index;
    },
  };
}

/** The searches at a query's top that order what is found: there can be one. */
const orders = (filter: Doc): string[] =>
  Object.entries(filter).flatMap(([key, v]) => {
    if (key === '$text') return ['text'];
    if (key === '$and' && Array.isArray(v)) return v.flatMap((part) => (isDoc(part) ? orders(part) : []));
    return !key.startsWith('$') && isDoc(v) && ('$near' in v || '$nearSphere' in v) ? ['geoNear'] : [];
  });

/** The paths that a query holds equal to a value. */
const equalIn = (filter: Doc): string[] =>
  Object.entries(filter).flatMap(([key, v]) => {
    if (key === '$and' && Array.isArray(v)) return v.flatMap((part) => (isDoc(part) ? equalIn(part) : []));
    const operators = isDoc(v) && Object.keys(v)[0]?.startsWith('$') === true;
    return key.startsWith('$') || v instanceof BSONRegExp || (operators && !('$eq' in v)) ? [] : [key];
  });

/** https://www.mongodb.com/docs/manual/core/indexes/index-types/index-text/text-index-restrictions/ @throws {EngineError} 291 */
function assertPrefix(filter: Doc, prefix: readonly string[]): void {
  if (prefix.length === 0) return;
  const equal = equalIn(filter);
  if (!prefix.every((path) => equal.includes(path)))
    throw new EngineError(
      'NoQueryExecutionPlans',
      'failed to use text index to satisfy $text query (if text index is compound, are equality predicates given for all prefix fields?)',
    );
}

const all =
  (matchers: readonly Matcher[]): Matcher =>
  (doc, found) =>
    matchers.every((m) => m(doc, found));

/** Fields that a reference to a document has. https://www.mongodb.com/docs/manual/reference/database-references/ */
const REFERENCE = new Set(['$ref', '$id', '$db']);

function compileDoc(filter: Doc, options: FilterOptions): Matcher {
  const matchers = Object.entries(filter).flatMap(([key, operand]) =>
    key.startsWith('$') && !REFERENCE.has(key) ? topLevel(key, operand, options) : [compilePath(key, operand, options)],
  );
  const [only] = matchers;
  return matchers.length === 1 && only ? only : all(matchers);
}

function topLevel(key: string, operand: Value, options: FilterOptions): Matcher[] {
  if (key === '$comment') return [];
  if (options.inElement && ['$expr', '$text', '$where', '$sampleRate'].includes(key))
    throw bad(`${key} can only be applied to the top-level document`);
  if (key === '$expr') {
    const place = options.upsert ? 'the query predicate for an upsert' : 'this context';
    if (options.near === 'element' || options.upsert)
      throw new EngineError('QueryFeatureNotAllowed', `$expr is not allowed in ${place}`);
    if (options.collation) assertCollated('$expr', operand);
    const variables = { now: options.now ?? new Date(), let: options.let ?? {}, collation: options.collation };
    const evaluate = compileWith(variables, () => compileExpression(operand));
    return [(doc) => truthy(evaluate(doc, variables))];
  }
  if (key === '$and' || key === '$or' || key === '$nor') {
    if (!Array.isArray(operand)) throw bad(`${key} argument must be an array`);
    if (operand.length === 0) throw bad(`${key} argument must be a non-empty array`);
    const parts = operand.map((part) => {
      if (!isDoc(part)) throw bad(`${key} argument's entries must be objects`);
      if (key === '$or' && options.near === undefined && orders(part).includes('text'))
        throw new EngineError('NotImplemented', '$text within $or is not supported by the embedded engine');
      return compileDoc(part, key === '$and' ? options : nested(options));
    });
    if (key === '$and') return [all(parts)];
    const some: Matcher = (doc, found) => parts.some((p) => p(doc, found));
    return [key === '$or' ? some : (doc, found) => !some(doc, found)];
  }
  if (key === '$alwaysTrue' || key === '$alwaysFalse') {
    if (toInteger(operand) !== 1) throw new EngineError('FailedToParse', `${key} must be an integer value of 1`);
    return [() => key === '$alwaysTrue'];
  }
  if (key === '$jsonSchema') {
    const meets = compileSchema(operand);
    return [(doc) => meets(doc)];
  }
  if ((options.near === 'validator' || options.near === 'element') && ['$text', '$where'].includes(key))
    throw bad(`${key} is not allowed in this context`);
  if (key === '$text') {
    if (options.near === 'nested') throw bad(`$text has to stand at the top of a query`);
    const search = compileText(operand, options.text);
    return [
      (doc) => {
        const score = search(doc);
        keepScore(doc, score);
        return score !== undefined;
      },
    ];
  }
  if (['$where', '$sampleRate'].includes(key))
    throw new EngineError('NotImplemented', `${key} is not supported by the embedded engine`);
  throw bad(
    `unknown top level operator: ${key}. If you have a field name that starts with a '$' symbol, consider using $getField or $setField.`,
  );
}

const nested = (options: FilterOptions): FilterOptions => ({ ...options, near: options.near ?? 'nested' });

/** @throws {EngineError} 2, 5626500: the order of `$near` has no meaning here */
function assertNear({ near }: FilterOptions): void {
  if (near === 'nested') throw bad('geo $near must be top-level expr');
  if (near !== undefined)
    throw new EngineError(
      5626500,
      '$geoNear, $near, and $nearSphere are not allowed in this context, as these operators require sorting geospatial data. If you do not need sort, consider using $geoWithin instead.',
    );
}

/** A document in `$all` that begins with one of them is a condition, which can not be there; with another dollar it is a value. */
const CONDITIONS = new Set(
  (
    '$eq $ne $gt $gte $lt $lte $in $nin $exists $type $not $mod $regex $options $size $all $elemMatch $bitsAllSet $bitsAllClear ' +
    '$bitsAnySet $bitsAnyClear $geoWithin $within $geoIntersects $near $nearSphere $geoNear $maxDistance $minDistance'
  ).split(' '),
);

function compilePath(path: string, operand: Value, options: FilterOptions): Matcher {
  const parts = path.split('.');
  if (!isOperators(operand)) {
    return onLeaf(parts, operand instanceof BSONRegExp ? regexTest(operand) : equalTest(operand, options));
  }
  const near = nearIn(operand);
  if (near || '$geoNear' in operand) assertNear(options);
  if (near) return (doc) => distanceAt(doc, parts, near) !== undefined;
  const matchers = Object.entries(operand).flatMap(([operator, value]): Matcher[] => {
    if (!operator.startsWith('$')) throw bad(`unknown operator: ${operator}`);
    if (operator === '$options' && '$regex' in operand) return [];
    return [compileOperator(parts, operator, value, operand, options)];
  });
  return all(matchers);
}

/** A test on each value that the path reaches, and on each element where it reaches an array, unless it is `alone`. */
function onLeaf(parts: readonly string[], test: Test, alone = false): Matcher {
  return (doc, found) =>
    visitPath(doc, parts, (v, index) => {
      const at = !alone && Array.isArray(v) ? v.findIndex(test) : -1;
      if (at === -1 && !test(v)) return false;
      const place = index ?? (at === -1 ? undefined : at);
      if (place !== undefined) found(place);
      return true;
    });
}

const not =
  (matcher: Matcher): Matcher =>
  (doc) =>
    !matcher(doc, () => undefined);

function elemMatch(parts: readonly string[], operand: Value, options: FilterOptions): Matcher {
  if (!isDoc(operand)) throw bad('$elemMatch needs an Object');
  const within: FilterOptions = { ...nested(options), inElement: true, alone: false };
  let test: Test;
  const first = Object.keys(operand)[0] ?? '';
  if (first.startsWith('$') && !['$and', '$or', '$nor', '$expr'].includes(first) && !REFERENCE.has(first)) {
    const matcher = compilePath('v', operand, { ...within, alone: true });
    test = (v) => matcher({ v }, () => undefined);
  } else {
    const matcher = compileDoc(operand, within);
    test = (v) =>
      isDoc(v)
        ? matcher(v, () => undefined)
        : Array.isArray(v) && matcher(Object.fromEntries(v.entries()), () => undefined);
  }
  return (doc, found) =>
    visitPath(doc, parts, (v, index) => {
      if (!Array.isArray(v)) return false;
      const at = v.findIndex(test);
      if (at === -1) return false;
      found(index ?? at);
      return true;
    });
}

const isElemMatch = (v: Value): v is Doc => isDoc(v) && Object.keys(v)[0] === '$elemMatch';

function compileOperator(
  parts: readonly string[],
  operator: string,
  operand: Value,
  whole: Doc,
  options: FilterOptions,
): Matcher {
  const leaf = (test: Test): Matcher => onLeaf(parts, test, options.alone);
  switch (operator) {
    case '$eq':
      return leaf(equalTest(operand, options));
    case '$ne':
      if (operand instanceof BSONRegExp) throw bad("Can't have regex as arg to $ne.");
      return not(leaf(equalTest(operand, options)));
    case '$gt':
    case '$gte':
    case '$lt':
    case '$lte':
      return leaf(rangeTest(operator, operand, options));
    case '$in':
      return leaf(inList(operand, operator, options));
    case '$nin':
      return not(leaf(inList(operand, operator, options)));
    case '$exists': {
      const wanted = truthy(operand);
      const exists = leaf((v) => v !== undefined);
      return wanted ? exists : not(exists);
    }
    case '$type': {
      const test = typeTest(operand);
      return leaf(test);
    }
    case '$not': {
      if (operand instanceof BSONRegExp) return not(leaf(regexTest(operand)));
      if (!isOperators(operand)) throw bad('$not needs a regex or a document');
      return not(compilePath(parts.join('.'), operand, nested(options)));
    }
    case '$mod':
      return leaf(modTest(operand));
    case '$regex': {
      const flags = whole['$options'];
      if (flags !== undefined && typeof flags !== 'string') throw bad('$options has to be a string');
      if (operand instanceof BSONRegExp && operand.options !== '' && flags !== undefined)
        throw new EngineError(
          Object.keys(whole)[0] === '$options' ? 51074 : 51075,
          'options set in both $regex and $options',
        );
      if (!(operand instanceof BSONRegExp) && typeof operand !== 'string') throw bad('$regex has to be a string');
      const { pattern, options: own } = typeof operand === 'string' ? { pattern: operand, options: '' } : operand;
      return leaf(regexTest({ pattern, options: flags ?? own }));
    }
    case '$options':
      throw bad('$options needs a $regex');
    case '$size': {
      const size = toInteger(operand);
      if (size === undefined || size > 2 ** 31 - 1) throw bad(`Failed to parse $size. Expected an integer`);
      if (size < 0) throw bad(`Failed to parse $size. Expected a non-negative number in: $size: ${size}`);
      return (doc, found) =>
        visitPath(doc, parts, (v, index) => {
          if (!Array.isArray(v) || v.length !== size) return false;
          if (index !== undefined) found(index);
          return true;
        });
    }
    case '$all': {
      if (!Array.isArray(operand)) throw bad('$all needs an array');
      if (operand.length === 0) return () => false;
      const inElements = isElemMatch(operand[0]);
      return all(
        operand.map((item) => {
          if (inElements) {
            if (!isElemMatch(item)) throw bad('$all/$elemMatch has to be consistent');
            return elemMatch(parts, item['$elemMatch'], options);
          }
          if (isOperators(item) && CONDITIONS.has(Object.keys(item)[0] ?? '')) throw bad('no $ expressions in $all');
          return leaf(item instanceof BSONRegExp ? regexTest(item) : equalTest(item, options));
        }),
      );
    }
    case '$elemMatch':
      return elemMatch(parts, operand, options);
    case '$bitsAllSet':
    case '$bitsAllClear':
    case '$bitsAnySet':
    case '$bitsAnyClear':
      return leaf(bitsTest(operator, operand));
    case '$comment':
      return () => true;
    case '$geoWithin':
    case '$within':
      return leaf(geoWithin(operand));
    case '$geoIntersects':
      return leaf(geoIntersects(operand));
    default:
      throw bad(`unknown operator: ${operator}`);
  }
}
