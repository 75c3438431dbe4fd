import { Long } from 'bson';
import { compilePipeline } from '../aggregate/pipeline.js';
import type { PipelineEnv } from '../aggregate/stage.js';
import { isDoc, isNumeric, toWhole } from '../bson/types.js';
import type { Doc, Value } from '../bson/value.js';
import { EngineError } from '../errors.js';
import { compileFilter } from '../query/match.js';
import { NO_TEXT } from '../query/text/search.js';
import { type Catalogue, type Collection, SYSTEM_DATABASES } from '../storage/catalogue.js';
import { type CollectionOptions, readOptions } from '../storage/options.js';
import type { Fields } from './fields.js';
import { sourceOf } from './views.js';

const invalid = (message: string): EngineError => new EngineError('InvalidOptions', message);

/** Those of a command's fields that are options of a collection. */
export const optionsIn = (command: Doc, names: readonly string[]): Doc =>
  Object.fromEntries(names.flatMap((name) => (command[name] == null ? [] : [[name, command[name]]])));

/** Options that collMod changes, of collections and of views. */
const OF_COLLECTIONS: Fields = {
  validator: 'object',
  validationLevel: 'string',
  validationAction: 'string',
  expireAfterSeconds: 'own',
  changeStreamPreAndPostImages: 'object',
};
const OF_CAPPED: Fields = { cappedSize: 'number', cappedMax: 'number' };
const OF_VIEWS: Fields = { viewOn: 'string', pipeline: 'documents' };
export const CHANGEABLE: Fields = { ...OF_COLLECTIONS, ...OF_CAPPED, ...OF_VIEWS };

/** A view's pipeline is only looked at, so it reads nothing. */
const NOTHING: PipelineEnv = {
  variables: { now: new Date(0), let: {} },
  text: NO_TEXT,
  source: (name) => ({ name, stages: [] }),
  read: () => [],
  about: { stats: () => Promise.resolve({}), indexes: () => [] },
  memoryLimitBytes: 0,
  pause: () => Promise.resolve(),
};

/** Stages that stand for a collection, and read none. */
const OF_NO_COLLECTION = ['$documents', '$currentOp', '$listLocalSessions', '$listSessions'];

/** @throws {EngineError} 72: no validator may be there; as a query: it is none; 5, 73: a view that is of itself, or of no collection; as an aggregation: its pipeline is none */
export function assertOptions(
  catalogue: Catalogue,
  db: string,
  name: string,
  { doc, view, collation }: CollectionOptions,
): void {
  const { validator, timeseries } = doc;
  if (isDoc(validator)) {
    if (SYSTEM_DATABASES.includes(db) || name.startsWith('system.') || timeseries !== undefined)
      throw invalid(`Document validators are not allowed on system and time series collections: ${db}.${name}`);
    compileFilter(validator, { near: 'validator', ...(collation && { collation }) });
  }
  if (!view) return;
  const [first] = view.pipeline;
  const odd = isDoc(first) && OF_NO_COLLECTION.find((stage) => stage in first);
  if (odd) throw new EngineError('InvalidNamespace', `${odd} is only valid with {aggregate: 1}, and in no view`);
  const read = readBy(view);
  sourceOf(catalogue, db, view.on);
  for (const from of read) {
    if (from === name) throw new EngineError('GraphContainsCycle', `View cycle detected: ${db}.${name}`);
    const other = catalogue.find(db, from)?.options.view;
    if (other) for (const further of readBy(other)) read.add(further);
  }
}

/** The names that a view reads from, of itself and by its stages. @throws {EngineError} its pipeline is none */
function readBy({ on, pipeline }: NonNullable<CollectionOptions['view']>): Set<string> {
  const names = new Set([on]);
  compilePipeline(pipeline, {
    ...NOTHING,
    source(name) {
      names.add(name);
      return { name, stages: [] };
    },
  });
  return names;
}

/** @throws {EngineError} 2: out of its bounds */
function bounded(option: string, v: Value, least: number, most: number): number | undefined {
  if (!isNumeric(v)) return undefined;
  const n = toWhole(v);
  if (n < least || n > most)
    throw new EngineError('BadValue', `BSON field 'collMod.${option}' value must be from ${least} to ${most}`);
  return n;
}

/**
 * A collection's options as collMod changes them; undefined: it changes none.
 * https://www.mongodb.com/docs/manual/reference/command/collMod/
 *
 * @throws {EngineError} 2, 72: what is out of its bounds, or not for this kind of collection
 */
export function changedOptions({ options }: Collection, command: Doc): CollectionOptions | undefined {
  const given = optionsIn(command, Object.keys(CHANGEABLE));
  const names = Object.keys(given);
  const odd = names.find((option) => option in OF_VIEWS !== (options.view !== undefined));
  if (odd !== undefined || (options.view && command['index'] != null))
    throw invalid(`option '${odd ?? 'index'}' is not supported on a ${options.view ? 'view' : 'collection'}`);
  const { cappedSize, cappedMax, ...plain } = given as Record<string, Value>;
  const size = bounded('cappedSize', cappedSize, 1, 2 ** 50);
  const max = bounded('cappedMax', cappedMax, Number.NEGATIVE_INFINITY, 2 ** 31 - 1);
  const { capped, timeField } = options;
  if ((size !== undefined || max !== undefined) && !capped && timeField === undefined)
    throw invalid('Collection must be capped.');
  if (names.length === 0) return undefined;
  return readOptions({
    ...options.doc,
    ...plain,
    ...(capped && size !== undefined && { size: Long.fromNumber(size) }),
    // None, or less, is no limit.
    ...(capped && max !== undefined && { max: Long.fromNumber(Math.max(max, 0)) }),
  });
}
