import { equal, type Json, type JsonDoc, numberOf, same } from '../json.js';
import { docOf, listOf } from '../request.js';
import { ACCUMULATORS } from './accumulators.js';
import { order } from './order.js';

/** A document as it comes to a stage: see `Arrivals`. */
export type Row = JsonDoc;
type Bounds = readonly [from: number, to: number];

const valueOf = (row: Row | undefined, field: string): Json | undefined => docOf(row?.['v'])[field];
const isKnown = (v: Json | undefined): v is Json => v !== undefined && v !== null;
const keysOf = (row: Row): readonly Json[] => listOf(row['by']);
const compared = (a: Row, b: Row): number =>
  keysOf(a)
    .map((key, i) => order(key, keysOf(b)[i]))
    .find((by) => by !== 0) ?? 0;

/** The places of a window of documents round the document at a place, the first and the one after the last. */
function boundsOf(window: Json | undefined, at: number, length: number): Bounds {
  const [from, to] = listOf(docOf(window)['documents']);
  const place = (bound: Json | undefined, open: number): number =>
    bound === 'current' ? at : bound === undefined || bound === 'unbounded' ? open : at + (numberOf(bound)?.value ?? 0);
  return [Math.max(0, place(from, 0)), Math.min(length - 1, place(to, length - 1)) + 1];
}

/** The values between two known ones lie on a line over what is sorted by. */
function isOnLine(made: Json | undefined, rows: readonly Row[], at: number, field: string): boolean {
  const value = (row: Row | undefined): number => numberOf(valueOf(row, field))?.value ?? NaN;
  const place = (row: Row | undefined): number => numberOf(listOf(row?.['by'])[0])?.value ?? NaN;
  if (isKnown(valueOf(rows[at], field))) return same(made, valueOf(rows[at], field));
  const [left, right] = [
    rows.slice(0, at).findLast((row) => isKnown(valueOf(row, field))),
    rows.slice(at).find((row) => isKnown(valueOf(row, field))),
  ];
  if (left === undefined || right === undefined) return made === null;
  const share = (place(rows[at]) - place(left)) / (place(right) - place(left));
  const wanted = value(left) + share * (value(right) - value(left));
  return equal(made, { $numberDouble: String(wanted) });
}

/**
 * Whether $setWindowFields may give a value to a document, by the pages of its operators under reference/operator/aggregation/.
 * @param rows what comes to the stage, of one partition
 */
export function permitsInWindow(
  made: Json | undefined,
  partition: readonly Row[],
  row: Row,
  field: string,
  spec: Json,
): boolean {
  const rows = partition.toSorted(compared);
  const at = rows.indexOf(row);
  const { window, ...rest } = docOf(docOf(docOf(spec)['output'])[field]);
  const [[operator, operand] = ['', null]] = Object.entries(rest);
  const before = rows.filter((other) => compared(other, row) < 0);
  switch (operator) {
    case '$documentNumber':
      return numberOf(made)?.value === at + 1;
    case '$rank':
      return numberOf(made)?.value === before.length + 1;
    case '$denseRank':
      return (
        numberOf(made)?.value ===
        before.filter((other, i) => i === 0 || compared(before[i - 1] ?? other, other) !== 0).length + 1
      );
    case '$shift': {
      const other = rows[at + (numberOf(docOf(operand)['by'])?.value ?? 0)];
      return same(made, other === undefined ? (docOf(operand)['default'] ?? null) : (valueOf(other, field) ?? null));
    }
    case '$locf':
      return same(
        made,
        rows
          .slice(0, at + 1)
          .map((other) => valueOf(other, field))
          .findLast(isKnown) ?? null,
      );
    case '$linearFill':
      return isOnLine(made, rows, at, field);
    default: {
      const values = rows.slice(...boundsOf(window, at, rows.length)).map((other) => valueOf(other, field));
      // A window that slides keeps its values sorted: of equal ones the last that came is the greatest.
      const [lower] = listOf(docOf(window)['documents']);
      const slides = lower !== undefined && lower !== 'unbounded';
      const ties = slides && operator === '$max' ? 'last' : 'first';
      return ACCUMULATORS[operator]?.(made, { values, keys: [], ordered: true, ties }, operand) ?? false;
    }
  }
}
