import type { Day } from '../../calendar.js';
import { DomainError } from '../error.js';

export class ImplausibleDuration extends DomainError<{ minutes: number }> {
  readonly code = 'service.implausible';
}
export class DayFull extends DomainError<{ name: string; day: Day; already: number; minutes: number }> {
  readonly code = 'service.dayFull';
}
export class FutureDay extends DomainError<{ day: Day }> {
  readonly code = 'service.future';
}
export class TooLate extends DomainError<{ day: Day; days: number }> {
  readonly code = 'service.tooLate';
}
export class MemberNotFound extends DomainError<{ name: string }> {
  readonly code = 'service.memberNotFound';
}
export class SeveralMembers extends DomainError<{ name: string }> {
  readonly code = 'service.severalMembers';
}
export class ReportNotFound extends DomainError<{ number: number }> {
  readonly code = 'service.notFound';
}
export class NotYourReport extends DomainError<{ number: number }> {
  readonly code = 'service.notYours';
}
export type ServiceError =
  | ImplausibleDuration
  | DayFull
  | FutureDay
  | TooLate
  | MemberNotFound
  | SeveralMembers
  | ReportNotFound
  | NotYourReport;
