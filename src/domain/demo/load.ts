import type { Connection } from 'mongoose';
import { addDays, type Day, dayOf, momentOf } from '../../calendar.js';
import { transact } from '../../store/transaction.js';
import { identityKey, type Member } from '../member/schema.js';
import type { Models } from '../models.js';
import type { DomainServices } from '../services.js';
import { demoPeople, demoUnits, seeded } from './people.js';

const CHANNEL = 'sandbox';
const ITEMS = [
  '环境整治',
  '垃圾分类',
  '治安巡逻',
  '护学',
  '文明劝导',
  '政策宣传',
  '入户走访',
  '关爱帮扶',
  '应急值守',
  '义务维修',
];
const NOTES = [
  '清理楼道',
  '小区北门',
  '3号楼前',
  '社区广场',
  '桶边值守',
  '学校门口',
  '走访独居老人',
  '发放宣传单',
  '地下车库',
  '凉亭周边',
];
/** Three half years. */
const DAYS = 510;
const REPORTS = 700;
const AT_ONCE = 16;

interface Planned {
  readonly member: Member;
  readonly day: Day;
  readonly at: Date;
  readonly item: string;
  readonly minutes: number;
  readonly note: string;
  readonly fate: 'approve' | 'reject' | 'wait' | 'reverse' | 'withdraw';
}

function plan(members: readonly Member[], now: Date, zone: string): Planned[] {
  const random = seeded(7);
  const today = dayOf(now, zone);
  const planned: Planned[] = [];
  for (let n = 0; n < REPORTS; n += 1) {
    const member = members[Math.floor(random() * members.length)] as Member;
    const ago = 1 + Math.floor(random() * DAYS);
    const day = addDays(today, -ago);
    const chance = random();
    const minutes = 30 * (1 + Math.floor(random() * 5));
    const index = Math.floor(random() * ITEMS.length);
    const fate =
      ago <= 3 ? 'wait' : chance < 0.93 ? 'approve' : chance < 0.96 ? 'reject' : chance < 0.98 ? 'reverse' : 'withdraw';
    planned.push({
      member,
      day,
      at: momentOf(day, 8 + Math.floor(random() * 12), Math.floor(random() * 60), zone),
      item: ITEMS[index] ?? '其他',
      minutes,
      note: NOTES[index] ?? '',
      fate,
    });
  }
  return planned.toSorted((a, b) => a.at.getTime() - b.at.getTime());
}

/**
 * Fills an empty store with the demo community: units, members and groups, and three half years of reports that go
 * through the same operations as chat does.
 */
export async function loadDemo({
  connection,
  models,
  services,
  now,
}: {
  connection: Connection;
  models: Models;
  services: DomainServices;
  now: Date;
}): Promise<void> {
  const { members, personas, rooms } = demoPeople();
  await transact(connection, async (tx) => {
    for (const unit of demoUnits) tx.insert(models.units, unit);
    for (const member of members) tx.insert(models.members, member);
    const boundAt = momentOf(addDays(dayOf(now, services.zone), -DAYS), 9, 0, services.zone);
    for (const { id, member } of personas)
      if (member !== undefined)
        tx.insert(models.identities, {
          _id: identityKey({ channel: CHANNEL, userId: id }),
          channel: CHANNEL,
          userId: id,
          member,
          boundAt,
        });
  });
  for (const room of rooms) {
    const secretary = members.find((m) => m.roles.some((r) => r.role === 'secretary'));
    if (!secretary) throw new Error('the demo has no secretary');
    await transact(connection, async (tx) => {
      const code = await services.groups.makeCode(tx, { unit: room.unit, by: secretary, at: now });
      await tx.flush();
      await services.groups.bind(tx, { code: code._id, channel: CHANNEL, room: room.id, by: secretary, at: now });
    });
  }
  const work = plan(members, now, services.zone);
  const leaderOf = (m: Member): Member =>
    members.find(
      (l) =>
        l.roles.some((r) => r.role === 'leader' && r.path !== m.unitPath && m.unitPath.startsWith(r.path)) &&
        l._id !== m._id,
    ) ?? (members[0] as Member);
  const next = work.values();
  const run = async (): Promise<void> => {
    for (const p of next) await history(p, leaderOf(p.member));
  };
  const history = async (p: Planned, leader: Member): Promise<void> => {
    const items = [{ item: p.item, minutes: p.minutes, day: p.day, note: p.note, members: ['@me'] }];
    const { reports } = await transact(connection, (tx) =>
      services.services.report(tx, { reporter: p.member, items, group: null, evidence: [], today: p.day, at: p.at }),
    );
    const number = reports[0]?._id;
    if (number === undefined || p.fate === 'wait') return;
    const at = new Date(p.at.getTime() + 20 * 3_600_000);
    await transact(connection, async (tx): Promise<void> => {
      if (p.fate === 'reject')
        await services.services.reject(tx, { number, by: leader, at, reason: '时长与签到记录不符' });
      else if (p.fate === 'withdraw')
        await services.services.revoke(tx, { number, by: p.member, at, reason: undefined });
      else await services.services.approve(tx, { numbers: [number], by: leader, at });
    });
    if (p.fate === 'reverse')
      await transact(
        connection,
        async (tx): Promise<void> =>
          void (await services.services.revoke(tx, {
            number,
            by: leader,
            at: new Date(at.getTime() + 3_600_000),
            reason: '重复登记',
          })),
      );
  };
  await Promise.all(Array.from({ length: AT_ONCE }, run));
  await services.memberNames.refresh();
}
