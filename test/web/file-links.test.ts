import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { type RunningApp, startApp } from '../../src/app.js';
import { adapt } from '../../src/bot/adaption.js';
import { parseConfig } from '../../src/config.js';
import { fileLinks } from '../../src/web/file-routes.js';

describe('a file for a reader whose network carries none', () => {
  let app: RunningApp;
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'gridmate-links-'));
    const env = { DATA_DIR: folder, PORT: '0', DEMO: 'off', PUBLIC_URL: 'https://bot.example/' };
    app = await startApp(parseConfig(env), pino({ level: 'silent' }), 'same');
  });
  afterAll(async () => {
    await app.stop();
    await rm(folder, { recursive: true, force: true });
  });
  /** Another process of the same store. */
  const links = async (publicUrl?: string, now = new Date()) => {
    const { connection, services } = app.store;
    const made = fileLinks({ connection, clock: { now: () => now }, publicUrl, find: services.attachments.find });
    await made.load();
    return made;
  };
  const stored = () =>
    app.store.services.attachments.store('名单.xlsx', 'application/vnd.ms-excel', Buffer.from('a sheet'), new Date());
  const got = async (address: string | undefined): Promise<[number, string]> => {
    const response = await fetch((address ?? '').replace('https://bot.example', app.url));
    return [response.status, response.ok ? await response.text() : ''];
  };

  it('is named in the text with a link that any process honours, for a week', async () => {
    const file = await stored();
    const { linkTo } = await links('https://bot.example');
    const message = {
      id: 'm',
      interaction: 'm',
      to: { channel: 'wecom', room: 'g' },
      text: '名单在这里',
      mentions: [],
      attachments: [file],
      choices: [],
      at: new Date(),
    };
    const adapted = adapt(message, { images: false, files: false }, linkTo);
    expect(adapted.attachments).toEqual([]);
    const link = /^名单在这里\n文件「名单.xlsx」：(https:\S+)$/.exec(adapted.text)?.[1];
    expect(await got(link)).toEqual([200, 'a sheet']);
    const old = await links('https://bot.example', new Date(Date.now() - 8 * 86_400_000));
    expect((await got(old.linkTo(file)))[0]).toBe(404);
  });

  it('a link that was changed, or is for another file, opens nothing', async () => {
    const [file, other] = [
      await stored(),
      await app.store.services.attachments.store('b', 'image/png', Buffer.from('b'), new Date()),
    ];
    const link = (await links('https://bot.example')).linkTo(file) ?? '';
    const [until, signature] = link.split('/').slice(-2);
    for (const wrong of [
      link.replace(file.id, other.id),
      link.replace(`/${until}/`, '/zzzzzzz/'),
      link.replace(signature ?? '', 'A'.repeat(43)),
      link.slice(0, -1),
      `${link}x`,
    ])
      expect((await got(wrong))[0]).toBe(404);
  });

  it('without an address for people there is no link: the text says whom to ask', async () => {
    const file = await stored();
    expect((await links()).linkTo(file)).toBeUndefined();
  });
});
