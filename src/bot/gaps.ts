import { Schema, type Connection, type Model } from 'mongoose';

/** A time in which a channel heard nothing: what was written then may be lost. */
export interface ChannelGap {
  /** `channel:` and the beginning in milliseconds. */
  readonly _id: string;
  readonly channel: string;
  readonly from: Date;
  readonly to: Date;
  readonly reason: string;
}

/** When a channel was last known to hear: a program that is killed leaves the beginning of the gap behind. */
interface ChannelPulse {
  readonly _id: string;
  readonly heardAt: Date;
}

const gapSchema = new Schema<ChannelGap>(
  {
    _id: { type: String, required: true },
    channel: { type: String, required: true },
    from: { type: Date, required: true },
    to: { type: Date, required: true },
    reason: { type: String, required: true },
  } as Record<keyof ChannelGap, object>,
  { strict: 'throw', versionKey: false, autoIndex: false },
);
gapSchema.index({ channel: 1, from: -1 });
gapSchema.index({ to: 1 }, { expireAfterSeconds: 366 * 86_400 });
const pulseSchema = new Schema<ChannelPulse>(
  { _id: { type: String, required: true }, heardAt: { type: Date, required: true } } as Record<
    keyof ChannelPulse,
    object
  >,
  { strict: 'throw', versionKey: false, autoIndex: false },
);

/** The gaps of all channels, kept a year. */
export class Gaps {
  readonly #gaps: Model<ChannelGap>;
  readonly #pulses: Model<ChannelPulse>;

  constructor(connection: Connection) {
    this.#gaps = connection.model<ChannelGap>('ChannelGap', gapSchema, 'channelGaps');
    this.#pulses = connection.model<ChannelPulse>('ChannelPulse', pulseSchema, 'channelPulses');
  }

  /** The channel hears at this moment. */
  async heard(channel: string, at: Date): Promise<void> {
    await this.#pulses.updateOne({ _id: channel }, { $set: { heardAt: at } }, { upsert: true });
  }

  /** The channel hears again: stores the gap since it was last known to; undefined: it never heard before. */
  async ended(channel: string, at: Date, reason: string): Promise<ChannelGap | undefined> {
    const before = await this.#pulses.findById(channel).lean<ChannelPulse>();
    let gap: ChannelGap | undefined;
    if (before && before.heardAt < at) {
      const from = before.heardAt;
      gap = { _id: `${channel}:${from.getTime()}`, channel, from, to: at, reason };
      const { _id, ...rest } = gap;
      await this.#gaps.updateOne({ _id }, { $set: rest }, { upsert: true });
    }
    await this.heard(channel, at);
    return gap;
  }

  /** The newest first. */
  list(channel: string, limit: number): Promise<ChannelGap[]> {
    return this.#gaps.find({ channel }).sort({ from: -1 }).limit(limit).lean<ChannelGap[]>();
  }
}
