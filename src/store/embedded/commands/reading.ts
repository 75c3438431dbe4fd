import type { PartialDecoder } from '../bson/partial.js';
import { type Doc, encode } from '../bson/value.js';
import { type CodeName, EngineError } from '../errors.js';
import type { Found } from '../query/execute.js';
import type { Transaction } from '../transactions/transactions.js';
import { cursorReply } from '../wire/message.js';
import { type Context, optionalDoc, optionalNumber } from './command.js';
import { checked } from './fields.js';

export const DEFAULT_BATCH = 101;

/** Other commands get their turn. */
export const pause = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** @throws {EngineError} 51024, or `code`: it is below 0 */
export const nonNegative = (command: Doc, name: string, code: CodeName | number = 51024): number | undefined => {
  const n = optionalNumber(command, name);
  if (n !== undefined && n < 0)
    throw new EngineError(code, `BSON field '${name}' value must be >= 0, actual value '${n}'`);
  return n;
};

/** What a cursor is told when it stays open: the time limit was the first batch's, and it closes with its snapshot. */
export const openedIn =
  (tx: Transaction) =>
  (close: () => void): void => {
    tx.deadline = undefined;
    tx.atEnd.push(close);
  };

/** `cursor: { batchSize }` of a command that answers with a cursor. @throws {EngineError} 14, 40415; 51024, or `code`: below 0 */
export function batchSizeOf(command: Doc, name: string, code?: CodeName): number | undefined {
  const { batchSize } = checked(optionalDoc(command, 'cursor', name) ?? {}, `${name}.cursor`, { batchSize: 'number' });
  return nonNegative({ batchSize }, 'batchSize', code);
}

/** Answers with a list by a cursor. */
export async function listed(
  context: Context,
  name: string,
  rows: readonly Doc[],
  namespace: string,
): Promise<Uint8Array> {
  const batchSize = batchSizeOf(context.command, name, 'BadValue') ?? Number.MAX_SAFE_INTEGER;
  const { tx, release } = context.snapshot();
  const { docs, id } = await context.engine.cursors.open(
    { rows: rows.map(encode).values(), opened: openedIn(tx), release },
    {
      namespace,
      session: context.session.key,
      connection: context.connectionId,
      batchSize,
      single: rows.length <= batchSize && batchSize > 0,
    },
  );
  return cursorReply('firstBatch', docs, id, namespace);
}

/** The documents, or some fields of them; an undefined where the search may be interrupted. */
export function* decoded(found: Iterable<Found | undefined>, fields?: PartialDecoder): Iterable<Doc | undefined> {
  for (const f of found) yield f?.some(fields);
}
