import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Connection } from 'mongoose';
import type { Logger } from 'pino';
import { communityBinding } from '../bot-scripts/lib/community.js';
import type { Channel } from './bot/channel.js';
import { dialogueModel } from './bot/dialogue.js';
import { Dispatcher } from './bot/dispatcher.js';
import { interactionKey, interactionModel } from './bot/interaction.js';
import { loadScripts } from './bot/loader.js';
import { Outbox, outboxModel, outgoingOf } from './bot/outbox.js';
import { createReader } from './bot/reader.js';
import { buildRegistry } from './bot/registry.js';
import { createSandbox, fileUrl, SANDBOX, type SandboxChannel } from './channels/sandbox/index.js';
import type { History, Message } from './channels/sandbox/conversations.js';
import { SandboxPeople } from './channels/sandbox/people.js';
import { createWecom, WECOM, type WecomChannel } from './channels/wecom/index.js';
import { wecomIsOn } from './channels/wecom/settings.js';
import { type Config, isLoopback } from './config.js';
import { loadDemo } from './domain/demo/load.js';
import { demoPeople } from './domain/demo/people.js';
import { createModels, type Models } from './domain/models.js';
import { loadPointRules } from './domain/rules/point-rules.js';
import { createServices, type DomainServices } from './domain/services.js';
import { createMetrics } from './metrics.js';
import { type MovableClock, movableClock } from './movable-clock.js';
import { root, rulesFile } from './paths.js';
import { Schedule } from './schedule/schedule.js';
import { openStore } from './store/connect.js';
import { migrate } from './store/migrate.js';
import { createWeb } from './web/app.js';
import { fileLinks } from './web/file-routes.js';
import { type ReadRequest, sandboxRoutes } from './web/sandbox-routes.js';
import { wecomRoutes } from './web/wecom-routes.js';

export interface RunningApp {
  readonly url: string;
  /** The demo community was loaded into an empty store. */
  readonly demoLoaded: boolean;
  readonly sandbox: SandboxChannel | undefined;
  readonly wecom: WecomChannel | undefined;
  /** For tools and tests that look into the store. */
  readonly store: { readonly connection: Connection; readonly models: Models; readonly services: DomainServices };
  readonly clock: MovableClock;
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
  const bot = {
    interactions: interactionModel(connection),
    dialogues: dialogueModel(connection),
    outbox: outboxModel(connection),
  };
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

  const links = fileLinks({
    connection,
    clock,
    publicUrl: config.PUBLIC_URL,
    find: services.attachments.find,
  });
  const wecom = wecomIsOn(config)
    ? createWecom(config, {
        connection,
        clock,
        log: log.child({ channel: WECOM }),
        botNames,
        attachments: services.attachments,
        linkTo: links.linkTo,
        onDirectory: (people) => services.directory.replace(WECOM, people, clock.now()),
        onAlert: (what) => metrics.alerts.inc({ channel: WECOM, what }),
        onUp: (up) => metrics.channelUp.set({ channel: WECOM }, Number(up)),
        onSent: (road) => metrics.roads.inc({ road }),
      })
    : undefined;

  await migrate(connection);
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
  const channels = new Map<string, Channel>([sandbox, wecom].flatMap((c) => (c ? [[c.name, c]] : [])));
  const outbox = new Outbox({
    messages: bot.outbox,
    channels,
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
          inspect: (messageId) => inspect(bot, messageId),
          async moveClock(to) {
            if (to < clock.now()) await clock.moveTo(to);
            await schedule.runDue(to);
            await clock.moveTo(to);
          },
          async reset() {
            await dispatcher.stop();
            for (const model of Object.values(connection.models)) await model.deleteMany({});
            sandbox.conversations.clear();
            await migrate(connection);
            await fill();
            await people.load();
            await dispatcher.start();
          },
        }),
      ]
    : [];
  const web = createWeb({
    routers: [...routers, links.routes, ...(wecom ? [wecomRoutes(wecom.callbacks)] : [])],
    metrics,
    log,
    loopbackOnly: isLoopback(config.HOST),
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
    wecom,
    store: { connection, models, services },
    clock,
    async stop() {
      clearInterval(names);
      server.close();
      server.closeAllConnections();
      await schedule.stop();
      for (const channel of channels.values()) await channel.stop();
      await dispatcher.stop();
      await outbox.stop();
      await store.close();
    },
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

interface BotModels {
  readonly interactions: ReturnType<typeof interactionModel>;
  readonly outbox: ReturnType<typeof outboxModel>;
}

/** What the store still has of a sandbox chat: commands and the answers to them. */
function historyOf({ interactions, outbox }: BotModels): History {
  return {
    async before(place) {
      const where = 'room' in place ? { room: place.room } : { room: null, person: place.person };
      const said = await interactions
        .find({ channel: SANDBOX, ...where, messageId: { $not: /^joined:/ } })
        .sort({ at: 1 })
        .lean();
      const sent = await outbox
        .find({
          channel: SANDBOX,
          ...('room' in place ? { room: place.room, person: null } : { person: place.person }),
          status: 'sent',
        })
        .sort({ at: 1, _id: 1 })
        .lean();
      const theirs = said.map((i): Message => ({
        id: i.messageId,
        room: i.room,
        from: i.person,
        text: i.text,
        mentions: i.mentions,
        attachments: i.attachments.map((a) => ({ name: a.name, type: a.type, url: fileUrl(a.id) })),
        at: i.at.toISOString(),
      }));
      const ours = sent.map((o): Message => {
        const m = outgoingOf(o);
        return {
          id: m.id,
          room: o.room,
          from: 'bot',
          ...(o.person !== null && { to: o.person }),
          text: m.text,
          mentions: m.mentions,
          attachments: m.attachments.map((a) => ({ name: a.name, type: a.type, url: fileUrl(a.id) })),
          at: m.at.toISOString(),
        };
      });
      return [...theirs, ...ours].toSorted((a, b) =>
        a.at === b.at ? Number(a.from === 'bot') - Number(b.from === 'bot') : a.at < b.at ? -1 : 1,
      );
    },
  };
}

async function inspect({ interactions, outbox }: BotModels, messageId: string): Promise<object> {
  const found = await interactions.findById(interactionKey({ channel: SANDBOX, messageId })).lean();
  if (!found) return { messageId, outcome: 'ignored' };
  const sent = await outbox.find({ interaction: found._id }).sort({ _id: 1 }).lean();
  return {
    messageId,
    outcome: found.outcome,
    intent: found.intent,
    slots: found.slots,
    records: [],
    ledger: [],
    outbox: sent.map((o) => ({ id: o._id, to: o.person ?? o.room, status: o.status, attempts: o.attempts })),
    timings: { queuedMs: 0, handledMs: found.handledMs },
  };
}
