import type { PartialDecoder } from '../bson/partial.js';
import type { Doc } from '../bson/value.js';
import { EngineError } from '../errors.js';
import type { Found } from '../query/execute.js';
import type { Transaction } from '../transactions/transactions.js';
import { optionalNumber } from './command.js';

export const DEFAULT_BATCH = 101;

/** Other commands get their turn. */
export const pause = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

export const nonNegative = (command: Doc, name: string): number | undefined => {
  const n = optionalNumber(command, name);
  if (n !== undefined && n < 0)
    throw new EngineError(
      name === 'batchSize' || name === 'skip' ? 51024 : 'BadValue',
      `BSON field '${name}' value must be >= 0, actual value '${n}'`,
    );
  return n;
};

/** What a cursor is told when it stays open: the time limit was the first batch's, and it closes with its snapshot. */
export const openedIn =
  (tx: Transaction) =>
  (close: () => void): void => {
    tx.deadline = undefined;
    tx.atEnd.push(close);
  };

/** The documents, or some fields of them; an undefined where the search may be interrupted. */
export function* decoded(found: Iterable<Found | undefined>, fields?: PartialDecoder): Iterable<Doc | undefined> {
  for (const f of found) yield f?.some(fields);
}
