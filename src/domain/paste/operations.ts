import type { Model } from 'mongoose';
import type { Day } from '../../calendar.js';
import type { Tx } from '../../store/transaction.js';
import { leads, type Member } from '../member/schema.js';
import type { DayFull, FutureDay, ImplausibleDuration, TooLate } from '../service/errors.js';
import type { Examined, OwnedItem, Services } from '../service/operations.js';
import type { ServiceReport } from '../service/schema.js';
import { NoSuchLine, NothingPasted, PasteExpired } from './errors.js';
import type { Paste, PastedLine } from './schema.js';

/** A preview waits this long for 入账. */
export const PREVIEW_HOURS = 24;
const HOUR_MS = 3_600_000;

/** What was read of one thing that somebody said in a group. */
export interface Said {
  readonly name: string;
  readonly item: string;
  readonly minutes: number;
  readonly day: Day;
  readonly note?: string | undefined;
}

/** Why a thing said is left out of the preview. */
export type LeftOut =
  | { readonly is: 'notFound' | 'several' | 'notYours' }
  /** A report says so already. */
  | { readonly is: 'recorded'; readonly number: number }
  /** The excerpt says it twice. */
  | { readonly is: 'twice' }
  | { readonly is: 'wrong'; readonly problem: ImplausibleDuration | FutureDay | TooLate | DayFull };

export interface Previewed {
  readonly lines: readonly PastedLine[];
  readonly left: readonly { readonly said: Said; readonly why: LeftOut }[];
}

export type Entered =
  /** The second time: nothing was recorded again. */
  | { readonly is: 'already'; readonly at: Date; readonly numbers: readonly number[] }
  | { readonly is: 'entered'; readonly reports: readonly ServiceReport[] }
  /** The roster or the reports are not what they were at the preview: nothing was recorded. */
  | { readonly is: 'changed'; readonly preview: Previewed };

const sameLine = (a: Said | PastedLine, b: Said | PastedLine): boolean =>
  a.item === b.item && a.minutes === b.minutes && a.day === b.day;

