/**
 * A refusal that a script has a sentence for, as the engine sees it: anything thrown that bears a `code` with a dot
 * (`notice.notFound`) and details. The engine does not import the domain, so it goes by the shape.
 */
export interface DomainErrorLike extends Error {
  readonly code: string;
  readonly details: object;
}

export const isDomainError = (error: unknown): error is DomainErrorLike =>
  error instanceof Error &&
  'code' in error &&
  typeof error.code === 'string' &&
  'details' in error &&
  typeof error.details === 'object' &&
  error.details !== null;
