import { Int32, Long } from 'bson';
import { type Collation, readCollation } from '../bson/collation.js';
import { isDoc, isNumeric, toInteger, toNumber } from '../bson/types.js';
import type { Doc, Value } from '../bson/value.js';
import { badValue as bad, EngineError } from '../errors.js';
import { compileFilter, type Filter } from '../query/match.js';

/** What a collection was made with. */
export interface CollectionOptions {
  /** As listCollections shows it, and as it is stored. */
  readonly doc: Doc;
  readonly collation: Collation | undefined;
  readonly validator: { readonly filter: Filter; readonly level: string; readonly action: string } | undefined;
  /** The most that it holds; what was first goes first. */
  readonly capped: { readonly bytes: number; readonly documents: number } | undefined;
  /** What a view is of. */
  readonly view: { readonly on: string; readonly pipeline: readonly Value[] } | undefined;
  /** The field of a time series that holds the time. */
  readonly timeField: string | undefined;
  /** Documents end so long after their time: `timeField`, or a date in `_id` of a clustered collection. */
  readonly expireAfterSeconds: number | undefined;
}

const invalid = (message: string): EngineError => new EngineError('InvalidOptions', message);

/** https://www.mongodb.com/docs/manual/core/timeseries/timeseries-granularity/ */
const bucketSpans: Readonly<Record<string, number>> = { seconds: 3600, minutes: 86_400, hours: 2_592_000 };

/** https://www.mongodb.com/docs/manual/core/capped-collections/ */
function cappedOf({ capped, size, max }: Doc): Doc {
  if (capped !== true) {
    if (size !== undefined || max !== undefined)
      throw invalid("the 'capped' field needs to be true when 'size' or 'max' is set");
    return {};
  }
  const bytes = isNumeric(size) ? toNumber(size) : Number.NaN;
  if (!(bytes > 0)) throw invalid("the 'size' field is required when 'capped' is true");
  const most = max === undefined ? 0 : (toInteger(max) ?? Number.NaN);
  if (!(most < 2 ** 31)) throw bad('max in a capped collection has to be < 2^31');
  return {
    capped: true,
    size: Long.fromNumber(Math.ceil(bytes)),
    ...(most > 0 && { max: new Int32(most) }),
  };
}

/** https://www.mongodb.com/docs/manual/core/timeseries-collections/ */
function timeseriesOf(timeseries: Value): Doc {
  if (!isDoc(timeseries)) throw new EngineError('TypeMismatch', "BSON field 'create.timeseries' must be an object");
  const {
    timeField,
    metaField,
    granularity = 'seconds',
    bucketMaxSpanSeconds,
    ...rest
  } = timeseries as Record<string, Value>;
  const [odd] = Object.keys(rest);
  if (odd !== undefined)
    throw new EngineError(
      odd === 'bucketRoundingSeconds' ? 'NotImplemented' : 40415,
      `BSON field 'create.timeseries.${odd}' is an unknown field.`,
    );
  for (const field of [timeField, metaField ?? 'meta'])
    if (typeof field !== 'string' || field === '' || field.includes('.'))
      throw bad("'timeField' and 'metaField' have to be names of fields at the top");
  if (metaField === timeField || metaField === '_id')
    throw invalid("'metaField' must be a different field than 'timeField' and '_id'");
  const span = typeof granularity === 'string' ? bucketSpans[granularity] : undefined;
  if (span === undefined)
    throw bad(`Enumeration value for field 'create.timeseries.granularity' is not a valid value.`);
  return {
    timeField,
    ...(metaField !== undefined && { metaField }),
    granularity,
    bucketMaxSpanSeconds: bucketMaxSpanSeconds ?? new Int32(span),
  };
}

/** Documents lie in the order of `_id` in any case. https://www.mongodb.com/docs/manual/core/clustered-collections/ */
function clusteredOf(clustered: Value): Doc {
  const { key, unique, name = '_id_' } = isDoc(clustered) ? (clustered as Record<string, Value>) : {};
  if (!isDoc(key) || Object.keys(key).join() !== '_id' || toInteger(key['_id']) !== 1 || unique !== true)
    throw new EngineError(6979700, "The 'clusteredIndex' option is only supported with key: {_id: 1} and unique: true");
  return { v: new Int32(2), key, name, unique };
}