export function pasteOperations(
  { pastes, members }: { readonly pastes: Model<Paste>; readonly members: Model<Member> },
  services: Services,
) {
  /** A member of the leader's own unit by that name, if there is exactly one. */
  function whose(name: string, leader: Member, namesakes: readonly Member[]): Member | LeftOut {
    const found = namesakes.filter((m) => m.name === name);
    if (found.length === 0) return { is: 'notFound' };
    const [own, another] = found.filter((m) => leads(leader, m.unitPath));
    if (!own) return { is: 'notYours' };
    return another ? { is: 'several' } : own;
  }

  const verdict = ({ problem, same }: Examined): LeftOut | undefined =>
    same !== undefined ? { is: 'recorded', number: same } : problem && { is: 'wrong', problem };

  async function look(tx: Tx, leader: Member, said: readonly Said[], today: Day): Promise<Previewed> {
    const namesakes = await members
      .find({ name: { $in: [...new Set(said.map((s) => s.name))] } })
      .session(tx.session)
      .lean<Member[]>();
    const left: { said: Said; why: LeftOut }[] = [];
    const owned: { said: Said; item: OwnedItem }[] = [];
    for (const s of said) {
      const member = whose(s.name, leader, namesakes);
      if ('is' in member) left.push({ said: s, why: member });
      else if (owned.some((o) => o.item.member._id === member._id && sameLine(o.said, s)))
        left.push({ said: s, why: { is: 'twice' } });
      else {
        const { item, minutes, day, note } = s;
        owned.push({ said: s, item: { member, item, minutes, day, note } });
      }
    }
    // What is recorded already must not count for the day's sum of what is not.
    const first = await services.examine(
      tx,
      owned.map((o) => o.item),
      today,
    );
    const fresh = owned.filter((o, i) => {
      if (first[i]?.same !== undefined) left.push({ said: o.said, why: { is: 'recorded', number: first[i].same } });
      return first[i]?.same === undefined;
    });
    const again = await services.examine(
      tx,
      fresh.map((o) => o.item),
      today,
    );
    const lines: PastedLine[] = [];
    for (const [i, { said: s, item }] of fresh.entries()) {
      const why = verdict(again[i] ?? {});
      if (why) left.push({ said: s, why });
      else lines.push(lineOf(item));
    }
    return { lines, left };
  }

  const lineOf = ({ member, item, minutes, day, note }: OwnedItem): PastedLine => ({
    member: member._id,
    memberName: member.name,
    item,
    minutes,
    day,
    ...(note !== undefined && { note }),
  });

  const keep = (tx: Tx, _id: string, leader: Member, lines: readonly PastedLine[], at: Date): void =>
    tx.update(
      pastes,
      { _id },
      {
        $set: {
          leader: leader._id,
          status: 'open',
          lines,
          at,
          expiresAt: new Date(at.getTime() + PREVIEW_HOURS * HOUR_MS),
          enteredAt: null,
          numbers: [],
        },
      },
      { upsert: true },
    );

  const ofChat = (tx: Tx, chat: string): Promise<Paste | null> =>
    pastes.findOne({ _id: chat }).session(tx.session).lean<Paste>();

  function openLines(paste: Paste | null, at: Date): readonly PastedLine[] {
    if (paste?.status !== 'open') throw new NothingPasted({});
    if (paste.expiresAt <= at) throw new PasteExpired({ at: paste.at });
    return paste.lines;
  }

  return {
    /** Holds what was read against the roster and the reports; what would be recorded is kept in place of an earlier preview. */
    async preview(
      tx: Tx,
      { chat, leader, said, today, at }: { chat: string; leader: Member; said: readonly Said[]; today: Day; at: Date },
    ): Promise<Previewed> {
      const preview = await look(tx, leader, said, today);
      if (preview.lines.length > 0) keep(tx, chat, leader, preview.lines, at);
      return preview;
    },

    /**
     * The preview without some of its lines, which are counted from 1.
     *
     * @throws {NoSuchLine} it has no line of that number; {NothingPasted} {PasteExpired}
     */
    async leaveOut(
      tx: Tx,
      { chat, leader, wanted, at }: { chat: string; leader: Member; wanted: readonly number[]; at: Date },
    ): Promise<readonly PastedLine[]> {
      const lines = openLines(await ofChat(tx, chat), at);
      for (const line of wanted) if (line > lines.length) throw new NoSuchLine({ line, lines: lines.length });
      const kept = lines.filter((_, i) => !wanted.includes(i + 1));
      if (kept.length === 0) tx.remove(pastes, { _id: chat });
      else keep(tx, chat, leader, kept, at);
      return kept;
    },

    /**
     * Records exactly what the preview showed, once. Where something has changed since, nothing is recorded and the new
     * preview takes the old one's place.
     *
     * @throws {NothingPasted} {PasteExpired}
     */
    async enter(
      tx: Tx,
      { chat, leader, today, at }: { chat: string; leader: Member; today: Day; at: Date },
    ): Promise<Entered> {
      const paste = await ofChat(tx, chat);
      if (paste?.status === 'entered')
        return { is: 'already', at: paste.enteredAt ?? paste.at, numbers: paste.numbers };
      const lines = openLines(paste, at);
      const said = lines.map(({ memberName, ...line }): Said => ({ ...line, name: memberName }));
      const now = await look(tx, leader, said, today);
      const unchanged =
        now.lines.length === lines.length &&
        now.lines.every((l, i) => l.member === lines[i]?.member && sameLine(l, lines[i]));
      if (!unchanged) {
        if (now.lines.length > 0) keep(tx, chat, leader, now.lines, at);
        else tx.remove(pastes, { _id: chat });
        return { is: 'changed', preview: now };
      }
      const found = await members
        .find({ _id: { $in: lines.map((l) => l.member) } })
        .session(tx.session)
        .lean<Member[]>();
      const items = lines.flatMap(({ member: id, item, minutes, day, note }): OwnedItem[] => {
        const member = found.find((m) => m._id === id);
        return member ? [{ member, item, minutes, day, note }] : [];
      });
      const reports = await services.record(tx, { reporter: leader, items, group: null, evidence: [], today, at });
      const numbers = reports.map((r) => r._id);
      tx.update(pastes, { _id: chat }, { $set: { status: 'entered', enteredAt: at, numbers } });
      return { is: 'entered', reports };
    },

    /** 撤回 of 入账: the preview waits again. */
    reopen: (tx: Tx, chat: string): void =>
      tx.update(pastes, { _id: chat, status: 'entered' }, { $set: { status: 'open', enteredAt: null, numbers: [] } }),

    /** The numbers that the last 入账 of this chat gave; empty: there is none. */
    async lastEntered(tx: Tx, chat: string): Promise<readonly number[]> {
      const paste = await pastes.findOne({ _id: chat, status: 'entered' }).session(tx.session).lean<Paste>();
      return paste?.numbers ?? [];
    },

    /** When the oldest open preview runs out. */
    async nextExpiry(): Promise<Date | undefined> {
      const first = await pastes.findOne({ status: 'open' }).sort({ expiresAt: 1 }).lean<Paste>();
      return first?.expiresAt;
    },

    /** Forgets previews that nobody entered: they hold names. */
    async forgetExpired(at: Date): Promise<void> {
      await pastes.deleteMany({ status: 'open', expiresAt: { $lte: at } });
    },
  };
}
