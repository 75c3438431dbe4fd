import { DomainError } from '../error.js';

/** There is no preview that could be recorded. */
export class NothingPasted extends DomainError<object> {
  readonly code = 'paste.nothing';
}
export class PasteExpired extends DomainError<{ at: Date }> {
  readonly code = 'paste.expired';
}
export class NoSuchLine extends DomainError<{ line: number; lines: number }> {
  readonly code = 'paste.noSuchLine';
}
export type PasteError = NothingPasted | PasteExpired | NoSuchLine;
