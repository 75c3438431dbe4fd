import type { Category, Member, Role } from '../member/schema.js';
import type { OrgUnit } from '../organisation/schema.js';

/** A persona of the sandbox: somebody whom a visitor can be. */
export interface Persona {
  readonly id: string;
  readonly name: string;
  readonly title: 'secretary' | 'gridLeader' | 'buildingLeader' | 'member' | 'stranger';
  readonly unit: string | null;
}
export interface DemoRoom {
  readonly id: string;
  readonly name: string;
  readonly unit: string;
  readonly unitId: string;
  readonly members: readonly string[];
}

/** Numbers that look random and are the same in each run (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

const SURNAMES = '王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕';
const GIVEN =
  '伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华建国文辉力志玲红梅兰凤洁云莲真环雪荣爱妹香月莺媛瑞凡佳嘉琼勤珍';
const GRID_NAMES = ['第一网格', '第二网格', '第三网格', '第四网格'];
const STREET = '/binhe/';
const COMMUNITY = `${STREET}xingfu/`;
const BUILDINGS = 16;
const MEMBERS = 200;

const gridOf = (building: number): number => ((building - 1) % 4) + 1;
const gridPath = (grid: number): string => `${COMMUNITY}g${grid}/`;
const buildingPath = (building: number): string => `${gridPath(gridOf(building))}b${building}/`;

export const demoUnits: readonly OrgUnit[] = [
  { _id: 'binhe', kind: 'street', name: '滨河街道', path: STREET },
  { _id: 'xingfu', kind: 'community', name: '幸福社区', path: COMMUNITY },
  ...GRID_NAMES.map((name, i): OrgUnit => ({ _id: `g${i + 1}`, kind: 'gridBranch', name, path: gridPath(i + 1) })),
  ...Array.from({ length: BUILDINGS }, (_, i): OrgUnit => ({
    _id: `b${i + 1}`,
    kind: 'buildingGroup',
    name: `${i + 1}号楼`,
    path: buildingPath(i + 1),
  })),
];

const CATEGORIES: readonly Category[] = ['inService', 'inService', 'direct', 'direct', 'retired', 'floating'];
const HOMES = [
  '市水务局机关党委',
  '区教育局党委',
  '市第一医院党委',
  '城东小学党支部',
  '滨河银行党总支',
  '市供电公司党委',
];

interface Made {
  readonly members: readonly Member[];
  readonly personas: readonly (Persona & { readonly member?: string })[];
  readonly rooms: readonly DemoRoom[];
}

/** The people and groups of the demo community; always the same. */
export function demoPeople(): Made {
  const random = seeded(20261125);
  const pick = <T>(list: readonly T[] | string): T => list[Math.floor(random() * list.length)] as T;
  const members: Member[] = [];
  const used = new Set<string>();
  const freshName = (): string => {
    for (;;) {
      const name = `${pick<string>(SURNAMES)}${pick<string>(GIVEN)}${random() < 0.8 ? pick<string>(GIVEN) : ''}`;
      if (!used.has(name)) {
        used.add(name);
        return name;
      }
    }
  };
  const add = (building: number, given: Partial<Member> = {}): Member => {
    const category = given.category ?? pick(CATEGORIES);
    const name = given.name ?? freshName();
    used.add(name);
    const member: Member = {
      _id: `m${String(members.length + 1).padStart(3, '0')}`,
      name,
      category,
      unit: `b${building}`,
      unitName: `${building}号楼`,
      unitPath: buildingPath(building),
      ...(category === 'inService' && { homeOrganisation: pick(HOMES) }),
      posts: [],
      roles: [],
      phoneTail: String(1000 + Math.floor(random() * 9000)),
      ...given,
    };
    members.push(member);
    return member;
  };
  const role = (kind: Role['role'], unit: string, unitName: string, path: string): Role => ({
    role: kind,
    unit,
    unitName,
    path,
  });
  const personas: (Persona & { member?: string })[] = [];
  const persona = (id: string, title: Persona['title'], m: Member, unit = m.unitName): void =>
    void personas.push({ id, name: m.name, title, unit, member: m._id });

  persona(
    'secretary',
    'secretary',
    add(1, {
      name: '周立新',
      category: 'direct',
      posts: ['社区党委书记'],
      roles: [role('secretary', 'xingfu', '幸福社区', COMMUNITY)],
    }),
    '幸福社区',
  );
  const leaders = ['刘建平', '陈桂芳', '李国强', '赵志强'];
  for (const [i, name] of leaders.entries()) {
    const grid = i + 1;
    const m = add(grid, {
      name,
      category: 'direct',
      posts: [`${GRID_NAMES[i] ?? ''}网格长`],
      roles: [role('leader', `g${grid}`, GRID_NAMES[i] ?? '', gridPath(grid))],
    });
    persona(`grid-leader-${grid}`, 'gridLeader', m, GRID_NAMES[i] ?? '');
  }
  const known: readonly [string, number, string][] = [
    ['王秀兰', 3, '8821'],
    ['张三', 3, '1101'],
    ['李四', 7, '1102'],
    ['何国栋', 11, '7790'],
    ['孙丽娟', 1, '5521'],
    ['吴晓峰', 5, '9043'],
    ['马小红', 2, '6637'],
    ['欧阳慧', 6, '3316'],
    ['郭晓东', 4, '2046'],
    ['林芳', 8, '3090'],
  ];
  for (const [i, [name, building, phoneTail]] of known.entries())
    persona(
      `member-${i + 1}`,
      'member',
      add(building, { name, phoneTail, category: i % 3 === 2 ? 'retired' : 'inService' }),
    );
  for (let building = 1; building <= BUILDINGS; building += 1) {
    const m = add(building, {
      category: 'direct',
      posts: [`${building}号楼党小组组长`],
      roles: [role('leader', `b${building}`, `${building}号楼`, buildingPath(building))],
    });
    if ([1, 2, 3, 4, 7].includes(building)) persona(`building-leader-${building}`, 'buildingLeader', m);
  }
  const newcomer = add(3, { name: '许文静', phoneTail: '4518', category: 'inService' });
  while (members.length < MEMBERS) add((members.length % BUILDINGS) + 1);
  personas.push({ id: 'newcomer', name: newcomer.name, title: 'member', unit: newcomer.unitName });
  personas.push({ id: 'stranger', name: '路人甲', title: 'stranger', unit: null });

  const inGrid = (grid: number): string[] =>
    personas
      .filter((p) => members.find((m) => m.name === p.name)?.unitPath.startsWith(gridPath(grid)))
      .map((p) => p.id);
  const rooms: DemoRoom[] = GRID_NAMES.map((name, i) => ({
    id: `grid-${i + 1}`,
    name: `幸福社区${name}党员群`,
    unit: name,
    unitId: `g${i + 1}`,
    members: [...new Set(['secretary', `grid-leader-${i + 1}`, ...inGrid(i + 1), ...(i === 2 ? ['stranger'] : [])])],
  }));
  rooms.push({
    id: 'building-3',
    name: '3号楼党小组',
    unit: '3号楼',
    unitId: 'b3',
    members: ['member-1', 'member-2', 'building-leader-3', 'grid-leader-3', 'newcomer'],
  });
  return { members, personas: personas.toSorted((a, b) => order(a.id) - order(b.id)), rooms };
}

/** 王秀兰 comes first: she is who a visitor is at first. */
const order = (id: string): number =>
  id === 'member-1'
    ? 0
    : id.startsWith('member')
      ? 1
      : id.startsWith('building')
        ? 2
        : id.startsWith('grid')
          ? 3
          : id === 'secretary'
            ? 4
            : 5;
