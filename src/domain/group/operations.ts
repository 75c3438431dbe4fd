import { createHash, randomInt } from 'node:crypto';
import type { Model } from 'mongoose';
import type { Tx } from '../../store/transaction.js';
import type { auditOperations } from '../audit/audit.js';
import { type Identity, leads, type Member } from '../member/schema.js';
import type { OrgUnit } from '../organisation/schema.js';
import { CodeNotFound, CodeUsed, GroupMade, NotBound, NotYourUnit, TooFewInGroup, UnitNotFound } from './errors.js';
import type { BindingCode, Group } from './schema.js';

/** Letters and digits that are not taken for one another. */
const ALPHABET = '23456789ABCDEFGHJKMNPQRSTUVWXYZ';
const CODE_LENGTH = 6;
const CODE_HOURS = 24;

export interface GroupModels {
  readonly groups: Model<Group>;
  readonly codes: Model<BindingCode>;
  readonly units: Model<OrgUnit>;
  readonly members: Model<Member>;
  readonly identities: Model<Identity>;
}

/** What makes a group for a unit: whom it holds, and under which id. */
export interface MadeGroup {
  readonly group: Group;
  /** Chat ids of the unit's members who have checked in on the channel, the leader's first. */
  readonly people: readonly string[];
}

const MAX_IN_GROUP = 2000;

/** A unit has one group of the bot's own making on a channel, whoever asks for it and however often. */
const roomOf = (channel: string, unit: string): string =>
  createHash('sha256').update(`${channel}:${unit}`).digest('hex').slice(0, 32);

export function groupOperations(
  { groups, codes, units, members, identities }: GroupModels,
  audit: ReturnType<typeof auditOperations>,
) {
  /** @throws {UnitNotFound} no unit of that name; names those that look alike; {NotYourUnit} `by` does not lead it */
  async function ownUnit(tx: Tx, name: string, by: Member): Promise<OrgUnit> {
    const all = await units.find({}).session(tx.session).lean<OrgUnit[]>();
    const unit = all.find((u) => u.name === name);
    if (!unit)
      throw new UnitNotFound({
        unit: name,
        near: all.filter((u) => u.name.includes(name) || name.includes(u.name)).map((u) => u.name),
      });
    if (!leads(by, unit.path)) throw new NotYourUnit({ unit: name });
    return unit;
  }

  return {
    /**
     * A code that binds one group to a unit within a day.
     *
     * @throws {UnitNotFound} no unit of that name; names those that look alike
     * @throws {NotYourUnit} the leader does not lead it
     */
    async makeCode(tx: Tx, { unit: name, by, at }: { unit: string; by: Member; at: Date }): Promise<BindingCode> {
      const unit = await ownUnit(tx, name, by);
      const code = Array.from({ length: CODE_LENGTH }, () => ALPHABET[randomInt(ALPHABET.length)]).join('');
      const made: BindingCode = {
        _id: code,
        unit: unit._id,
        unitName: unit.name,
        unitPath: unit.path,
        by: by._id,
        expiresAt: new Date(at.getTime() + CODE_HOURS * 3_600_000),
      };
      tx.insert(codes, made);
      return made;
    },

    /**
     * A group for a unit, bound to it: its owner is who asks, its members are those of the unit who have checked in on the
     * channel. Making it there is the channel's, with the first message.
     *
     * @throws {UnitNotFound} {NotYourUnit} as `makeCode`
     * @throws {GroupMade} it was made before
     * @throws {TooFewInGroup} nobody but the leader has checked in
     */
    async make(
      tx: Tx,
      { unit: name, channel, owner, by, at }: { unit: string; channel: string; owner: string; by: Member; at: Date },
    ): Promise<MadeGroup> {
      const unit = await ownUnit(tx, name, by);
      const room = roomOf(channel, unit._id);
      const _id = `${channel}:${room}`;
      if (await groups.findOne({ _id }).session(tx.session).lean<Group>()) throw new GroupMade({ unit: name });
      const inUnit = await members
        .find({ unitPath: { $gte: unit.path, $lt: `${unit.path}\uffff` } }, { _id: 1 })
        .session(tx.session)
        .lean<Pick<Member, '_id'>[]>();
      const known = await identities
        .find({ channel, member: { $in: inUnit.map((m) => m._id) } })
        .session(tx.session)
        .lean<Identity[]>();
      const people = [...new Set([owner, ...known.map((i) => i.userId)])].slice(0, MAX_IN_GROUP);
      if (people.length < 2) throw new TooFewInGroup({ unit: name });
      const group: Group = {
        _id,
        channel,
        room,
        unit: unit._id,
        unitName: unit.name,
        unitPath: unit.path,
        boundBy: by._id,
        boundAt: at,
        ranking: 'off',
      };
      const { _id: key, ...rest } = group;
      tx.update(groups, { _id: key }, { $set: rest }, { upsert: true });
      audit.record(tx, { act: 'group.make', by: by._id, subject: _id, before: null, after: unit._id, at });
      return { group, people };
    },

    /**
     * Binds a group; binding again to another unit moves it.
     *
     * @throws {CodeNotFound} no such code, or its day is over
     * @throws {CodeUsed} it has bound a group already
     * @throws {NotYourUnit} who types it does not lead the unit
     */
    async bind(
      tx: Tx,
      { code, channel, room, by, at }: { code: string; channel: string; room: string; by: Member; at: Date },
    ): Promise<Group> {
      const found = await codes.findOne({ _id: code.toUpperCase() }).session(tx.session).lean<BindingCode>();
      if (!found || found.expiresAt <= at) throw new CodeNotFound({ code });
      if (found.usedAt) throw new CodeUsed({ code });
      if (!leads(by, found.unitPath)) throw new NotYourUnit({ unit: found.unitName });
      const _id = `${channel}:${room}`;
      const before = await groups.findOne({ _id }).session(tx.session).lean<Group>();
      const { unit, unitName, unitPath } = found;
      const group: Group = {
        _id,
        channel,
        room,
        unit,
        unitName,
        unitPath,
        boundBy: by._id,
        boundAt: at,
        ranking: before?.ranking ?? 'off',
      };
      const { _id: key, ...rest } = group;
      tx.update(groups, { _id: key }, { $set: rest }, { upsert: true });
      tx.update(codes, { _id: found._id }, { $set: { usedAt: at } });
      audit.record(tx, { act: 'group.bind', by: by._id, subject: _id, before: before?.unit, after: unit, at });
      return group;
    },

    /** @throws {NotBound} the group is bound to no unit; {NotYourUnit} the leader does not lead it */
    unbind(tx: Tx, { group, by, at }: { group: Group | undefined; by: Member; at: Date }): void {
      if (!group) throw new NotBound({});
      if (!leads(by, group.unitPath)) throw new NotYourUnit({ unit: group.unitName });
      tx.remove(groups, { _id: group._id });
      audit.record(tx, { act: 'group.unbind', by: by._id, subject: group._id, before: group.unit, after: null, at });
    },
  };
}
