import { Int32 } from 'bson';
import { checked, type Fields } from '../commands/fields.js';
import { isDoc, isNumeric, toInteger, toNumber, truthy, typeName } from '../bson/types.js';
import type { Doc, Value } from '../bson/value.js';
import { EngineError } from '../errors.js';
import type { SessionFields } from './sessions.js';

const READ: Fields = {
  level: 'string',
  afterClusterTime: 'own',
  atClusterTime: 'own',
  afterOpTime: 'object',
  provenance: 'string',
  $allowTransactionTableSnapshot: 'bool',
  $waitLastStableRecoveryTimestamp: 'bool',
};

/** One node holds everything: each level that MongoDB knows is met by a snapshot of it. */
const READ_LEVELS = new Set(['local', 'available', 'majority', 'linearizable', 'snapshot']);

/** Commands that take `snapshot` outside a transaction. */
const SNAPSHOTS = new Set(['find', 'aggregate', 'distinct']);
/** What a transaction may be begun with. */
const IN_TRANSACTIONS = new Set(['local', 'majority', 'snapshot']);

/**
 * `taken`: the command takes a level. Outside a transaction `snapshot` asks for the same moment in later commands too
 * (snapshot sessions), which the engine has not.
 * https://www.mongodb.com/docs/manual/reference/read-concern/
 *
 * @throws {EngineError} 2: no such level; 72: the command takes none but `local`, or no `snapshot`, or it is not the first of a transaction; 238: a
 *   moment in the past
 */
export function checkReadConcern(
  name: string,
  { readConcern }: Doc,
  taken: boolean,
  { inTransaction, startTransaction }: Pick<SessionFields, 'inTransaction' | 'startTransaction'>,
): void {
  if (!isDoc(readConcern)) return;
  const { level, afterClusterTime, atClusterTime } = checked(readConcern, 'readConcern', READ);
  for (const [field, v] of Object.entries({ afterClusterTime, atClusterTime }))
    if (v !== undefined && typeName(v) !== 'timestamp')
      throw new EngineError(
        'TypeMismatch',
        `BSON field 'readConcern.${field}' is the wrong type '${typeName(v)}', expected type 'timestamp'`,
      );
  if (level === 'snapshot' && !inTransaction && !SNAPSHOTS.has(name))
    throw new EngineError('InvalidOptions', `${name} does not take readConcern snapshot outside a transaction`);
  if (inTransaction && !startTransaction && Object.keys(readConcern).length > 0)
    throw new EngineError('InvalidOptions', 'Only the first command in a transaction may specify a readConcern');
  if (atClusterTime !== undefined || (level === 'snapshot' && taken && !inTransaction))
    throw new EngineError(
      'NotImplemented',
      'readConcern snapshot outside a transaction is not supported by the embedded engine',
    );
  if (typeof level !== 'string') return;
  if (!READ_LEVELS.has(level))
    throw new EngineError(
      'BadValue',
      `Enumeration value '${level}' for field 'readConcern.level' is not a valid value.`,
    );
  if (inTransaction && !IN_TRANSACTIONS.has(level))
    throw new EngineError(
      'InvalidOptions',
      "The readConcern level must be either 'local' (default), 'majority' or 'snapshot' in order to run in a transaction",
    );
  if (!taken && !inTransaction && level !== 'local')
    throw new EngineError('InvalidOptions', 'read concern not supported');
}

const WRITE: Fields = {
  w: 'own',
  j: 'flag',
  fsync: 'flag',
  wtimeout: 'own',
  provenance: 'string',
  // As drivers of old sent it: it says nothing.
  getLastError: 'own',
};

const PROVENANCES = new Set([
  'clientSupplied',
  'implicitDefault',
  'customDefault',
  'getLastErrorDefaults',
  'internalWriteDefault',
]);

/** Members that a replica set may have. https://www.mongodb.com/docs/manual/reference/limits/#mongodb-limit-Number-of-Members-of-a-Replica-Set */
const MOST_MEMBERS = 50;

/** @throws {EngineError} 9: no number of members, name of a mode or tags with numbers that can be */
function checkW(w: Value): void {
  if (w === undefined || w === null || typeof w === 'string') return;
  const tags = isDoc(w) ? Object.values(w) : undefined;
  if (tags && (tags.length === 0 || !tags.every(isNumeric)))
    throw new EngineError('FailedToParse', 'tagged write concern requires tags, each with a number');
  if (!isNumeric(w) && !tags)
    throw new EngineError('FailedToParse', `w has to be a number, string, or object; found: ${typeName(w)}`);
  if (isNumeric(w) && !(toNumber(w) >= 0 && toNumber(w) <= MOST_MEMBERS))
    throw new EngineError(
      'FailedToParse',
      `w has to be a non-negative number and not greater than ${MOST_MEMBERS}; found: ${w.toString()}`,
    );
}

/**
 * https://www.mongodb.com/docs/manual/reference/write-concern/
 *
 * @throws {EngineError} 72: the command takes none; 9: a number of members that can not be, `j` and `fsync`; 2, 14, 40415
 */
export function checkWriteConcern(name: string, { writeConcern }: Doc, taken: boolean): void {
  if (!isDoc(writeConcern)) return;
  if (!taken) throw new EngineError('InvalidOptions', `Command ${name} does not support writeConcern`);
  const { j, fsync, wtimeout, provenance } = checked(writeConcern, 'writeConcern', WRITE);
  if (typeof provenance === 'string' && !PROVENANCES.has(provenance))
    throw new EngineError(
      'BadValue',
      `Enumeration value '${provenance}' for field 'writeConcern.provenance' is not a valid value.`,
    );
  if (truthy(j) && truthy(fsync)) throw new EngineError('FailedToParse', 'fsync and j options cannot be used together');
  checkW(writeConcern['w']);
  if (isNumeric(wtimeout) && toNumber(wtimeout) > 2 ** 31 - 1)
    throw new EngineError('FailedToParse', 'wtimeout must be less than 2^31');
}

/** With `w: 0` nobody hears of statements that failed; what waits for the disk is told of all the same. */
export function acknowledged({ writeConcern }: Doc, reply: Doc): Doc {
  if (!reply['writeErrors'] || !isDoc(writeConcern)) return reply;
  const { w, j, fsync } = writeConcern;
  if (toInteger(w) !== 0 || truthy(j) || truthy(fsync)) return reply;
  const { writeErrors: _unheard, ...rest } = reply as Record<string, Value>;
  return rest;
}

/** A write concern that one node cannot meet is told beside the result, as in MongoDB: the write itself stands. */
export function unsatisfied({ writeConcern }: Doc): Doc {
  if (!isDoc(writeConcern)) return {};
  const { w } = writeConcern;
  if ((isNumeric(w) && Math.trunc(toNumber(w)) > 1) || isDoc(w))
    return {
      writeConcernError: {
        code: new Int32(100),
        codeName: 'UnsatisfiableWriteConcern',
        errmsg: 'Not enough data-bearing nodes',
      },
    };
  // A null is a mode without a name.
  if ((typeof w === 'string' && w !== 'majority') || w === null)
    return {
      writeConcernError: {
        code: new Int32(79),
        codeName: 'UnknownReplWriteConcern',
        errmsg: `No write concern mode named '${w ?? ''}' found in replica set configuration`,
      },
    };
  return {};
}
