import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { z } from 'zod';
import { type RunningApp, startApp } from '../../src/app.js';
import { parseConfig } from '../../src/config.js';

const Message = z.object({
  id: z.string(),
  room: z.string().nullable(),
  from: z.string(),
  to: z.string().optional(),
  text: z.string(),
  mentions: z.array(z.string()),
  attachments: z.array(z.object({ name: z.string(), type: z.string(), url: z.string() })),
  at: z.iso.datetime(),
});
const Waited = z.object({
  messageId: z.string(),
  outcome: z.enum(['ignored', 'duplicate', 'handled', 'refused', 'failed']),
  replies: z.array(Message),
});

describe('the sandbox API', () => {
  let app: RunningApp;
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'gridmate-api-'));
    app = await startApp(parseConfig({ DATA_DIR: folder, PORT: '0' }), pino({ level: 'silent' }), 'same');
  }, 180_000);
  afterAll(async () => {
    await app.stop();
    await rm(folder, { recursive: true, force: true });
  });
  const url = (path: string): string => `${app.url}/api/sandbox${path}`;
  const post = (path: string, body: unknown): Promise<Response> =>
    fetch(url(path), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
  const say = async (message: object): Promise<z.infer<typeof Waited>> =>
    Waited.parse(await (await post('/messages?wait=1', message)).json());

  it('lists people with their posts and rooms with their members; 王秀兰 comes first', async () => {
    const people = z
      .array(
        z.object({
          id: z.string(),
          name: z.string(),
          title: z.enum(['secretary', 'gridLeader', 'buildingLeader', 'member', 'stranger']),
          unit: z.string().nullable(),
        }),
      )
      .parse(await (await fetch(url('/people'))).json());
    expect(people[0]?.name).toBe('王秀兰');
    expect(new Set(people.map((p) => p.title)).size).toBe(5);
    const rooms = z
      .array(z.object({ id: z.string(), name: z.string(), unit: z.string().nullable(), members: z.array(z.string()) }))
      .parse(await (await fetch(url('/rooms'))).json());
    expect(rooms.length).toBeGreaterThanOrEqual(4);
    for (const room of rooms) for (const id of room.members) expect(people.map((p) => p.id)).toContain(id);
  });

  it('a message waited for is answered with its outcome and replies; the same id again gives the same replies', async () => {
    const message = { from: 'member-1', room: 'grid-3', text: '服务 护学 30分钟', messageId: 'api-1' };
    const first = await say(message);
    expect(first.outcome).toBe('handled');
    const again = await say(message);
    expect(again).toEqual({ ...first, outcome: 'duplicate' });
    expect((await say({ from: 'member-1', room: 'grid-3', text: '大家好' })).outcome).toBe('ignored');
    const shown = z.array(Message).parse(await (await fetch(url('/messages?person=member-1&room=grid-3'))).json());
    expect(shown.filter((m) => m.id === 'api-1')).toHaveLength(1);
    expect(shown.filter((m) => m.id === first.replies[0]?.id)).toHaveLength(1);
    const after = z
      .array(Message)
      .parse(await (await fetch(url(`/messages?person=member-1&room=grid-3&after=api-1`))).json());
    expect(after.map((m) => m.id)).not.toContain('api-1');
    const accepted = await post('/messages', { from: 'member-1', room: null, text: '积分' });
    expect([accepted.status, Object.keys((await accepted.json()) as object)]).toEqual([202, ['messageId']]);
  });

  it('server-sent events bring what a person sees, and only that', async () => {
    const stop = new AbortController();
    const response = await fetch(url('/events?person=member-2'), { signal: stop.signal });
    expect(response.headers.get('content-type')).toContain('text/event-stream');
    const reader = response.body?.getReader();
    await say({ from: 'member-1', room: null, text: '我的', messageId: 'not-for-2' });
    await say({ from: 'member-1', room: 'grid-3', text: '各位早', messageId: 'for-2' });
    let text = '';
    while (!text.includes('for-2')) text += new TextDecoder().decode((await reader?.read())?.value);
    expect(text).toContain('event: message');
    expect(text).not.toContain('not-for-2"');
    stop.abort();
  });

  it('a new stranger, a new group that the bot greets, and the clock that only goes forward', async () => {
    const person = z
      .object({ id: z.string(), title: z.literal('stranger') })
      .parse(await (await post('/people', { name: '新来的' })).json());
    const room = z
      .object({ id: z.string() })
      .parse(await (await post('/rooms', { name: '新群', members: [person.id, 'grid-leader-3'] })).json());
    const greeting = z
      .array(Message)
      .parse(await (await fetch(url(`/messages?person=${person.id}&room=${room.id}`))).json());
    expect(greeting.map((m) => m.from)).toEqual(['bot']);
    await say({ from: 'member-3', room: null, text: '服务 护学' });
    const now = new Date(z.object({ now: z.string() }).parse(await (await fetch(url('/clock'))).json()).now);
    expect((await post('/clock', { now: new Date(now.getTime() - 60_000).toISOString() })).status).toBe(409);
    const moved = await post('/clock', { now: new Date(now.getTime() + 3_600_000).toISOString() });
    expect(new Date(z.object({ now: z.string() }).parse(await moved.json()).now).getTime()).toBeGreaterThanOrEqual(
      now.getTime() + 3_600_000,
    );
    // The question of before ran out of time on the way.
    const shown = z.array(Message).parse(await (await fetch(url('/messages?person=member-3&room=private'))).json());
    expect(shown.at(-1)?.text).toContain('等了10分钟没有回答');
  });

  it('reads a text with no effect', async () => {
    const read = async (body: object): Promise<unknown> => (await post('/read', body)).json();
    expect(await read({ text: '服务 昨天扫地2小时', now: '2026-11-25T10:00:00+08:00' })).toEqual({
      intent: 'service.report',
      slots: { reports: [{ item: '环境整治', minutes: 120, date: '2026-11-24' }] },
    });
    expect(await read({ text: '服务 钱多多 扫地 2小时', names: ['钱多多'] })).toMatchObject({
      slots: { reports: [{ members: ['钱多多'] }] },
    });
    expect(await read({ text: '大家好' })).toEqual({ intent: 'ignore', slots: {} });
  });

  it.each<[string, string, unknown, number]>([
    ['no JSON', '/messages', '{', 400],
    ['no text', '/messages', { from: 'member-1' }, 400],
    ['a text of 4,001 characters', '/messages', { from: 'member-1', text: 'x'.repeat(4001) }, 400],
    ['an unknown field', '/messages', { from: 'member-1', text: 'x', admin: true }, 400],
    ['an unknown person', '/messages', { from: 'nobody', text: 'x' }, 404],
    ['an unknown room', '/messages', { from: 'member-1', room: 'nowhere', text: 'x' }, 404],
    ['a room one is not in', '/messages', { from: 'member-1', room: 'grid-1', text: 'x' }, 403],
    ['an id with spaces', '/messages', { from: 'member-1', text: 'x', messageId: 'a b' }, 400],
    ['a time that is none', '/messages', { from: 'member-1', text: 'x', at: 'yesterday' }, 400],
    [
      'bytes that are no base64',
      '/messages',
      { from: 'member-1', text: 'x', attachments: [{ name: 'a', type: 'image/png', base64: '***' }] },
      400,
    ],
    [
      'ten attachments',
      '/messages',
      {
        from: 'member-1',
        text: 'x',
        attachments: Array.from({ length: 10 }, () => ({ name: 'a', type: 'image/png', base64: 'AA==' })),
      },
      400,
    ],
    [
      'a body of 13 MB',
      '/messages',
      {
        from: 'member-1',
        text: 'x',
        attachments: [{ name: 'a', type: 'image/png', base64: 'A'.repeat(13 * 2 ** 20) }],
      },
      413,
    ],
    ['a nameless person', '/people', { name: ' ' }, 400],
    ['a room with an unknown member', '/rooms', { name: 'x', members: ['nobody'] }, 404],
    ['a clock that is no time', '/clock', { now: 'soon' }, 400],
    ['a role that is none', '/read', { text: 'x', role: 'king' }, 400],
  ])('%s is refused with a code and a message', async (_name, path, body, status) => {
    const response = await post(path, body);
    expect(response.status).toBe(status);
    expect(
      z
        .object({ error: z.object({ code: z.string().min(1), message: z.string().min(1) }) })
        .safeParse(await response.json()).success,
    ).toBe(true);
  });

  it('a page elsewhere that points its name here gets nothing', async () => {
    const { request } = await import('node:http');
    const status = await new Promise<number | undefined>((resolve, reject) => {
      request(`${app.url}/api/sandbox/people`, { headers: { host: 'evil.example' } }, (r) => {
        r.resume();
        resolve(r.statusCode);
      })
        .on('error', reject)
        .end();
    });
    expect(status).toBe(403);
  });

  it('health, readiness and metrics answer', async () => {
    for (const path of ['/healthz', '/readyz']) expect((await fetch(app.url + path)).status).toBe(200);
    expect(await (await fetch(`${app.url}/metrics`)).text()).toContain(
      'gridmate_messages_received_total{channel="sandbox",outcome="handled"}',
    );
  });
});
