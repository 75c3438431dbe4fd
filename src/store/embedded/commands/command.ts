import { Int32 } from 'bson';
import { compileExpression } from '../aggregate/expression.js';
import { assertVariable } from '../aggregate/variable-names.js';
import { isDoc, isNumeric, isZero, toInteger, toWhole, typeName } from '../bson/types.js';
import type { Doc, Value } from '../bson/value.js';
import type { Writer } from '../documents/write.js';
import { EngineError } from '../errors.js';
import type { Cursors } from '../server/cursors.js';
import type { Readers } from '../server/readers.js';
import type { Retry } from '../server/retry.js';
import type { SessionFields, Sessions } from '../server/sessions.js';
import type { Catalogue, Collection } from '../storage/catalogue.js';
import type { CollectionOptions } from '../storage/options.js';
import type { Storage } from '../storage/storage.js';
import type { Transaction, Transactions } from '../transactions/transactions.js';
import type { Fields } from './fields.js';

/** What the commands work on. */
export interface Engine {
  readonly storage: Storage;
  readonly transactions: Transactions;
  readonly catalogue: Catalogue;
  readonly sessions: Sessions;
  readonly cursors: Cursors;
  /** Threads that long aggregations run in; undefined: they run in this one. */
  readonly readers?: Readers | undefined;
  /** The address the client used, as hello must repeat it. */
  readonly address: () => string;
  readonly memoryLimitBytes: number;
}

/** What a read has of a request and of what it works on. */
export interface Reading {
  readonly engine: Pick<Engine, 'catalogue' | 'address' | 'memoryLimitBytes'>;
  readonly db: string;
  readonly command: Doc;
  /** The transaction of several statements that it is part of. */
  readonly own?: Transaction | undefined;
  /** A snapshot for a read, and how to let go of it. */
  snapshot(): { tx: Transaction; release: () => void };
}

/** A request, with the generic fields settled. */
export interface Context extends Reading {
  readonly engine: Engine;
  readonly session: SessionFields;
  readonly connectionId: number;
  /** Runs a write: in the session's transaction, or as a transaction of one statement that is remembered if it may be sent again. */
  write(work: (tx: Transaction, writer: Writer, retry?: Retry) => Doc): Promise<Doc>;
}

/** A reply is a document, or bytes made without decoding what is stored. */
export type CommandReply = Doc | Uint8Array;

export interface Command {
  readonly help: string;
  /** Fields beside its name and the generic ones; any other is refused (40415). Undefined: all are taken. */
  readonly fields?: Fields;
  /** Is run on the database `admin` alone. */
  readonly adminOnly?: boolean;
  /** Takes a writeConcern. */
  readonly writes?: boolean;
  /** Takes a readConcern other than `local`. */
  readonly reads?: boolean;
  /** Allowed in a transaction of several statements; `later`: but not as its first. */
  readonly inTransaction?: boolean | 'later';
  /** Can be sent again by a driver that had no answer. */
  readonly retryable?: boolean;
  run(context: Context): Promise<CommandReply> | CommandReply;
}

const wrong = (name: string, path: string, v: Value, wanted: string): EngineError =>
  new EngineError(
    'TypeMismatch',
    `BSON field '${name}.${path}' is the wrong type '${typeName(v)}', expected type '${wanted}'`,
  );

export const missing = (path: string): EngineError =>
  new EngineError(40414, `BSON field '${path}' is missing but a required field`);

/** @throws {EngineError} 40414: it is missing; 14: it is no text */
export function text(command: Doc, name: string, path = 'command'): string {
  const v = command[name];
  if (v === undefined || v === null) throw missing(`${path}.${name}`);
  if (typeof v !== 'string') throw wrong(path, name, v, 'string');
  return v;
}

/** The collection that a command is about: what bears the command's own name. @throws {EngineError} 73: no such name can be */
export function collectionName(command: Doc, name: string): string {
  const v = command[name];
  if (typeof v !== 'string')
    throw new EngineError('InvalidNamespace', `collection name has invalid type ${typeName(v)}`);
  if (v === '' || v.startsWith('.') || v.includes('\0'))
    throw new EngineError('InvalidNamespace', `Invalid namespace specified '${v}'`);
  return v;
}

export function requiredDoc(command: Doc, name: string, path = 'command'): Doc {
  const v = optionalDoc(command, name, path);
  if (!v) throw missing(`${path}.${name}`);
  return v;
}

export function optionalDoc(command: Doc, name: string, path = 'command'): Doc | undefined {
  const v = command[name];
  if (v === undefined) return undefined;
  if (!isDoc(v)) throw wrong(path, name, v, 'object');
  return v;
}

export function optionalNumber(command: Doc, name: string, path = 'command'): number | undefined {
  const v = command[name];
  if (v === undefined || v === null) return undefined;
  if (!isNumeric(v)) throw wrong(path, name, v, 'number');
  return toWhole(v);
}

export function optionalBoolean(command: Doc, name: string, path = 'command'): boolean | undefined {
  const v = command[name];
  if (v === undefined) return undefined;
  if (typeof v === 'boolean') return v;
  if (isNumeric(v)) return !isZero(v);
  throw wrong(path, name, v, 'bool');
}

export function docs(command: Doc, name: string, path = 'command'): Doc[] {
  const v = command[name];
  if (v === undefined) throw missing(`${path}.${name}`);
  if (!Array.isArray(v)) throw wrong(path, name, v, 'array');
  return v.map((item) => {
    if (!isDoc(item)) throw wrong(path, name, item, 'object');
    return item;
  });
}

/** @throws {EngineError} 2: the hint of the natural order says more, or no direction */
function assertNatural(hint: Doc): void {
  const direction = toInteger(hint['$natural']);
  if (Object.keys(hint).length > 1 || (direction !== 1 && direction !== -1))
    throw new EngineError('BadValue', '$natural hint must be alone, and 1 or -1');
}

/** @throws {EngineError} 9: neither a name nor a key; 2: a natural order that can not be */
export const hintOf = (v: Value): string | Doc | undefined => {
  if (v === undefined) return undefined;
  if (typeof v === 'string') return v;
  if (isDoc(v)) {
    if ('$natural' in v) assertNatural(v);
    return Object.keys(v).length === 0 ? undefined : v;
  }
  throw new EngineError('FailedToParse', 'hint must be a string or an object');
};

/** The variables of `let`: expressions without a document. */
export function variablesOf(command: Doc): Doc | undefined {
  const given = optionalDoc(command, 'let');
  if (!given) return undefined;
  const variables = { now: new Date(), let: {} };
  return Object.fromEntries(
    Object.entries(given).map(([name, v]) => {
      assertVariable(name);
      return [name, compileExpression(v)({}, variables)];
    }),
  );
}

export const int = (n: number): Int32 => new Int32(n);

/** A collection that is written to is made where it is missing: in the request's transaction, or in a commit of its own. */
export async function ensureCollection(
  { engine, own }: Context,
  db: string,
  name: string,
  options?: CollectionOptions,
): Promise<Collection> {
  const ensured = (tx: Transaction): Collection =>
    engine.catalogue.find(db, name, tx) ?? engine.catalogue.create(tx, db, name, options);
  if (own) return ensured(own);
  return engine.catalogue.find(db, name) ?? engine.transactions.run(ensured);
}
