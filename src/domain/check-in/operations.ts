import { randomUUID } from 'node:crypto';
import type { Model } from 'mongoose';
import type { Tx } from '../../store/transaction.js';
import type { auditOperations } from '../audit/audit.js';
import type { Category, Identity, Member } from '../member/schema.js';
import { identityKey, leads } from '../member/schema.js';
import type { numberOperations } from '../numbers/numbers.js';
import type { OrgUnit } from '../organisation/schema.js';
import type { CheckInAttempts, CheckInRequest } from './schema.js';

/** So many wrong tries an identity has in an hour. */
export const MAX_WRONG = 5;
const HOUR_MS = 3_600_000;

export interface CheckIn {
  readonly person: { channel: string; userId: string };
  readonly room: string | null;
  /** The unit of the group it was said in, if any. */
  readonly groupPath: string | undefined;
  readonly name: string;
  readonly phoneTail?: string | undefined;
  readonly at: Date;
}

/** Results, not errors: a wrong try must be stored although the answer is no. */
export type CheckInResult =
  | { readonly is: 'bound'; readonly member: Member }
  | { readonly is: 'alreadyBound'; readonly member: Member; readonly since: Date; readonly same: boolean }
  | { readonly is: 'needsTail' }
  | { readonly is: 'wrongTail'; readonly left: number }
  | { readonly is: 'tooManyTries'; readonly until: Date }
  | { readonly is: 'requested'; readonly number: number; readonly again: boolean };

export interface CheckInModels {
  readonly members: Model<Member>;
  readonly identities: Model<Identity>;
  readonly requests: Model<CheckInRequest>;
  readonly attempts: Model<CheckInAttempts>;
  readonly units: Model<OrgUnit>;
}

export type SettledRequest =
  | { readonly is: 'approved' | 'refused'; readonly request: CheckInRequest; readonly member?: Member }
  | { readonly is: 'already'; readonly request: CheckInRequest }
  | { readonly is: 'notFound' | 'notAllowed' };

