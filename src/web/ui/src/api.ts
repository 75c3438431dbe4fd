/** The sandbox's API as the page uses it. */
export interface Person {
  id: string;
  name: string;
  title: string;
  unit: string | null;
}
export interface Room {
  id: string;
  name: string;
  unit: string | null;
  members: string[];
}
export interface Message {
  id: string;
  room: string | null;
  from: string;
  to?: string;
  text: string;
  mentions: string[];
  attachments: { name: string; type: string; url: string }[];
  quote?: { text: string; messageId?: string };
  at: string;
}
export interface Chip {
  label: string;
  text: string;
  send?: boolean;
}
export interface Inspection {
  outcome: string;
  intent?: string;
  slots?: object;
  records?: { no: number; kind: string; status: string; text: string }[];
  ledger?: { points: number; rule: string; source: string }[];
  outbox?: { id: string; to: string; status: string; attempts: number }[];
  timings?: { handledMs: number };
}
export interface NewFile {
  name: string;
  type: string;
  base64: string;
}

const base = '/api/sandbox';

async function ask<T>(path: string, init?: RequestInit): Promise<T> {
  const response = await fetch(base + path, init);
  const body: unknown = await response.json();
  if (!response.ok) throw new Error((body as { error?: { message?: string } }).error?.message ?? response.statusText);
  return body as T;
}
const post = <T>(path: string, body: unknown): Promise<T> =>
  ask<T>(path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
const query = (values: Record<string, string | undefined>): string =>
  new URLSearchParams(Object.entries(values).filter((e): e is [string, string] => e[1] !== undefined)).toString();
const place = (room: string | null): string => room ?? 'private';

export const api = {
  people: () => ask<Person[]>('/people'),
  rooms: () => ask<Room[]>('/rooms'),
  messages: (person: string, room: string | null, after?: string) =>
    ask<Message[]>(`/messages?${query({ person, room: place(room), after })}`),
  chips: (person: string, room: string | null) => ask<Chip[]>(`/chips?${query({ person, room: place(room) })}`),
  inspect: (messageId: string) => ask<Inspection>(`/inspect?${query({ messageId })}`),
  clock: () => ask<{ now: string }>('/clock'),
  moveClock: (now: string) => post<{ now: string }>('/clock', { now }),
  reset: () => post<object>('/reset', {}),
  newPerson: (name: string) => post<Person>('/people', { name }),
  newRoom: (name: string, members: string[]) => post<Room>('/rooms', { name, members }),
  send: (message: {
    from: string;
    room: string | null;
    text: string;
    messageId: string;
    mentions: string[];
    attachments: NewFile[];
    quote?: { text: string; messageId: string };
  }) => post<{ messageId: string }>('/messages', message),
  /** Calls back for each message that the person sees, and when the line comes or goes. */
  listen(person: string, on: { message: (m: Message) => void; line: (up: boolean) => void }): () => void {
    const source = new EventSource(`${base}/events?${query({ person })}`);
    source.addEventListener('message', (event) =>
      on.message(JSON.parse((event as MessageEvent<string>).data) as Message),
    );
    source.addEventListener('open', () => on.line(true));
    source.addEventListener('error', () => on.line(false));
    return () => source.close();
  },
};
