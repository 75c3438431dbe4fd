import { Schema, type Connection } from 'mongoose';
import { type Clock, systemClock } from './clock.js';

interface ClockState {
  readonly _id: string;
  readonly offsetMs: number;
}
const schema = new Schema<ClockState>(
  { _id: { type: String, required: true }, offsetMs: { type: Number, required: true } } as Record<
    keyof ClockState,
    object
  >,
  { versionKey: false, autoIndex: false },
);

/** Time does not go back. */
export class ClockGoesBack extends Error {
  override readonly name = 'ClockGoesBack';
}

export interface MovableClock extends Clock {
  load(): Promise<void>;
  /** @throws {ClockGoesBack} the moment is past */
  moveTo(at: Date): Promise<void>;
}

/** The computer's clock, set forward by what the sandbox asks; the store keeps how far, so that a restart does not jump back. */
export function movableClock(connection: Connection): MovableClock {
  const states = connection.model<ClockState>('ClockState', schema, 'clock');
  let offset = 0;
  const now = (): Date => new Date(systemClock.now().getTime() + offset);
  return {
    now,
    async load() {
      offset = (await states.findById('clock').lean<ClockState>())?.offsetMs ?? 0;
    },
    async moveTo(at) {
      if (at < now()) throw new ClockGoesBack(`it is ${now().toISOString()} already`);
      offset = at.getTime() - systemClock.now().getTime();
      await states.updateOne({ _id: 'clock' }, { $set: { offsetMs: offset } }, { upsert: true });
    },
  };
}
