import { randomUUID } from 'node:crypto';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Connection } from 'mongoose';
import type { Logger } from 'pino';
import { communityBinding } from '../bot-scripts/lib/community.js';
import type { Channel, LeaseOf } from './bot/channel.js';
import { Dispatcher } from './bot/dispatcher.js';
import { Gaps } from './bot/gaps.js';
import { loadScripts } from './bot/loader.js';
import { createBotModels } from './bot/models.js';
import { Outbox } from './bot/outbox.js';
import { createReader } from './bot/reader.js';
import { buildRegistry } from './bot/registry.js';
import { historyOf } from './channels/sandbox/history.js';
import { createSandbox, SANDBOX, type SandboxChannel } from './channels/sandbox/index.js';
import { SandboxPeople } from './channels/sandbox/people.js';
import type { WechatyChannel } from './channels/wechaty/index.js';
import { createWecom, WECOM, type WecomChannel } from './channels/wecom/index.js';
import { wecomIsOn } from './channels/wecom/settings.js';
import { systemClock } from './clock.js';
import { type Config, isLoopback } from './config.js';
import { loadDemo } from './domain/demo/load.js';
import { demoPeople } from './domain/demo/people.js';
import { createModels, type Models } from './domain/models.js';
import { loadPointRules } from './domain/rules/point-rules.js';
import { createServices, type DomainServices } from './domain/services.js';
import { createMetrics, type Metrics } from './metrics.js';
import { type MovableClock, movableClock } from './movable-clock.js';
import { root, rulesFile } from './paths.js';
import { Schedule } from './schedule/schedule.js';
import { automaticBackup } from './store/backup/automatic.js';
import { openStore } from './store/connect.js';
import { Lease, leaseModel } from './store/lease.js';
import { migrate } from './store/migrate.js';
import { Presence } from './store/presence.js';
import { createWeb } from './web/app.js';
import { fileLinks } from './web/file-routes.js';
import { inspect } from './web/sandbox-inspect.js';
import { type ReadRequest, sandboxRoutes } from './web/sandbox-routes.js';
import { wechatyRoutes } from './web/wechaty-routes.js';
import { wecomRoutes } from './web/wecom-routes.js';

export interface RunningApp {
  readonly url: string;
  /** The demo community was loaded into an empty store. */
  readonly demoLoaded: boolean;
  readonly sandbox: SandboxChannel | undefined;
  readonly wechaty: WechatyChannel | undefined;
  readonly wecom: WecomChannel | undefined;
  /** For tools and tests that look into the store. */
  readonly store: { readonly connection: Connection; readonly models: Models; readonly services: DomainServices };
  readonly clock: MovableClock;
  readonly schedule: Schedule;
  stop(): Promise<void>;
}

/** Names change rarely: another process's changes are seen within this time. */
const NAMES_EVERY_MS = 60_000;

/**
 * Builds the program from its settings and starts it; nothing else constructs its parts.
 *
 * @throws Error anything that keeps it from working: a script that does not load, a store that can't be opened
 */
export async function startApp(config: Config, log: Logger, thread: 'worker' | 'same' = 'worker'): Promise<RunningApp> {
  const store = await openStore({
    report: (error) => log.error({ err: error }, 'the store failed in the background'),
    uri: config.MONGODB_URI,
    folder: config.DATA_DIR,
    name: config.MONGODB_NAME,
    thread,
  });
  try {
    return await assemble(config, log, store);
  } catch (error) {
    await store.close();
    throw error;
  }
}

