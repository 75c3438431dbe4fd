import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import { type Logger, pino } from 'pino';
import { type RunningApp, startApp } from '../../src/app.js';
import { parseConfig } from '../../src/config.js';
import type { Member, Role } from '../../src/domain/member/schema.js';
import { identityKey } from '../../src/domain/member/schema.js';
import type { Network, Said } from './networks/network.js';

const COMMUNITY = '/s/c/';
const role = (kind: Role['role'], unit: string, unitName: string, path: string): Role => ({
  role: kind,
  unit,
  unitName,
  path,
});

const units = [
  { _id: 's', kind: 'street' as const, name: '滨河街道', path: '/s/' },
  { _id: 'c', kind: 'community' as const, name: '幸福社区', path: COMMUNITY },
  { _id: 'g1', kind: 'gridBranch' as const, name: '第一网格', path: '/s/c/g1/' },
  { _id: 'g3', kind: 'gridBranch' as const, name: '第三网格', path: '/s/c/g3/' },
  { _id: 'b3', kind: 'buildingGroup' as const, name: '3号楼', path: '/s/c/g3/b3/' },
  { _id: 'b7', kind: 'buildingGroup' as const, name: '7号楼', path: '/s/c/g3/b7/' },
];
const inB3 = { unit: 'b3', unitName: '3号楼', unitPath: '/s/c/g3/b3/' };
const inB7 = { unit: 'b7', unitName: '7号楼', unitPath: '/s/c/g3/b7/' };

const member = (
  name: string,
  where: Pick<Member, 'unit' | 'unitName' | 'unitPath'>,
  more: Partial<Member> = {},
): Member => ({
  _id: name,
  name,
  category: 'direct',
  posts: [],
  roles: [],
  phoneTail: '1234',
  ...where,
  ...more,
});

/** One community, with a secretary, a grid leader, a building leader and members; each may be a chat identity of their own name. */
export const members: readonly Member[] = [
  member(
    '周立新',
    { unit: 'c', unitName: '幸福社区', unitPath: COMMUNITY },
    { posts: ['社区书记'], roles: [role('secretary', 'c', '幸福社区', COMMUNITY)] },
  ),
  member(
    '李书记',
    { unit: 'g3', unitName: '第三网格', unitPath: '/s/c/g3/' },
    { posts: ['第三网格网格长'], roles: [role('leader', 'g3', '第三网格', '/s/c/g3/')] },
  ),
  member(
    '赵书记',
    { unit: 'g1', unitName: '第一网格', unitPath: '/s/c/g1/' },
    { posts: ['第一网格网格长'], roles: [role('leader', 'g1', '第一网格', '/s/c/g1/')] },
  ),
  member('董兰', inB3, { posts: ['3号楼组长'], roles: [role('leader', 'b3', '3号楼', '/s/c/g3/b3/')] }),
  member('王秀兰', inB3, { phoneTail: '8821', category: 'inService' }),
  member('张三', inB3, { phoneTail: '1101' }),
  member('李四', inB7, { phoneTail: '1102' }),
  member('孙丽娟', inB7, { phoneTail: '5521' }),
  member('孙丽', inB7, { _id: '孙丽1', phoneTail: '1111' }),
  member('孙丽', inB3, { _id: '孙丽2', phoneTail: '2222' }),
];
const BOUND = ['周立新', '李书记', '赵书记', '董兰', '王秀兰', '张三', '李四'];
export const GROUP = 'grid-3';

let messages = 0;

type SayOptions = { room?: string | null; messageId?: string; attachments?: string[]; mentionsBot?: boolean };

/** A chat of the community: the real program without the port, driven from the far side of a network. */
export class Chat<N extends Network = Network> {
  readonly app: RunningApp;
  readonly network: N;
  readonly #folder: string;
  #now = new Date('2026-11-25T10:00:00+08:00');

  private constructor(app: RunningApp, network: N, folder: string) {
    this.app = app;
    this.network = network;
    this.#folder = folder;
  }

  static async start<N extends Network>(network: N, log: Logger = pino({ level: 'silent' })): Promise<Chat<N>> {
    const folder = await mkdtemp(join(tmpdir(), 'gridmate-test-'));
    const env: Record<string, string> = {
      DATA_DIR: folder,
      PORT: '0',
      DEMO: 'off',
      MONGODB_NAME: `test_${process.pid}_${Date.now()}`,
      ...(await network.prepare()),
    };
    if (process.env['MONGODB_URI'] !== undefined) env['MONGODB_URI'] = process.env['MONGODB_URI'];
    const app = await startApp(parseConfig(env), log, 'same');
    // A conversation has its own times: by the program's clock its questions may have run out long ago.
    await app.schedule.stop();
    const { models, services } = app.store;
    const channel = network.name;
    await models.units.insertMany(units);
    await models.members.insertMany(members);
    await models.identities.insertMany(
      BOUND.map((name) => ({
        _id: identityKey({ channel, userId: name }),
        channel,
        userId: name,
        member: name,
        boundAt: new Date('2026-01-01T00:00:00Z'),
      })),
    );
    const room = network.roomId(GROUP);
    await models.groups.create({
      _id: `${channel}:${room}`,
      channel,
      room,
      unit: 'g3',
      unitName: '第三网格',
      unitPath: '/s/c/g3/',
      boundBy: '李书记',
      boundAt: new Date('2026-01-01T00:00:00Z'),
      ranking: 'off',
    });
    await services.memberNames.refresh();
    await network.attach(app);
    return new Chat(app, network, folder);
  }

  async stop(): Promise<void> {
    if (process.env['MONGODB_URI'] !== undefined) await this.app.store.connection.dropDatabase();
    await this.app.stop();
    await this.network.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }

  at(time: string): void {
    this.#now = new Date(time);
  }

  later(minutes: number): void {
    this.#now = new Date(this.#now.getTime() + minutes * 60_000);
  }

  get now(): Date {
    return this.#now;
  }

  /** A message as it is typed now. */
  said(person: string, text: string, options: SayOptions = {}): Said {
    messages += 1;
    const room = options.room ?? null;
    return {
      from: person,
      room,
      text,
      messageId: options.messageId ?? `t${messages}`,
      mentionsBot: options.mentionsBot ?? (room !== null && !this.network.hearsGroups),
      pictures: options.attachments ?? [],
      at: this.#now,
    };
  }

  /** What the bot answers, as one text; '' is silence. */
  async says(person: string, text: string, options: SayOptions = {}): Promise<string> {
    return (await this.network.say(this.said(person, text, options))).join('\n---\n');
  }

  inGroup(person: string, text: string, options: SayOptions = {}): Promise<string> {
    return this.says(person, text, { ...options, room: GROUP });
  }

  /** What a person was told in private. */
  told(person: string): Promise<readonly string[]> {
    return this.network.told(person);
  }

  /** The number that an answer names first. */
  static number(answer: string): number {
    const found = /#(\d+)/.exec(answer);
    expect(answer).toMatch(/#\d+/);
    return Number(found?.[1]);
  }

  async points(person: string): Promise<number> {
    const found = await this.app.store.models.accounts.find({ member: person }).lean();
    return found.reduce((sum, a) => sum + a.total, 0);
  }
}
