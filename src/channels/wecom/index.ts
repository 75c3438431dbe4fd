import { setMaxListeners } from 'node:events';
import type { Connection } from 'mongoose';
import type { Logger } from 'pino';
import type { LinkTo } from '../../bot/adaption.js';
import { type Channel, type Inbox, type LeaseOf, Undeliverable } from '../../bot/channel.js';
import type { Attachment } from '../../bot/message.js';
import type { Clock } from '../../clock.js';
import { AppApi } from './api.js';
import { Callbacks } from './callbacks.js';
import { Chats } from './chats.js';
import { type ConnectionState, LEASE_TURNS, LongConnection } from './connection.js';
import { type Listed, readDirectory } from './directory.js';
import { Envelope } from './crypto.js';
import { eventReceiver, frameReceiver } from './events.js';
import { Guard, Sources } from './guard.js';
import { Late } from './late.js';
import { MediaStore } from './media.js';
import { wecomModels } from './models.js';
import { Pace } from './pace.js';
import { passiveRoad, responseUrlRoad } from './road/answer.js';
import { appchatRoad, appRoad } from './road/application.js';
import { connectionRoad } from './road/connection.js';
import { webhookRoad } from './road/webhook.js';
import { Roads } from './roads.js';
import type { WecomSettings } from './settings.js';
import { Taking } from './taking.js';
import { Tokens } from './tokens.js';
import { Watch } from './watch.js';
import { Ways } from './ways.js';

export const WECOM = 'wecom';

const TURN_MS = 10_000;
const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const WEBHOOK_PER_MINUTE = 20;

const WORKS: ReadonlySet<ConnectionState> = new Set(['up', 'standby']);
const PROBLEMS: Readonly<Partial<Record<ConnectionState, string>>> = {
  connecting: 'the long connection is not up yet',
  takenOver: 'another program has taken the long connection: stop it, then restart this one',
  refused: 'WECOM_BOT_ID or WECOM_BOT_SECRET is wrong',
  stopped: 'stopped',
};

export interface WecomDeps {
  readonly connection: Connection;
  readonly leaseOf: LeaseOf;
  readonly clock: Clock;
  readonly log: Logger;
  readonly botNames: readonly string[];
  readonly attachments: {
    store(name: string, type: string, bytes: Buffer, at: Date): Promise<Attachment>;
    find(id: string): Promise<{ readonly bytes: Buffer } | null>;
  };
  readonly linkTo: LinkTo;
  /** Takes the organisation's directory as it stands. */
  readonly onDirectory: (people: readonly Listed[]) => Promise<void>;
  /** Something that an operator must see to: `what` is a constant. */
  readonly onAlert: (what: string) => void;
  readonly onSent: (road: string) => void;
  /** The long connection came up (or another process has it), or went down. */
  readonly onUp: (up: boolean) => void;
}

export interface WecomChannel extends Channel {
  readonly callbacks: Callbacks;
  /** The app's API, where there is an app. */
  readonly api: AppApi | undefined;
  /** Undefined: the bot has no long connection. */
  connectionState(): ConnectionState | undefined;
  /** Resolves when everything that has come in is done with, answers and all. */
  idle(): Promise<void>;
}

