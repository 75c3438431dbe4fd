/** A refusal the domain expects and a person can act on. Anything else that is thrown is a defect. */
export abstract class DomainError<Details extends object = object> extends Error {
  abstract readonly code: string;
  readonly details: Details;

  constructor(details: Details) {
    super(JSON.stringify(details));
    this.details = details;
  }
}

/** One sentence for each error of a union: leaving one out does not compile. */
export type RepliesFor<E extends DomainError> = { readonly [X in E as X['code']]: (details: X['details']) => string };
