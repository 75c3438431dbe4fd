/** Why a connection ended. */
export interface Down {
  readonly reason: string;
  /** The token was refused: trying again at once is useless. */
  readonly badToken: boolean;
}

/** A connection went down before it was up. */
export class ConnectionEnded extends Error {
  override readonly name = 'ConnectionEnded';
  readonly down: Down;
  constructor(down: Down) {
    super(down.reason);
    this.down = down;
  }
}
