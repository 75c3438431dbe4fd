// First: it silences wechaty's log.
import '../../../src/channels/wechaty/quiet.js';
import { randomUUID } from 'node:crypto';
import { type AddressInfo, createServer } from 'node:net';
import { FileBox } from 'file-box';
import { types } from 'wechaty-puppet';
import { mock, PuppetMock } from 'wechaty-puppet-mock';
import { PuppetServer } from 'wechaty-puppet-service';
import type { RunningApp } from '../../../src/app.js';
import type { Handled } from '../../../src/bot/message.js';
import type { WechatyChannel } from '../../../src/channels/wechaty/index.js';
import type { Network, Said } from './network.js';

export const BOT_NAME = '网格小助手';
const PATIENCE_MS = 10_000;

/** The mock's own answer to a probe takes a second, and what the bot says is shown here with its mentions. */
export class FarPuppet extends PuppetMock {
  onText: (conversation: string, text: string, mentions: readonly string[]) => void = () => undefined;
  /** Answers nothing any more, and tells nothing: frozen. */
  frozen = false;
  readonly accepted: string[] = [];

  override ding(data?: string): void {
    if (!this.frozen) setImmediate(() => this.emit('dong', { data: data ?? '' }));
  }

  override roomInvitationAccept(id: string): Promise<void> {
    this.accepted.push(id);
    return Promise.resolve();
  }

  override async messageSendText(conversation: string, text: string, mentions: string[] = []): Promise<void> {
    await super.messageSendText(conversation, text);
    this.onText(conversation, text, mentions);
  }
}

/** What stands on a telephone: a message of the bot. */
interface Shown {
  readonly room: string | null;
  /** The other side of a private chat. */
  readonly person: string | null;
  /** Without the mention of whom it answers. */
  readonly text: string;
  readonly mention: string | undefined;
  /** Ids mentioned. */
  readonly mentions: readonly string[];
}

/** `@name text`, as wechaty writes a mention. */
const MENTION = /^@([^\s@]+) ([\s\S]*)$/;

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

export const roomIdOf = (room: string): string => `${room}@chatroom`;

/** WeChat as a gateway shows it: the mock puppet behind the real gRPC transport, in this process. */
export class WechatyNetwork implements Network {
  readonly name = 'wechaty';
  readonly hearsGroups = true;
  readonly hearsJoins = true;
  readonly mocker = new mock.Mocker();
  readonly puppet = new FarPuppet({ mocker: this.mocker });
  readonly shown: Shown[] = [];
  /** The account that the bot is. */
  readonly bot: string;
  /** Its beginning is the name in the gateway's certificate. */
  readonly token = `gridmate_${randomUUID()}`;
  /** The gateway's certificate and key; undefined: no TLS. */
  tls: { readonly serverCert: string; readonly serverKey: string } | undefined;
  readonly #claimed = new Set<Shown>();
  readonly #handled = new Map<string, Handled | string>();
  readonly #wakers = new Set<() => void>();
  #server: PuppetServer | undefined;
  #app: RunningApp | undefined;

  constructor(bot = 'bot') {
    this.bot = bot;
  }

  async prepare(): Promise<Readonly<Record<string, string>>> {
    const { token } = this;
    const endpoint = `127.0.0.1:${await freePort()}`;
    this.puppet.on('error', () => undefined);
    this.puppet.onText = (conversation, text, mentions) => this.#show(conversation, text, mentions);
    this.#server = new PuppetServer({ endpoint, puppet: this.puppet, token, tls: this.tls ?? { disable: true } });
    await this.#server.start();
    this.mocker.createContact({ id: this.bot, name: BOT_NAME });
    this.puppet.on('start', () => {
      this.onStart();
    });
    return {
      WECHATY: 'on',
      WECHATY_GATEWAY_ENDPOINT: endpoint,
      WECHATY_GATEWAY_TOKEN: token,
      WECHATY_GATEWAY_TLS: 'off',
      WECHATY_PROBE_SECONDS: '1',
      WECHATY_SEND_PAUSE_MIN_MS: '0',
      WECHATY_SEND_PAUSE_MAX_MS: '0',
      WECHATY_ROOM_PAUSE_MS: '0',
      WECHATY_BURST_REST_SECONDS: '0',
      // The conversations have their own times, far from today.
      WECHATY_LATE_MINUTES: '525600',
      WECHATY_MAX_AGE_MINUTES: '525600',
    };
  }

  /** The gateway was told to start: its account is logged in already. */
  onStart(): void {
    if (!this.puppet.isLoggedIn) this.puppet.login(this.bot);
  }

  async attach(app: RunningApp): Promise<void> {
    this.#app = app;
    this.channel().onHandled((messageId, outcome) => {
      this.#handled.set(messageId, outcome);
      this.#wake();
    });
    // Those who have checked in are friends of the account: it can write to them first.
    for (const { userId } of await app.store.models.identities.find({ channel: this.name }).lean())
      this.#person(userId);
    await this.up();
  }

  async up(): Promise<void> {
    await this.until('the channel is up', () => this.channel().healthy() || undefined);
  }

  roomId(room: string): string {
    return roomIdOf(room);
  }