/** https://www.mongodb.com/docs/manual/core/views/ */
function viewOf({ viewOn, pipeline = [], ...rest }: Doc): CollectionOptions['view'] {
  if (viewOn === undefined) {
    if (Array.isArray(pipeline) && pipeline.length > 0)
      throw invalid("'pipeline' requires 'viewOn' to also be specified");
    return undefined;
  }
  if (typeof viewOn !== 'string' || viewOn === '') throw bad("'viewOn' cannot be empty");
  if (!Array.isArray(pipeline)) throw new EngineError('TypeMismatch', "BSON field 'create.pipeline' must be an array");
  const odd = Object.keys(rest).find((name) => name !== 'collation');
  if (odd !== undefined) throw invalid(`'${odd}' is not allowed with 'viewOn'`);
  const writes = pipeline.find((stage) => isDoc(stage) && ('$out' in stage || '$merge' in stage));
  if (writes !== undefined)
    throw new EngineError(
      'OptionNotSupportedOnView',
      'The aggregation stages $out and $merge cannot be used in a view',
    );
  return { on: viewOn, pipeline };
}

/**
 * Reads what a collection is made with: `create`'s fields.
 *
 * @throws {EngineError} 2, 9, 14, 72: options that are wrong, or do not go together
 */
export function readOptions(given: Doc): CollectionOptions {
  const {
    validator,
    validationLevel = 'strict',
    validationAction = 'error',
    collation,
    timeseries,
    clusteredIndex,
    expireAfterSeconds,
    changeStreamPreAndPostImages: images,
  } = given as Record<string, Value>;
  if (validator !== undefined && !isDoc(validator))
    throw new EngineError('TypeMismatch', "BSON field 'create.validator' must be an object");
  if (typeof validationLevel !== 'string' || !['off', 'strict', 'moderate'].includes(validationLevel))
    throw bad("Enumeration value for field 'validationLevel' is not a valid value.");
  if (typeof validationAction !== 'string' || !['error', 'warn', 'errorAndLog'].includes(validationAction))
    throw bad("Enumeration value for field 'validationAction' is not a valid value.");
  const seconds = toInteger(expireAfterSeconds);
  if (expireAfterSeconds !== undefined && (seconds === undefined || seconds < 0))
    throw invalid("'expireAfterSeconds' must be a whole number of seconds from 0");
  if (seconds !== undefined && timeseries === undefined && clusteredIndex === undefined)
    throw invalid(
      "'expireAfterSeconds' is only supported on time-series collections or when the 'clusteredIndex' option is specified",
    );
  const capped = cappedOf(given);
  if (capped['capped'] === true && (timeseries !== undefined || clusteredIndex !== undefined))
    throw invalid("'capped' is not allowed with 'timeseries' or 'clusteredIndex'");
  const checks = validator !== undefined && Object.keys(validator).length > 0;
  const view = viewOf(given);
  const order = readCollation(collation);
  const series = timeseries === undefined ? undefined : timeseriesOf(timeseries);
  let compiled: Filter | undefined;
  const time = series?.['timeField'];
  return {
    doc: {
      ...(view && { viewOn: view.on, pipeline: [...view.pipeline] }),
      ...capped,
      ...(series && { timeseries: series }),
      ...(expireAfterSeconds !== undefined && { expireAfterSeconds: Long.fromNumber(seconds ?? 0) }),
      ...(clusteredIndex !== undefined && { clusteredIndex: clusteredOf(clusteredIndex) }),
      ...(checks && { validator }),
      ...((checks || given['validationLevel'] !== undefined) && { validationLevel }),
      ...((checks || given['validationAction'] !== undefined) && { validationAction }),
      ...(order && { collation: order.doc }),
      // Kept and shown: only change streams, which are refused, would tell the images.
      ...(isDoc(images) && { changeStreamPreAndPostImages: images }),
    },
    collation: order,
    validator: checks
      ? {
          // Compiled when it is first used: one that an earlier release took and this one does not keeps no store from opening.
          get filter(): Filter {
            compiled ??= compileFilter(validator, { ...(order && { collation: order }) });
            return compiled;
          },
          level: validationLevel,
          action: validationAction,
        }
      : undefined,
    capped:
      capped['capped'] === true
        ? { bytes: Number(capped['size']), documents: toInteger(capped['max']) ?? Number.POSITIVE_INFINITY }
        : undefined,
    view,
    timeField: typeof time === 'string' ? time : undefined,
    expireAfterSeconds: seconds,
  };
}
