// First: it silences wechaty's log.
import '../../../src/channels/wechaty/quiet.js';
import { types } from 'wechaty-puppet';
import { mock, PuppetMock } from 'wechaty-puppet-mock';
import { PuppetServer } from 'wechaty-puppet-service';
import { z } from 'zod';

/** A gateway in a process of its own, to be killed: `gateway.ts PORT TOKEN`. Its owner talks to it over the IPC channel. */
const Order = z.discriminatedUnion('is', [
  z.object({ is: z.literal('listen') }),
  z.object({ is: z.literal('say'), id: z.string(), from: z.string(), room: z.string(), text: z.string() }),
]);
const BOT = 'bot';
/** Between a text's arrival in the group and the answer to the call that sent it: room for a kill. */
const ANSWER_MS = 5;
const MORE_MS = 20;

const tell = (report: object): Promise<void> =>
  new Promise((resolve) => {
    if (process.send) process.send(report, undefined, {}, () => resolve());
    else resolve();
  });

class Gateway extends PuppetMock {
  override ding(data?: string): void {
    setImmediate(() => this.emit('dong', { data: data ?? '' }));
  }

  override async messageSendText(conversation: string, text: string): Promise<void> {
    // Some gateways echo what the bot says, some do not.
    if (Math.random() < 0.5) await super.messageSendText(conversation, text);
    await tell({ is: 'shown', conversation, text });
    await new Promise((resolve) => setTimeout(resolve, ANSWER_MS + Math.random() * MORE_MS));
  }
}

const [port, token] = z.tuple([z.string(), z.string()]).parse(process.argv.slice(2));
const mocker = new mock.Mocker();
const puppet = new Gateway({ mocker });
puppet.on('error', () => undefined);
puppet.on('start', () => {
  if (!puppet.isLoggedIn) puppet.login(BOT);
});
mocker.createContact({ id: BOT, name: '网格小助手' });
const server = new PuppetServer({ endpoint: `127.0.0.1:${port}`, puppet, token, tls: { disable: true } });

process.on('message', (given) => {
  const order = Order.parse(given);
  if (order.is === 'listen') {
    void server.start().then(() => tell({ is: 'listening' }));
    return;
  }
  const { id, from, room, text } = order;
  if (!mocker.cacheContactPayload.has(from)) mocker.createContact({ id: from, name: from, alias: '' });
  const known = mocker.cacheRoomPayload.get(room);
  if (!known) mocker.createRoom({ id: room, topic: '三网格', memberIdList: [BOT, from] });
  else if (!known.memberIdList.includes(from)) known.memberIdList.push(from);
  if (!mocker.cacheMessagePayload.has(id))
    mocker.MessageMock.create({
      id,
      type: types.Message.Text,
      talkerId: from,
      roomId: room,
      text,
      timestamp: Date.now(),
      mentionIdList: [],
    });
  puppet.emit('message', { messageId: id });
});
process.on('disconnect', () => process.exit(0));
void tell({ is: 'loaded' });
