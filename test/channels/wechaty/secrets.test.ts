import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { types } from 'wechaty-puppet';
import { Chat } from '../../conversations/community.js';
import { LogLines } from '../log-lines.js';
import { roomIdOf, WechatyNetwork } from '../../conversations/networks/wechaty.js';

const PHONE = '13812345678';
const IDENTITY = '110105194912310021';

describe('what is logged and counted of WeChat, at the finest level, when much fails', () => {
  const lines = new LogLines();
  let chat: Chat<WechatyNetwork>;
  beforeAll(async () => {
    chat = await Chat.start(new WechatyNetwork(), lines.log);
  });
  afterAll(() => chat.stop());

  it('no token, no word that people said, no phone and no identity number', async () => {
    const { network } = chat;
    const send = network.puppet.messageSendText.bind(network.puppet);
    await chat.inGroup('王秀兰', `服务 扫地 1小时 暗号 ${PHONE}`);
    await chat.says('外人', `报到 王秀兰 ${PHONE}`);
    await chat.says('张三', `服务 护学 1小时 ${IDENTITY} 暗号`);
    network.puppet.messageSendText = () => Promise.reject(new Error('cannot send'));
    network.puppet.messagePayload = (
      (of) => (id: string) =>
        id === 'unknown' ? Promise.reject(new Error('no such message')) : of(id)
    )(network.puppet.messagePayload.bind(network.puppet));
    network.puppet.emit('message', { messageId: 'unknown' });
    const handled = network.bring({
      id: 'late-1',
      type: types.Message.Text,
      talkerId: '张三',
      roomId: roomIdOf('grid-3'),
      text: `服务 巡逻 1小时 暗号 ${PHONE}`,
      timestamp: chat.now.getTime(),
    });
    await handled;
    await network.until('a send has failed', () => /message not sent/.test(lines.text) || undefined);
    network.puppet.messageSendText = send;
    await network.until('a message was lost', () => /message lost/.test(lines.text) || undefined);
    const metrics = await (await fetch(`${chat.app.url}/metrics`)).text();
    for (const word of [network.token, '暗号', PHONE, IDENTITY, IDENTITY.slice(0, 14)]) {
      expect(lines.text).not.toContain(word);
      expect(metrics).not.toContain(word);
    }
    for (const shown of network.shown.filter((m) => m.room !== null))
      expect(shown.text).not.toMatch(/1[3-9]\d{9}|\d{17}[\dX]/);
  });
});
