import { Schema, type Connection, type Model } from 'mongoose';

export interface Person {
  readonly id: string;
  readonly name: string;
  readonly title: string;
  readonly unit: string | null;
}
export interface Room {
  readonly id: string;
  readonly name: string;
  readonly unit: string | null;
  readonly members: readonly string[];
}
type Stored<T> = Omit<T, 'id'> & { readonly _id: string; /** Its place in the list. */ readonly order: number };

const personSchema = new Schema<Stored<Person>>(
  {
    _id: { type: String, required: true },
    name: { type: String, required: true },
    title: { type: String, required: true },
    order: { type: Number, required: true },
    unit: { type: String, default: null },
  } as Record<keyof Stored<Person>, object>,
  { versionKey: false, autoIndex: false },
);
const roomSchema = new Schema<Stored<Room>>(
  {
    _id: { type: String, required: true },
    name: { type: String, required: true },
    order: { type: Number, required: true },
    unit: { type: String, default: null },
    members: { type: [String], default: [] },
  } as Record<keyof Stored<Room>, object>,
  { versionKey: false, autoIndex: false },
);

/** Who can be whom, and which groups there are: the sandbox's side of a network, held in memory and written through. */
export class SandboxPeople {
  readonly people = new Map<string, Person>();
  readonly rooms = new Map<string, Room>();
  readonly #people: Model<Stored<Person>>;
  readonly #rooms: Model<Stored<Room>>;

  constructor(connection: Connection) {
    this.#people = connection.model<Stored<Person>>('SandboxPerson', personSchema, 'sandboxPeople');
    this.#rooms = connection.model<Stored<Room>>('SandboxRoom', roomSchema, 'sandboxRooms');
  }

  async load(): Promise<void> {
    this.people.clear();
    this.rooms.clear();
    for (const { _id, name, title, unit } of await this.#people
      .find({})
      .sort({ order: 1, _id: 1 })
      .lean<Stored<Person>[]>())
      this.people.set(_id, { id: _id, name, title, unit });
    for (const { _id, name, unit, members } of await this.#rooms
      .find({})
      .sort({ order: 1, _id: 1 })
      .lean<Stored<Room>[]>())
      this.rooms.set(_id, { id: _id, name, unit, members });
  }

  async addPeople(people: readonly Person[]): Promise<void> {
    await this.#people.insertMany(
      people.map(({ id, ...rest }, i) => ({ _id: id, order: this.people.size + i, ...rest })),
    );
    for (const person of people) this.people.set(person.id, person);
  }

  async addRooms(rooms: readonly Room[]): Promise<void> {
    await this.#rooms.insertMany(rooms.map(({ id, ...rest }, i) => ({ _id: id, order: this.rooms.size + i, ...rest })));
    for (const room of rooms) this.rooms.set(room.id, room);
  }
}
