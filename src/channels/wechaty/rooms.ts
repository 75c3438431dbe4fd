import { Schema, type Connection, type Model } from 'mongoose';

/** A group that the bot's account is in, or was. Its binding to a unit is the community's business (see Group). */
export interface WechatyRoom {
  /** The room's id on the network. */
  readonly _id: string;
  /** The group's name as it was last seen. */
  readonly topic: string;
  /** How many are in it; 0: not known. */
  readonly size: number;
  readonly seenAt: Date;
  /** The bot was removed, or left. */
  readonly leftAt: Date | null;
}

const schema = new Schema<WechatyRoom>(
  {
    _id: { type: String, required: true },
    topic: { type: String, default: '' },
    size: { type: Number, default: 0 },
    seenAt: { type: Date, required: true },
    leftAt: { type: Date, default: null },
  } as Record<keyof WechatyRoom, object>,
  { strict: 'throw', versionKey: false, autoIndex: false },
);

/** The groups of the account, as its events and each login show them. */
export class Rooms {
  readonly #rooms: Model<WechatyRoom>;
  /** Groups the bot is no longer in: nothing can be sent there. */
  readonly #left = new Set<string>();

  constructor(connection: Connection) {
    this.#rooms = connection.model<WechatyRoom>('WechatyRoom', schema, 'wechatyRooms');
  }

  async load(): Promise<void> {
    this.#left.clear();
    for (const { _id } of await this.#rooms.find({ leftAt: { $ne: null } }, { _id: 1 }).lean<{ _id: string }[]>())
      this.#left.add(_id);
  }

  async seen(room: string, at: Date, { topic, size }: { topic?: string; size?: number }): Promise<void> {
    this.#left.delete(room);
    const known = { ...(topic !== undefined && { topic }), ...(size !== undefined && { size }) };
    await this.#rooms.updateOne({ _id: room }, { $set: { ...known, seenAt: at, leftAt: null } }, { upsert: true });
  }

  async left(room: string, at: Date): Promise<void> {
    this.#left.add(room);
    await this.#rooms.updateOne({ _id: room }, { $set: { seenAt: at, leftAt: at } }, { upsert: true });
  }

  hasLeft(room: string): boolean {
    return this.#left.has(room);
  }

  /** Those the bot is in. */
  count(): Promise<number> {
    return this.#rooms.countDocuments({ leftAt: null }).exec();
  }

  list(): Promise<WechatyRoom[]> {
    return this.#rooms.find({ leftAt: null }).sort({ topic: 1 }).limit(1000).lean<WechatyRoom[]>();
  }
}
