import { NotNow } from '../../bot/channel.js';

/** WeCom answered with an error code. Its text is for people and is not gone by. */
export class Refused extends Error {
  override readonly name = 'Refused';
  readonly code: number;

  constructor(code: number, what: string) {
    super(`${what}: errcode ${code}`);
    this.code = code;
  }
}

/** A road does not lead to this conversation (any more): another may. */
export class NoWay extends Error {
  override readonly name = 'NoWay';
}

/** Nothing left this machine: the same message may be sent again as soon as the network is there. */
export class NotSent extends NotNow {
  constructor(reason: string, options?: ErrorOptions) {
    super(reason);
    this.cause = options?.cause;
  }
}

/** Too many messages: nothing more on this road for a while. */
export const TOO_OFTEN: ReadonlySet<number> = new Set([45009, 45033]);
/** The receiver is unknown to the app, or the app is not licensed for them. */
export const BAD_RECEIVER: ReadonlySet<number> = new Set([40003, 40031, 81013]);
/** The webhook, the group or the bot's place in it is gone. */
export const BAD_TARGET: ReadonlySet<number> = new Set([93000, 93001, 93006, 93008]);
/** The answer to that one message is no longer taken; a push may be. */
export const ANSWER_OVER: ReadonlySet<number> = new Set([846605, 846608, 600039]);
/** The access token is over, whatever its time said. */
export const BAD_TOKEN: ReadonlySet<number> = new Set([40014, 42001]);
/** Secret, organisation or rights are wrong: an operator must act. */
export const BAD_CREDENTIALS: ReadonlySet<number> = new Set([40001, 40013, 48002, 301002]);
