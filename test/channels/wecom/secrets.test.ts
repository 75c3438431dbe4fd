import { afterEach, describe, expect, it } from '@jest/globals';
import { type Chat, GROUP } from '../../conversations/community.js';
import { LogLines } from '../log-lines.js';
import { byCallback, byConnection } from './running.js';
import { APP_SECRET } from './simulator/api.js';
import { BOT_SECRET } from './simulator/socket.js';

const ROBOT = 'robot-key-that-is-secret';
const PHONE = '13812345678';
const WORDS = `服务 扫地 1小时 暗号 ${PHONE}`;

describe('what is logged of WeCom, at the finest level, when everything fails', () => {
  const lines = new LogLines();
  let chat: Chat;
  afterEach(async () => {
    await chat.stop();
    lines.text = '';
  });

  it('no secret of an app or a callback, no token, no address with a code, no word that people said', async () => {
    const callback = await byCallback({ WECOM_WEBHOOKS: `${GROUP}=${ROBOT}` }, undefined, lines.log);
    chat = callback;
    const { simulator } = callback.network;
    const { connection } = callback.app.store;
    await callback.inGroup('王秀兰', WORDS);
    simulator.api.failNext('message/send', 40014, 81013, 'drop', 40008, 45002);
    for (const person of ['王秀兰', '张三', '李四']) await callback.says(person, WORDS);
    const { url } = simulator.signed('bot', '{}');
    await fetch(url, { method: 'POST', body: '{"encrypt":"x"}' });
    await simulator.postBot({ msgid: 'odd' }, { room: GROUP }, { attempts: 1 });
    simulator.api.failNext('aibot/response', 40008);
    await simulator.writeByCallback({ from: '王秀兰', room: GROUP, text: WORDS, messageId: 'gone' }, { timeoutMs: 2 });
    await callback.app.wecom?.idle();
    expect(lines.text).toContain('road refused');
    expect(lines.text).toContain('callback refused');
    const token = await connection.collection('wecomTokens').findOne({});
    const { botKeys, appKeys } = simulator;
    const secret = [APP_SECRET, ROBOT, botKeys.token, botKeys.aesKey, appKeys.token, appKeys.aesKey, 'access_token='];
    for (const word of [...secret, 'response_code=', '暗号', PHONE, String(token?.['sealed'])])
      expect(lines.text).not.toContain(word);
  });

  it('nothing of a long connection either', async () => {
    const connection = await byConnection({}, lines.log);
    chat = connection;
    const { socket } = connection.network.simulator;
    await connection.says('王秀兰', WORDS);
    socket.failNext(40008, 'drop');
    await connection.says('张三', WORDS);
    await connection.says('李四', WORDS);
    expect(lines.text).toContain('message not sent');
    for (const word of [BOT_SECRET, APP_SECRET, '暗号', PHONE]) expect(lines.text).not.toContain(word);
  });
});
