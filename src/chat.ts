import { createInterface } from 'node:readline';
import { z } from 'zod';
import { environment } from './environment.js';

/** `npm run chat`: the sandbox in a terminal. Who, where, type; answers appear as they come. */
const Person = z.object({ id: z.string(), name: z.string(), title: z.string(), unit: z.string().nullable() });
const Room = z.object({ id: z.string(), name: z.string(), members: z.array(z.string()) });
const Message = z.object({ id: z.string(), room: z.string().nullable(), from: z.string(), text: z.string() });
type Message = z.infer<typeof Message>;

const base = `http://127.0.0.1:${environment()['PORT'] ?? '3000'}/api/sandbox`;
const say = (text: string): void => void process.stdout.write(`${text}\n`);
const HELP = '/who [名字] 换一个人　/where [群名] 换地方（/where 私聊）　/help 这段话　/quit 离开；其他的话直接发出去';

async function get<T>(path: string, schema: z.ZodType<T>): Promise<T> {
  return schema.parse(await (await fetch(base + path)).json());
}

/** Calls back for each message that the person sees, until stopped. */
function listen(person: string, on: (message: Message) => void): () => void {
  const stop = new AbortController();
  const run = async (): Promise<void> => {
    const response = await fetch(`${base}/events?person=${encodeURIComponent(person)}`, { signal: stop.signal });
    let text = '';
    const decoder = new TextDecoder();
    for await (const chunk of response.body ?? []) {
      text += decoder.decode(chunk as Uint8Array, { stream: true });
      const events = text.split('\n\n');
      text = events.pop() ?? '';
      for (const event of events) {
        const data = /^data: (.*)$/m.exec(event)?.[1];
        if (data !== undefined) on(Message.parse(JSON.parse(data)));
      }
    }
  };
  run().catch((error: unknown) => {
    if (!stop.signal.aborted) say(`连接断开了：${error instanceof Error ? error.message : String(error)}`);
  });
  return () => stop.abort();
}

async function main(): Promise<void> {
  const people = await get('/people', z.array(Person));
  const rooms = await get('/rooms', z.array(Room));
  let me = people[0];
  if (!me) {
    say('这里还没有人。用 DEMO=on 启动程序可以装入演示社区');
    return;
  }
  let room: string | null = null;
  const mine = (): typeof rooms => rooms.filter((r) => r.members.includes(me?.id ?? ''));
  const placeName = (id: string | null): string =>
    id === null ? '与小助手私聊' : (rooms.find((r) => r.id === id)?.name ?? id);
  const shown = new Set<string>();
  const show = (m: Message): void => {
    if (m.from === me?.id || shown.has(m.id)) return;
    shown.add(m.id);
    const name = m.from === 'bot' ? '网格小助手' : (people.find((p) => p.id === m.from)?.name ?? m.from);
    say(`[${placeName(m.room)}] ${name}：${m.text}`);
  };
  const where = (): void => say(`您现在是${me?.name ?? ''}（${me?.unit ?? '陌生人'}），在：${placeName(room)}`);
  let stop = listen(me.id, show);
  say(HELP);
  where();
  const lines = createInterface({ input: process.stdin, terminal: false });
  for await (const line of lines) {
    const [command = '', ...rest] = line.trim().split(/\s+/);
    const wanted = rest.join(' ');
    if (command === '/quit') break;
    if (command === '') continue;
    if (command === '/help') say(HELP);
    else if (command === '/who') {
      const found = people.find((p) => wanted !== '' && (p.name.includes(wanted) || p.id === wanted));
      if (!found) say(people.map((p) => `${p.name}（${p.unit ?? '陌生人'}，${p.title}）`).join('　'));
      else {
        stop();
        me = found;
        room = null;
        stop = listen(me.id, show);
        where();
      }
    } else if (command === '/where') {
      const found = mine().find((r) => wanted !== '' && r.name.includes(wanted));
      if (found) room = found.id;
      else if (wanted === '私聊') room = null;
      else say(['私聊', ...mine().map((r) => r.name)].join('　'));
      where();
    } else {
      const body = JSON.stringify({ from: me.id, room, text: line });
      const response = await fetch(`${base}/messages?wait=1`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
      });
      if (response.ok)
        for (const reply of z.object({ replies: z.array(Message) }).parse(await response.json()).replies) show(reply);
      else say(`没有发出去：${await response.text()}`);
    }
  }
  // What was just answered is still on its way to this terminal.
  await new Promise((resolve) => setTimeout(resolve, 200));
  stop();
}

main().catch((error: unknown) => {
  process.exitCode = 1;
  const refused = error instanceof TypeError && error.message === 'fetch failed';
  say(
    refused
      ? `连不上 ${base}：请先在另一个终端运行 npm start（端口不是3000时设 PORT）`
      : `出错了：${error instanceof Error ? error.message : String(error)}`,
  );
});
