import { randomInt } from 'node:crypto';
import type { Model } from 'mongoose';
import type { Tx } from '../../store/transaction.js';
import type { auditOperations } from '../audit/audit.js';
import { leads, type Member } from '../member/schema.js';
import type { OrgUnit } from '../organisation/schema.js';
import { CodeNotFound, CodeUsed, NotBound, NotYourUnit, UnitNotFound } from './errors.js';
import type { BindingCode, Group } from './schema.js';

/** Letters and digits that are not taken for one another. */
const ALPHABET = '23456789ABCDEFGHJKMNPQRSTUVWXYZ';
const CODE_LENGTH = 6;
const CODE_HOURS = 24;

export interface GroupModels {
  readonly groups: Model<Group>;
  readonly codes: Model<BindingCode>;
  readonly units: Model<OrgUnit>;
}

export function groupOperations({ groups, codes, units }: GroupModels, audit: ReturnType<typeof auditOperations>) {
  return {
    /**
     * A code that binds one group to a unit within a day.
     *
     * @throws {UnitNotFound} no unit of that name; names those that look alike
     * @throws {NotYourUnit} the leader does not lead it
     */
    async makeCode(tx: Tx, { unit: name, by, at }: { unit: string; by: Member; at: Date }): Promise<BindingCode> {
      const all = await units.find({}).session(tx.session).lean<OrgUnit[]>();
      const unit = all.find((u) => u.name === name);
      if (!unit)
        throw new UnitNotFound({
          unit: name,
          near: all.filter((u) => u.name.includes(name) || name.includes(u.name)).map((u) => u.name),
        });
      if (!leads(by, unit.path)) throw new NotYourUnit({ unit: name });
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