export function checkInOperations(
  { members, identities, requests, attempts, units }: CheckInModels,
  numbers: ReturnType<typeof numberOperations>,
  audit: ReturnType<typeof auditOperations>,
) {
  const bind = (tx: Tx, person: CheckIn['person'], member: Member, at: Date): void =>
    tx.insert(identities, {
      _id: identityKey(person),
      channel: person.channel,
      userId: person.userId,
      member: member._id,
      boundAt: at,
    });

  return {
    /**
     * Ties a chat identity to the roster: at once where name and last four digits fit one member. Nobody of that name:
     * a request for the leader.
     */
    async checkIn(tx: Tx, { person, room, groupPath, name, phoneTail, at }: CheckIn): Promise<CheckInResult> {
      const key = identityKey(person);
      const bound = await identities.findOne({ _id: key }).session(tx.session).lean<Identity>();
      if (bound) {
        const member = await members.findOne({ _id: bound.member }).session(tx.session).lean<Member>();
        if (!member) throw new Error(`identity ${key} names a member that is gone`);
        return { is: 'alreadyBound', member, since: bound.boundAt, same: member.name === name };
      }
      const tries = await attempts.findOne({ _id: key }).session(tx.session).lean<CheckInAttempts>();
      const recent = (tries?.wrong ?? []).filter((t) => at.getTime() - t.getTime() < HOUR_MS);
      if (recent.length >= MAX_WRONG)
        return { is: 'tooManyTries', until: new Date((recent[0] ?? at).getTime() + HOUR_MS) };
      const namesakes = await members.find({ name }).session(tx.session).lean<Member[]>();
      if (namesakes.length === 0) return this.request(tx, { person, room, groupPath, name, phoneTail, at });
      if (phoneTail === undefined) return { is: 'needsTail' };
      const [member, another] = namesakes.filter((m) => m.phoneTail === phoneTail);
      if (member && !another) {
        bind(tx, person, member, at);
        if (recent.length > 0) tx.remove(attempts, { _id: key });
        return { is: 'bound', member };
      }
      tx.update(attempts, { _id: key }, { $set: { wrong: [...recent, at] } }, { upsert: true });
      return { is: 'wrongTail', left: MAX_WRONG - recent.length - 1 };
    },

    /** One open request an identity: asking again gives the first number. */
    async request(tx: Tx, { person, room, groupPath, name, phoneTail, at }: CheckIn): Promise<CheckInResult> {
      const identity = identityKey(person);
      const open = await requests.findOne({ identity, status: 'open' }).session(tx.session).lean<CheckInRequest>();
      if (open) return { is: 'requested', number: open._id, again: true };
      const community = await units.findOne({ kind: 'community' }).session(tx.session).lean<OrgUnit>();
      const number = await numbers.next(tx, 'checkInRequest');
      tx.insert(requests, {
        _id: number,
        identity,
        ...person,
        room,
        name,
        phoneTail: phoneTail ?? '',
        unitPath: groupPath ?? community?.path ?? '/',
        status: 'open',
        at,
      });
      return { is: 'requested', number, again: false };
    },

    waiting: (tx: Tx, leader: Member): Promise<CheckInRequest[]> =>
      requests
        .find({ status: 'open' })
        .sort({ at: 1 })
        .session(tx.session)
        .lean<CheckInRequest[]>()
        .then((all) => all.filter((r) => leads(leader, r.unitPath))),

    /** These requests, those that there are, by number. */
    find: (tx: Tx, wanted: readonly number[]): Promise<CheckInRequest[]> =>
      requests
        .find({ _id: { $in: [...wanted] } })
        .sort({ _id: 1 })
        .session(tx.session)
        .lean<CheckInRequest[]>(),

    /** Approves: the person becomes a member of the unit the request came from, and the identity is theirs. */
    async approve(
      tx: Tx,
      { number, by, at, category }: { number: number; by: Member; at: Date; category: Category },
    ): Promise<SettledRequest> {
      const request = await requests.findOne({ _id: number }).session(tx.session).lean<CheckInRequest>();
      if (!request) return { is: 'notFound' };
      if (!leads(by, request.unitPath)) return { is: 'notAllowed' };
      if (request.status !== 'open') return { is: 'already', request };
      const unit = await units.findOne({ path: request.unitPath }).session(tx.session).lean<OrgUnit>();
      const member: Member = {
        _id: randomUUID(),
        name: request.name,
        category,
        unit: unit?._id ?? '',
        unitName: unit?.name ?? '',
        unitPath: request.unitPath,
        posts: [],
        roles: [],
        phoneTail: request.phoneTail,
      };
      tx.insert(members, member);
      bind(tx, request, member, at);
      tx.update(requests, { _id: number }, { $set: { status: 'approved', settledBy: by._id, settledAt: at } });
      audit.record(tx, {
        act: 'checkIn.approve',
        by: by._id,
        subject: `checkInRequest:${number}`,
        before: 'open',
        after: 'approved',
        at,
      });
      return { is: 'approved', request, member };
    },

    async refuse(
      tx: Tx,
      { number, by, at, reason }: { number: number; by: Member; at: Date; reason: string },
    ): Promise<SettledRequest> {
      const request = await requests.findOne({ _id: number }).session(tx.session).lean<CheckInRequest>();
      if (!request) return { is: 'notFound' };
      if (!leads(by, request.unitPath)) return { is: 'notAllowed' };
      if (request.status !== 'open') return { is: 'already', request };
      tx.update(requests, { _id: number }, { $set: { status: 'refused', settledBy: by._id, settledAt: at, reason } });
      audit.record(tx, {
        act: 'checkIn.refuse',
        by: by._id,
        subject: `checkInRequest:${number}`,
        before: 'open',
        after: 'refused',
        at,
      });
      return { is: 'refused', request };
    },

    /** Takes a 报到 back: the identity is nobody's again. */
    unbind(tx: Tx, person: CheckIn['person']): void {
      tx.remove(identities, { _id: identityKey(person) });
    },

    /** A member's chat identities, those of `channel` first. */
    async identitiesOf(tx: Tx, member: string, channel: string): Promise<Identity[]> {
      const found = await identities.find({ member }).session(tx.session).lean<Identity[]>();
      return found.toSorted((a, b) => Number(b.channel === channel) - Number(a.channel === channel));
    },
  };
}

export type CheckIns = ReturnType<typeof checkInOperations>;
