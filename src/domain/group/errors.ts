import { DomainError } from '../error.js';

export class CodeNotFound extends DomainError<{ code: string }> {
  readonly code = 'group.codeNotFound';
}
export class CodeUsed extends DomainError<{ code: string }> {
  readonly code = 'group.codeUsed';
}
export class UnitNotFound extends DomainError<{ unit: string; near: readonly string[] }> {
  readonly code = 'group.unitNotFound';
}
export class NotYourUnit extends DomainError<{ unit: string }> {
  readonly code = 'group.notYourUnit';
}
export class NotBound extends DomainError<Record<string, never>> {
  readonly code = 'group.notBound';
}
/** A group takes two at least. */
export class TooFewInGroup extends DomainError<{ unit: string }> {
  readonly code = 'group.tooFew';
}
export class GroupMade extends DomainError<{ unit: string }> {
  readonly code = 'group.made';
}
export type GroupError = TooFewInGroup | GroupMade | CodeNotFound | CodeUsed | UnitNotFound | NotYourUnit | NotBound;
