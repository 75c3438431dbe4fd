/** The time the program goes by. Nothing else in the program asks the system for the time of day. */
export interface Clock {
  now(): Date;
}

/** The computer's own clock. */
export const systemClock: Clock = { now: () => new Date() };
