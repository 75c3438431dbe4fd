import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { type RunningApp, startApp } from '../../../src/app.js';
import { parseConfig } from '../../../src/config.js';
import { type RunningEngine, start } from '../../../src/store/embedded/index.js';
import { type Chat, GROUP } from '../../conversations/community.js';
import type { WecomConnectionNetwork } from '../../conversations/networks/wecom.js';
import { byConnection } from './running.js';
import { BOT, BOT_SECRET } from './simulator/socket.js';

/** WeCom allows one connection for a bot: of two processes one has it, the other stands by. */
describe('two processes on one store, when the connection moves from one to the other', () => {
  let folder: string;
  let engine: RunningEngine;
  let chat: Chat<WecomConnectionNetwork>;
  let other: RunningApp;
  const sim = () => chat.network.simulator;
  const settings = (more: Readonly<Record<string, string>>): Readonly<Record<string, string>> => ({
    WECOM_CORP_ID: '',
    WECOM_APP_AGENT_ID: '',
    WECOM_APP_SECRET: '',
    MONGODB_URI: engine.uri,
    MONGODB_NAME: 'moved',
    ...more,
  });
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'gridmate-moved-'));
    engine = await start({ folder, thread: 'same' });
    chat = await byConnection(settings({}));
    const env = {
      WECOM_BOT_ID: BOT,
      WECOM_BOT_SECRET: BOT_SECRET,
      WECOM_WS_URL: sim().wsUrl,
      WECOM_API_URL: sim().api.url,
      PORT: '0',
      DEMO: 'off',
      DATA_DIR: folder,
    };
    other = await startApp(parseConfig(settings(env)), pino({ level: 'silent' }));
    await other.schedule.stop();
  });
  afterAll(async () => {
    await other.stop();
    await sim().stop();
    await engine.stop();
    await rm(folder, { recursive: true, force: true });
  });

  it('no answer is lost, what may have arrived says so, and a question is answered where it is heard', async () => {
    expect(other.wecom?.connectionState()).toBe('standby');
    const { connection } = other.store;
    const outbox = connection.collection('outbox');
    const until = async (done: () => boolean | Promise<boolean>): Promise<void> => {
      for (let i = 0; i < 1200 && !(await done()); i += 1) await new Promise((r) => setTimeout(r, 25));
      expect(await done()).toBe(true);
    };
    // Asked in the group and not answered yet.
    expect(await chat.inGroup('张三', '服务 扫地')).toContain('多长时间');
    // Its answer is shown, and the connection breaks before that is said; this chat only the first process has met.
    sim().socket.failNext('drop');
    const asked = chat.said('王秀兰', '积分');
    await sim().writeByConnection({ ...asked, pictures: [] });
    await until(async () => (await outbox.countDocuments({ status: 'pending', maybeSent: true })) === 1);
    await chat.app.stop();

    await until(() => other.wecom?.connectionState() === 'up');
    await until(async () => (await outbox.countDocuments({ status: 'pending' })) === 0);
    const [first, second, ...more] = await chat.told('王秀兰');
    expect([second, more]).toEqual([`（可能重复）${first}`, []]);
    expect(await outbox.countDocuments({ status: 'dead' })).toBe(0);

    const answer = chat.said('张三', '1小时', { room: GROUP });
    await sim().writeByConnection({ ...answer, pictures: [] });
    await until(async () => (await connection.collection('serviceReports').countDocuments({ member: '张三' })) === 1);
  }, 90_000);
});
