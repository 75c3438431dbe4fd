import { Int32, Long } from 'bson';
import { equals } from '../bson/compare.js';
import { isDoc, toInteger } from '../bson/types.js';
import { decode, type Doc, encode, type Value } from '../bson/value.js';
import { EngineError } from '../errors.js';

/** Statements in a row that had one answer. */
interface Run {
  readonly from: number;
  readonly to: number;
  readonly answer: Doc;
}

/** What a session has done under its newest number. */
export interface Memory {
  readonly txnNumber: bigint;
  /** The number was a transaction's, which was committed. */
  readonly committed: boolean;
  readonly runs: readonly Run[];
}

/** Where the number lies in a stored memory: it is the first field. */
const NUMBER_AT = 4 + 1 + 'txnNumber\0'.length;

/** The number of a stored memory, without decoding it. */
export const numberOf = (stored: Buffer): bigint => stored.readBigInt64LE(NUMBER_AT);

export const stored = ({ txnNumber, committed, runs }: Memory): Buffer =>
  Buffer.from(
    encode({
      txnNumber: Long.fromBigInt(txnNumber),
      at: new Date(),
      committed,
      runs: runs.map(({ from, to, answer }) => ({ from: new Int32(from), to: new Int32(to), answer })),
    }),
  );

/**
 * A stored memory. One that an earlier release wrote in its own shape does not say what was done statement by statement:
 * to do it again might do it twice. It is not brought up, since nobody asks for it after half an hour.
 *
 * @throws {EngineError} 217: it has another shape
 */
export function read(bytes: Buffer): Memory {
  const { txnNumber, committed, runs } = decode(bytes);
  if (!(txnNumber instanceof Long) || !Array.isArray(runs))
    throw new EngineError(
      'IncompleteTransactionHistory',
      'what was done under this transaction number was written by another release: look at what is stored, and go on with a new number',
    );
  return {
    txnNumber: txnNumber.toBigInt(),
    committed: committed === true,
    runs: runs.filter(isDoc).map(({ from, to, answer }) => ({
      from: toInteger(from) ?? 0,
      to: toInteger(to) ?? -1,
      answer: isDoc(answer) ? answer : {},
    })),
  };
}

/** The numbers of a command's statements, as its client gave them (stmtIds, stmtId), or counted from 0. */
export function statementNumber({ stmtIds, stmtId }: Doc): (index: number) => number {
  const given: readonly Value[] = Array.isArray(stmtIds) ? stmtIds : [];
  const first = toInteger(stmtId) ?? 0;
  return (index) => toInteger(given[index]) ?? first + index;
}

/**
 * A command that may be sent again: statements that were done under its number have the answer they had, all others run.
 * https://github.com/mongodb/specifications/blob/master/source/retryable-writes/retryable-writes.md
 */
export class Retry {
  readonly #runs: Run[];
  readonly #number: (index: number) => number;
  /** Statements of this command that were done before. */
  readonly retried: number[] = [];
  constructor(runs: readonly Run[], number: (index: number) => number) {
    this.#runs = [...runs];
    this.#number = number;
  }

  get runs(): readonly Run[] {
    return this.#runs;
  }

  /** The answer of a statement that was done before. */
  known(index: number): Doc | undefined {
    const n = this.#number(index);
    const run = this.#runs.find(({ from, to }) => from <= n && n <= to);
    if (run) this.retried.push(n);
    return run?.answer;
  }

  done(index: number, answer: Doc): void {
    const n = this.#number(index);
    const last = this.#runs.at(-1);
    if (last && last.to + 1 === n && equals(last.answer, answer))
      this.#runs[this.#runs.length - 1] = { ...last, to: n };
    else this.#runs.push({ from: n, to: n, answer });
  }
}