async function assemble(
  config: Config,
  log: Logger,
  store: Awaited<ReturnType<typeof openStore>>,
): Promise<RunningApp> {
  const { connection } = store;
  const metrics = createMetrics();
  const models = createModels(connection);
  const bot = createBotModels(connection);
  const clock = movableClock(connection);
  const people = new SandboxPeople(connection);
  const rules = loadPointRules(rulesFile('points.yaml'));
  const services = createServices(models, rules, {
    zone: config.TIME_ZONE,
    maxReportAgeDays: config.MAX_REPORT_AGE_DAYS,
  });
  const botNames = config.BOT_NAMES.split(',').map((n) => n.trim());
  const community = communityBinding(models, services, botNames);
  const registry = buildRegistry(await loadScripts(join(import.meta.dirname, '..', 'bot-scripts')), community.ranks);
  const reader = createReader(
    [...registry.commands.values()].map((c) => c.grammar),
    { botNames },
  );

  /** A process that had the connection before may have asked questions whose answers come here now. */
  const learnQuestions = (): void => {
    dispatcher.start().catch((err: unknown) => log.warn({ err }, 'open questions not learnt'));
  };
  const events = channelEvents(metrics, 'wechaty');
  const gaps = new Gaps(connection);
  const presence = new Presence(connection, {
    onError: (err) => log.warn({ err }, 'this process is not noted as present'),
  });
  const leases = leaseModel(connection);
  const leaseOf: LeaseOf = (name, lastsMs) =>
    new Lease({ leases, name, holder: randomUUID(), ...(lastsMs !== undefined && { lastsMs }) });
  // A second and 120 MB, and so only when it is on.
  const wechaty: WechatyChannel | undefined = config.WECHATY
    ? (await import('./channels/wechaty/index.js')).createWechaty(config, {
        connection,
        gaps,
        leaseOf,
        clock,
        log,
        attachments: services.attachments,
        known: (person, room) => dispatcher.known({ channel: 'wechaty', userId: person }, room),
        onRefused: (id) => void outbox.refused(id),
        ...events,
        onUp(gap) {
          events.onUp(gap);
          learnQuestions();
        },
        print: (text) => void process.stdout.write(text),
      })
    : undefined;
  const links = fileLinks({
    connection,
    clock,
    publicUrl: config.PUBLIC_URL,
    find: services.attachments.find,
  });
  const wecom = wecomIsOn(config)
    ? createWecom(config, {
        connection,
        leaseOf,
        clock,
        log: log.child({ channel: WECOM }),
        botNames,
        attachments: services.attachments,
        linkTo: links.linkTo,
        onDirectory: (people) => services.directory.replace(WECOM, people, clock.now()),
        onAlert: (what) => metrics.alerts.inc({ channel: WECOM, what }),
        onUp(up) {
          metrics.channelUp.set({ channel: WECOM }, Number(up));
          if (up) learnQuestions();
        },
        onSent: (road) => metrics.roads.inc({ road }),
      })
    : undefined;

  const upgrade = {
    backUp: () =>
      automaticBackup(connection, { folder: config.DATA_DIR, why: 'before-upgrade', at: systemClock.now() }),
  };
  await migrate(connection, upgrade);
  await presence.start({ alone: config.MONGODB_URI === undefined });
  await clock.load();
  await links.load();

  const fill = async (): Promise<boolean> => {
    if (!config.DEMO || (await models.units.estimatedDocumentCount()) > 0) return false;
    await loadDemo({ connection, models, services, now: clock.now() });
    const { personas, rooms } = demoPeople();
    await people.addPeople(personas.map(({ id, name, title, unit }) => ({ id, name, title, unit })));
    await people.addRooms(rooms.map(({ id, name, unit, members }) => ({ id, name, unit, members })));
    return true;
  };
  const demoLoaded = await fill();
  await people.load();
  await services.memberNames.refresh();

  const sandbox = config.SANDBOX ? createSandbox(people, historyOf(bot)) : undefined;
  const channels = new Map([sandbox, wechaty, wecom].flatMap((c): [string, Channel][] => (c ? [[c.name, c]] : [])));
  const outbox = new Outbox({
    messages: bot.outbox,
    channels,
    presence,
    clock,
    log,
    linkTo: links.linkTo,
    onSettled: (result) => metrics.replies.inc({ result }),
  });
  const dispatcher = new Dispatcher({
    connection,
    models: bot,
    community,
    registry,
    reader,
    channels,
    outbox,
    clock,
    log,
    onHandled(outcome, channel, seconds) {
      metrics.received.inc({ channel, outcome });
      if (outcome === 'duplicate') metrics.duplicates.inc();
      if (outcome !== 'ignored') metrics.handling.observe(seconds);
    },
  });
  await dispatcher.start();
  const schedule = new Schedule({
    clock,
    log,
    jobs: [
      {
        name: 'dialogues',
        next: async () => (await bot.dialogues.findOne().sort({ expiresAt: 1 }).lean<{ expiresAt: Date }>())?.expiresAt,
        run: (at) => dispatcher.expireDialogues(at),
      },
      { name: 'pastes', next: () => services.pastes.nextExpiry(), run: (at) => services.pastes.forgetExpired(at) },
    ],
  });

  const routers = sandbox
    ? [
        sandboxRoutes({
          channel: sandbox,
          clock,
          attachments: services.attachments,
          read: (request) => readAs(request, reader, community, config.TIME_ZONE, clock.now()),
          async chips(person, room) {
            const { role } = await dispatcher.known({ channel: SANDBOX, userId: person }, room);
            const place = room === null ? 'private' : 'group';
            const chips = registry.catalogue.list(role, place).flatMap((e) => (e.help.chip ? [e.help.chip] : []));
            return role === undefined ? chips : chips.filter((c) => c.label !== '报到');
          },
          inspect: (messageId) => inspect({ ...bot, ...models }, messageId),
          async moveClock(to) {
            if (to < clock.now()) await clock.moveTo(to);
            await schedule.runDue(to);
            await clock.moveTo(to);
          },
          async reset() {
            await dispatcher.stop();
            for (const model of Object.values(connection.models)) await model.deleteMany({});
            sandbox.conversations.clear();
            await migrate(connection, upgrade);
            await fill();
            await people.load();
            await dispatcher.start();
          },
        }),
      ]
    : [];
  if (wechaty) routers.push(wechatyRoutes(wechaty));
  const web = createWeb({
    routers: [...routers, links.routes, ...(wecom ? [wecomRoutes(wecom.callbacks)] : [])],
    metrics,
    log,
    loopbackOnly: isLoopback(config.HOST),
    metricsToken: config.METRICS_TOKEN,
    uiFolder: join(root, 'dist', 'ui'),
    async ready() {
      await connection.db?.command({ ping: 1 });
      const down = [...channels.values()].find((c) => !c.healthy());
      return down && `the channel ${down.name} is down${down.problem ? `: ${down.problem()}` : ''}`;
    },
  });
  for (const channel of channels.values()) {
    await channel.start(dispatcher);
    metrics.channelUp.set({ channel: channel.name }, Number(channel.healthy()));
  }
  const unsent = await outbox.start();
  if (unsent > 0) log.info({ unsent }, 'messages of an earlier run are sent now');
  schedule.start();
  const names = setInterval(() => {
    services.memberNames.refresh().catch((err: unknown) => log.warn({ err }, 'names not refreshed'));
  }, NAMES_EVERY_MS).unref();

  const server = await new Promise<Server>((resolve, reject) => {
    const listening = web.listen(config.PORT, config.HOST, () => resolve(listening));
    listening.once('error', reject);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://${config.HOST.includes(':') ? `[${config.HOST}]` : config.HOST}:${port}`,
    demoLoaded,
    sandbox,
    wechaty,
    wecom,
    store: { connection, models, services },
    clock,
    schedule,
    async stop() {
      clearInterval(names);
      server.close();
      server.closeAllConnections();
      await schedule.stop();
      for (const channel of channels.values()) await channel.stop();
      await dispatcher.stop();
      await outbox.stop();
      await presence.stop();
      await store.close();
    },
  };
}

/** What a channel with a connection of its own tells of it, as figures. */
function channelEvents(metrics: Metrics, channel: string) {
  let ups = 0;
  return {
    onUp(gap: { from: Date; to: Date } | undefined): void {
      metrics.channelUp.set({ channel }, 1);
      metrics.deafSince.set({ channel }, 0);
      if (ups > 0) metrics.reconnects.inc({ channel });
      ups += 1;
      if (!gap) return;
      metrics.gaps.inc({ channel });
      metrics.gapSeconds.inc({ channel }, (gap.to.getTime() - gap.from.getTime()) / 1000);
    },
    onDown(since: Date): void {
      metrics.channelUp.set({ channel }, 0);
      metrics.deafSince.set({ channel }, since.getTime() / 1000);
    },
    onError: (sort: string): void => metrics.channelErrors.inc({ channel, sort }),
    onLost: (reason: string): void => metrics.lost.inc({ channel, reason }),
  };
}

/** How a text would be read, in the terms of the corpus; nothing is stored. */
function readAs(
  request: ReadRequest,
  reader: ReturnType<typeof createReader>,
  community: ReturnType<typeof communityBinding>,
  zone: string,
  now: Date,
): { intent: string; slots: object } {
  const names = new Set(request.names ?? []);
  const place = request.private === true ? 'private' : 'group';
  const { intent, slots } = reader.read(
    { text: request.text, mentionsBot: false, mentions: [] },
    {
      now: request.now === undefined ? now : new Date(request.now),
      zone,
      place,
      addressed: place === 'private',
      role: request.role ?? 'member',
      names: {
        has: (name) => names.has(name) || community.names.has(name),
        prefixOf: (text) =>
          [text.slice(0, 5), text.slice(0, 4), text.slice(0, 3), text.slice(0, 2)].find((n) => names.has(n)) ??
          community.names.prefixOf(text),
      },
      open: request.open === true ? 'all' : 'asWritten',
    },
  );
  return intent === 'unknown' ? { intent: 'ignore', slots: {} } : { intent, slots };
}