/** WeCom by its official ways in: AI bot (long connection or callback), app, and robots in groups; one channel. */
export function createWecom(config: WecomSettings, deps: WecomDeps): WecomChannel {
  const { connection: db, clock, log, attachments } = deps;
  const apiUrl = config.WECOM_API_URL;
  const stopping = new AbortController();
  // As many listen as conversations wait for their turn.
  setMaxListeners(0, stopping.signal);
  const alert = (what: string, fields: object): void => {
    log.error({ ...fields, what }, 'WeCom needs an operator');
    deps.onAlert(what);
  };
  const ways = new Ways();
  const watch = new Watch(clock);
  const models = wecomModels(db);
  const { tokens, answered } = models;
  const chats = new Chats(models.chats, clock);

  const { WECOM_CORP_ID: corpId, WECOM_APP_SECRET: appSecret, WECOM_APP_AGENT_ID: agentId } = config;
  const api =
    corpId !== undefined && appSecret !== undefined && agentId !== undefined
      ? new AppApi({
          apiUrl,
          agentId,
          tokens: new Tokens({ tokens, clock, apiUrl, corpId, agentId, secret: appSecret }),
        })
      : undefined;
  const envelope = (token: string | undefined, aesKey: string | undefined, receiveId: string): Envelope | undefined =>
    token !== undefined && aesKey !== undefined ? new Envelope({ token, aesKey, receiveId }) : undefined;
  const botEnvelope = envelope(config.WECOM_BOT_TOKEN, config.WECOM_BOT_AES_KEY, '');
  const appEnvelope = envelope(config.WECOM_APP_TOKEN, config.WECOM_APP_AES_KEY, corpId ?? '');

  const envelopes = { ...(botEnvelope && { bot: botEnvelope }), ...(appEnvelope && { app: appEnvelope }) };
  const late = new Late(models.late, clock, envelopes);

  const taking = new Taking({
    channel: WECOM,
    botNames: deps.botNames,
    chats,
    media: new MediaStore({ api, envelope: botEnvelope, store: attachments.store }),
    clock,
    log,
    signal: stopping.signal,
  });

  const receiveEvent = eventReceiver(ways, taking);
  const onFrame = frameReceiver({ ways, taking, clock, log, receiveEvent });
  const { WECOM_BOT_ID: botId, WECOM_BOT_SECRET: botSecret } = config;
  const longConnection: LongConnection | undefined =
    botId !== undefined && botSecret !== undefined
      ? new LongConnection({
          botId,
          secret: botSecret,
          wsUrl: config.WECOM_WS_URL,
          lease: deps.leaseOf(`${WECOM}:${botId}`, LEASE_TURNS * TURN_MS),
          log,
          turnMs: TURN_MS,
          onReceived(received, requestId, connection) {
            if (received.is === 'message') watch.heard(received.message.room === null ? 'single' : 'group');
            onFrame(received, requestId, connection);
          },
          alert,
          missing: () => watch.missing,
          onState(state) {
            if (state === 'up') watch.connected();
            deps.onUp(WORKS.has(state));
          },
        })
      : undefined;

  const roads = new Roads({
    roads: [
      passiveRoad(ways),
      ...(longConnection ? [connectionRoad(longConnection, ways, chats)] : []),
      ...(botEnvelope ? [responseUrlRoad(ways)] : []),
      webhookRoad({
        apiUrl,
        keys: config.WECOM_WEBHOOKS ?? new Map(),
        pace: new Pace([{ count: WEBHOOK_PER_MINUTE, perMs: MINUTE_MS }]),
        signal: stopping.signal,
        alert,
      }),
      ...(api ? [appRoad(api, ways), appchatRoad(api, chats)] : []),
    ],
    pace: new Pace([
      { count: config.WECOM_PER_MINUTE, perMs: MINUTE_MS },
      { count: config.WECOM_PER_HOUR, perMs: 60 * MINUTE_MS },
    ]),
    signal: stopping.signal,
    log,
    linkTo: deps.linkTo,
    async bytesOf(attachment) {
      const found = await attachments.find(attachment.id);
      if (!found) throw new Undeliverable(`the attachment ${attachment.id} is gone`);
      return found.bytes;
    },
    alert,
    lookAgain: (message) => chats.look(message.to),
    // After a start: a question of the last minute may come again, and open its way back.
    mayReopen: (message) =>
      botEnvelope !== undefined && !ways.knows(message) && clock.now().getTime() - message.at.getTime() < MINUTE_MS,
    onSent: deps.onSent,
  });

  const callbacks = new Callbacks({
    envelopes,
    guard: new Guard({ answered, clock, windowMs: config.WECOM_CALLBACK_WINDOW_SECONDS * 1000 }),
    sources: new Sources(config.WECOM_REFUSALS_PER_MINUTE),
    ways,
    late,
    clock,
    log,
    receive: (message, by) => taking.receive(message, by),
    insist: (message, by) => taking.insist(message, by),
    onEvent: receiveEvent,
  });

  const readNames = async (): Promise<void> => {
    if (!api || !config.WECOM_DIRECTORY || stopping.signal.aborted) return;
    const people = await readDirectory(api);
    await deps.onDirectory(people);
    log.info({ people: people.length }, 'directory of WeCom read');
  };
  const refreshNames = (): void => {
    readNames().catch((err: unknown) => log.warn({ err }, 'directory of WeCom not read'));
  };
  let daily: NodeJS.Timeout | undefined;

  return {
    name: WECOM,
    capabilities: {
      mentions: config.WECOM_WEBHOOKS !== undefined,
      images: longConnection !== undefined || api !== undefined || config.WECOM_WEBHOOKS !== undefined,
      files: longConnection !== undefined || api !== undefined || config.WECOM_WEBHOOKS !== undefined,
      firstWord: api !== undefined,
      makesGroups: api !== undefined,
      maxText: 6000,
      paceMs: 0,
      stableIds: true,
    },
    callbacks,
    api,
    connectionState: () => longConnection?.state,
    idle: () => taking.idle(),
    async start(inbox: Inbox) {
      await chats.load();
      taking.start(inbox);
      for (const { message, scene } of await late.left()) {
        ways.open(message.messageId, {
          room: message.room,
          person: message.from,
          toApp: scene === 'app',
          responseUrl: message.responseUrl,
        });
        taking.watch(
          taking
            .insist(message, scene)
            .then(({ delivered }) => delivered)
            .then(() => late.drop(message.messageId)),
        );
      }
      refreshNames();
      daily = setInterval(refreshNames, DAY_MS).unref();
      await longConnection?.start();
    },
    async stop() {
      stopping.abort();
      clearInterval(daily);
      await longConnection?.stop();
    },
    send: (message, handsOver) => roads.send(message, handsOver),
    isElsewhere: () => longConnection?.state === 'standby',
    healthy: () => {
      const state = longConnection?.state;
      return !stopping.signal.aborted && (state === undefined || WORKS.has(state));
    },
    problem: () => PROBLEMS[longConnection?.state ?? 'stopped'],
  };
}