  async say(said: Said): Promise<readonly string[]> {
    const room = said.room === null ? null : this.#room(said.room, said.from);
    this.#person(said.from);
    const { clock } = this.#running();
    if (said.at > clock.now()) await clock.moveTo(said.at);
    const texts: string[] = [];
    // WeChat sends each picture as a message of its own, before the words.
    for (const [n, picture] of said.pictures.entries())
      texts.push(...(await this.#deliver(`${said.messageId}-p${n}`, said, room, { picture })));
    if (said.text !== '' || said.pictures.length === 0)
      texts.push(...(await this.#deliver(said.messageId, said, room, {})));
    return texts;
  }

  told(person: string): Promise<readonly string[]> {
    return this.#settled((m) => m.room === null && m.person === person);
  }

  shownIn(room: string): Promise<readonly string[]> {
    return this.#settled((m) => m.room === roomIdOf(room));
  }

  async takeInto(room: string, name: string, at: Date): Promise<void> {
    this.#person('host');
    this.#room(room, 'host', name);
    const event = `joined:${roomIdOf(room)}`;
    this.#handled.delete(event);
    this.puppet.emit('room-join', {
      inviteeIdList: [this.bot],
      inviterId: 'host',
      roomId: roomIdOf(room),
      timestamp: at.getTime(),
    });
    await this.until('the bot has seen that it was taken in', () => this.#handled.get(event));
    await this.#quiet();
  }

  channel(): WechatyChannel {
    const { wechaty } = this.#running();
    if (!wechaty) throw new Error('the channel is off');
    return wechaty;
  }

  async stop(): Promise<void> {
    await this.#server?.stop();
  }

  /** Resolves with what `look` finds, which it is asked for after each event. */
  async until<T>(what: string, look: () => T | undefined): Promise<T> {
    const end = performance.now() + PATIENCE_MS;
    for (;;) {
      const found = look();
      if (found !== undefined) return found;
      if (performance.now() > end) throw new Error(`waited in vain until ${what}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 20);
        this.#wakers.add(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }

  async untilStored(stored: () => Promise<boolean>): Promise<void> {
    const end = performance.now() + PATIENCE_MS;
    while (!(await stored())) {
      if (performance.now() > end) throw new Error('waited in vain for the store');
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  /** One message as the network brings it; resolves with the answers that its writer was shown. */
  async #deliver(
    messageId: string,
    said: Said,
    room: string | null,
    { picture }: { picture?: string },
  ): Promise<string[]> {
    this.#handled.delete(messageId);
    const text = said.mentionsBot && picture === undefined ? `@${BOT_NAME}\u2005${said.text}` : said.text;
    if (!this.mocker.cacheMessagePayload.has(messageId)) {
      if (picture !== undefined)
        this.mocker.cacheFileBoxPayload.set(
          messageId,
          FileBox.fromBase64(Buffer.from(picture).toString('base64'), picture).toJSON(),
        );
      const payload = {
        id: messageId,
        type: picture === undefined ? types.Message.Text : types.Message.Image,
        talkerId: said.from,
        text: picture === undefined ? text : '',
        timestamp: said.at.getTime(),
      };
      this.mocker.MessageMock.create(
        room === null ? { ...payload, listenerId: this.bot } : { ...payload, roomId: room, mentionIdList: [] },
      );
    }
    this.puppet.emit('message', { messageId });
    const handled = await this.until(`${messageId} is handled`, () => this.#handled.get(messageId));
    if (typeof handled === 'string') return [];
    const texts: string[] = [];
    for (const reply of handled.replies) {
      const seen = await this.until(`the answer to ${messageId} is shown`, () =>
        this.shown.find(
          (m) =>
            m.text === reply.text &&
            ('room' in reply.to ? m.room === reply.to.room : m.room === null && m.person === reply.to.person) &&
            (handled.outcome === 'duplicate' || !this.#claimed.has(m)),
        ),
      );
      this.#claimed.add(seen);
      texts.push(seen.text);
    }
    return texts;
  }

  /** All that stands there, once nothing is on its way any more. */
  async #settled(which: (m: Shown) => boolean): Promise<readonly string[]> {
    await this.#quiet();
    return this.shown.filter(which).map((m) => m.text);
  }

  /** Resolves when nothing is on its way. */
  async #quiet(): Promise<void> {
    const outbox = this.#running().store.connection.collection('outbox');
    await this.untilStored(async () => (await outbox.countDocuments({ channel: this.name, status: 'pending' })) === 0);
  }

  #person(id: string): void {
    if (!this.mocker.cacheContactPayload.has(id)) this.mocker.createContact({ id, name: id, alias: '' });
  }

  #room(room: string, person: string, topic = room): string {
    const id = roomIdOf(room);
    const known = this.mocker.cacheRoomPayload.get(id);
    if (!known) this.mocker.createRoom({ id, topic, memberIdList: [this.bot, person] });
    else if (!known.memberIdList.includes(person)) known.memberIdList.push(person);
    return id;
  }

  #show(conversation: string, text: string, mentions: readonly string[]): void {
    const inRoom = conversation.includes('@');
    const found = inRoom ? MENTION.exec(text) : null;
    this.shown.push({
      room: inRoom ? conversation : null,
      person: inRoom ? null : conversation,
      text: found?.[2] ?? text,
      mention: found?.[1],
      mentions,
    });
    this.#wake();
  }

  /** Delivers anything that a conversation does not: other kinds, other times. */
  bring(payload: Parameters<typeof this.mocker.MessageMock.create>[0]): Promise<Handled | string> {
    this.#person(payload.talkerId);
    this.mocker.MessageMock.create(payload);
    this.puppet.emit('message', { messageId: payload.id });
    return this.until(`${payload.id} is handled`, () => this.#handled.get(payload.id));
  }

  #wake(): void {
    const wakers = [...this.#wakers];
    this.#wakers.clear();
    for (const wake of wakers) wake();
  }

  #running(): RunningApp {
    if (!this.#app) throw new Error('nothing runs');
    return this.#app;
  }
}
