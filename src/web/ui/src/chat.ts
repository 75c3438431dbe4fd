import { computed, reactive } from 'vue';
import { api, type Chip, type Inspection, type Message, type NewFile, type Person, type Room } from './api';

/** A message on its way, or one that did not arrive. */
export interface Draft extends Message {
  state: 'sending' | 'failed';
  files: NewFile[];
}
export interface Place {
  key: string;
  room: string | null;
  name: string;
  unit: string | null;
  count: number;
}

const stored = (key: string): string | null => sessionStorage.getItem(key);

export const chat = reactive({
  people: [] as Person[],
  rooms: [] as Room[],
  me: '',
  place: 'private',
  open: false,
  messages: new Map<string, Message[]>(),
  drafts: new Map<string, Draft[]>(),
  unread: new Map<string, number>(),
  chips: [] as Chip[],
  line: true,
  working: false,
  inspection: undefined as Inspection | undefined,
  /** On a narrow screen the inspector is a sheet that is asked for. */
  sheet: false,
  quoting: undefined as Message | undefined,
  now: new Date(),
});

let stop: (() => void) | undefined;
const keyOf = (room: string | null): string => room ?? 'private';

export const me = computed(() => chat.people.find((p) => p.id === chat.me));
export const places = computed<Place[]>(() => [
  { key: 'private', room: null, name: '网格小助手', unit: '私聊', count: 0 },
  ...chat.rooms
    .filter((r) => r.members.includes(chat.me))
    .map((r) => ({ key: r.id, room: r.id, name: r.name, unit: r.unit, count: r.members.length })),
]);
export const current = computed<Place>(
  () => places.value.find((p) => p.key === chat.place) ?? (places.value[0] as Place),
);
export const shown = computed<(Message | Draft)[]>(() => [
  ...(chat.messages.get(chat.place) ?? []),
  ...(chat.drafts.get(chat.place) ?? []),
]);
export const nameOf = (id: string): string =>
  id === 'bot' ? '网格小助手' : (chat.people.find((p) => p.id === id)?.name ?? id);

function add(message: Message): void {
  const key = keyOf(message.room);
  // A group made in another tab since.
  if (message.room !== null && !chat.rooms.some((r) => r.id === message.room))
    void api.rooms().then((rooms) => (chat.rooms = rooms));
  const list = chat.messages.get(key) ?? [];
  if (list.some((m) => m.id === message.id)) return;
  chat.messages.set(key, [...list, message]);
  chat.drafts.set(
    key,
    (chat.drafts.get(key) ?? []).filter((d) => d.id !== message.id),
  );
  if (message.from === 'bot') chat.working = false;
  const seen = key === chat.place && (chat.open || window.innerWidth >= 900) && !document.hidden;
  if (!seen && message.from !== chat.me) chat.unread.set(key, (chat.unread.get(key) ?? 0) + 1);
}

async function catchUp(room: string | null): Promise<void> {
  const key = keyOf(room);
  const list = chat.messages.get(key) ?? [];
  for (const message of await api.messages(chat.me, room, list.at(-1)?.id)) {
    const there = chat.messages.get(key) ?? [];
    if (!there.some((m) => m.id === message.id)) chat.messages.set(key, [...there, message]);
  }
}

export async function become(id: string): Promise<void> {
  stop?.();
  chat.me = id;
  sessionStorage.setItem('me', id);
  location.hash = id;
  chat.messages = new Map();
  chat.drafts = new Map();
  chat.unread = new Map();
  chat.inspection = undefined;
  if (!places.value.some((p) => p.key === chat.place)) chat.place = 'private';
  stop = api.listen(id, {
    message: add,
    line(up) {
      if (up && !chat.line) void Promise.all(places.value.map((p) => catchUp(p.room)));
      chat.line = up;
    },
  });
  await Promise.all(places.value.map((p) => catchUp(p.room)));
  await openPlace(chat.place, false);
}

export async function openPlace(key: string, show = true): Promise<void> {
  chat.place = key;
  chat.open = show || chat.open;
  chat.unread.set(key, 0);
  chat.inspection = undefined;
  chat.quoting = undefined;
  chat.chips = await api.chips(chat.me, current.value.room).catch(() => []);
}

export async function send(text: string, mentions: string[], files: NewFile[]): Promise<void> {
  const draft: Draft = {
    id: crypto.randomUUID(),
    room: current.value.room,
    from: chat.me,
    text,
    mentions,
    attachments: files.map((f) => ({ name: f.name, type: f.type, url: `data:${f.type};base64,${f.base64}` })),
    ...(chat.quoting && { quote: { text: chat.quoting.text, messageId: chat.quoting.id } }),
    at: chat.now.toISOString(),
    state: 'sending',
    files,
  };
  chat.quoting = undefined;
  await deliver(draft);
}

/** Sends, or sends again with the same id: it is one message however often it is tried. */
export async function deliver(draft: Draft): Promise<void> {
  const key = keyOf(draft.room);
  const others = (chat.drafts.get(key) ?? []).filter((d) => d.id !== draft.id);
  chat.drafts.set(key, [...others, { ...draft, state: 'sending' }]);
  const dots = setTimeout(() => (chat.working = true), 300);
  try {
    await api.send({
      from: draft.from,
      room: draft.room,
      text: draft.text,
      messageId: draft.id,
      mentions: draft.mentions,
      attachments: draft.files,
      ...(draft.quote?.messageId !== undefined && {
        quote: { text: draft.quote.text, messageId: draft.quote.messageId },
      }),
    });
    chat.inspection = await api.inspect(draft.id).catch(() => undefined);
    chat.chips = await api.chips(chat.me, current.value.room).catch(() => chat.chips);
  } catch {
    chat.drafts.set(key, [...others, { ...draft, state: 'failed' }]);
  } finally {
    clearTimeout(dots);
    chat.working = false;
  }
}

/** Moves the program's clock on; it never goes back. Returns whether it did. */
export async function moveClock(to: Date): Promise<boolean> {
  if (!(to > chat.now)) return false;
  chat.now = new Date((await api.moveClock(to.toISOString())).now);
  return true;
}

/** What the bot made of a message of mine, shown on any width. */
export async function inspect(id: string): Promise<void> {
  chat.inspection = await api.inspect(id).catch(() => undefined);
  chat.sheet = true;
}

export async function addPerson(name: string): Promise<void> {
  const made = await api.newPerson(name);
  chat.people.push(made);
  await become(made.id);
}

/** A group that the bot has just joined: the one who makes it is in it. */
export async function addRoom(name: string, members: readonly string[]): Promise<void> {
  const made = await api.newRoom(name, [chat.me, ...members]);
  chat.rooms.push(made);
  await catchUp(made.id);
  await openPlace(made.id);
}

/** Takes everything away and loads the demo community anew. */
export async function reset(): Promise<void> {
  await api.reset();
  location.reload();
}

export async function start(): Promise<void> {
  [chat.people, chat.rooms] = await Promise.all([api.people(), api.rooms()]);
  const tick = async (): Promise<void> => {
    chat.now = new Date((await api.clock()).now);
  };
  await tick();
  setInterval(() => void tick().catch(() => undefined), 20_000);
  const wanted = location.hash.slice(1) || stored('me') || '';
  const first = chat.people.find((p) => p.id === wanted) ?? chat.people[0];
  if (first) await become(first.id);
}
