import { isNull } from './arguments.js';
import { typeName } from '../../bson/types.js';
import type { Value } from '../../bson/value.js';
import { EngineError } from '../../errors.js';

/** A time zone: its clock and UTC, both in milliseconds. A clock's reading is kept as the date that UTC would show it. */
export interface Zone {
  readonly isUtc: boolean;
  toLocal(utc: number): number;
  toUtc(local: number): number;
}

const fixed = (offset: number): Zone => ({
  isUtc: offset === 0,
  toLocal: (utc) => utc + offset,
  toUtc: (local) => local - offset,
});

export const UTC = fixed(0);
const known = new Map<string, Zone>();

/** By the rules of the zone, which the platform knows. */
function named(name: string): Zone {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: name,
    hourCycle: 'h23',
    era: 'short',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  const toLocal = (utc: number): number => {
    const p = Object.fromEntries(format.formatToParts(utc).map(({ type, value }) => [type, value]));
    const year = p['era'] === 'BC' ? 1 - Number(p['year']) : Number(p['year']);
    const date = new Date(0);
    date.setUTCFullYear(year, Number(p['month']) - 1, Number(p['day']));
    date.setUTCHours(Number(p['hour']), Number(p['minute']), Number(p['second']), ((utc % 1000) + 1000) % 1000);
    return date.getTime();
  };
  return {
    isUtc: false,
    toLocal,
    toUtc(local) {
      // The offset of about that time, then the offset of the time so found.
      const first = local - (toLocal(local) - local);
      return local - (toLocal(first) - first);
    },
  };
}

/** @throws {EngineError} 40485: no such zone; 40517: no string */
export function zoneOf(v: Value): Zone {
  if (isNull(v)) return UTC;
  if (typeof v !== 'string') throw new EngineError(40517, `timezone must evaluate to a string, found ${typeName(v)}`);
  if (v === 'UTC' || v === 'GMT') return UTC;
  const offset = /^([+-])(\d\d):?(\d\d)?$/.exec(v);
  if (offset) {
    const minutes = Number(offset[2]) * 60 + Number(offset[3] ?? 0);
    return fixed((offset[1] === '-' ? -1 : 1) * minutes * 60_000);
  }
  const there = known.get(v);
  if (there) return there;
  try {
    // The platform knows names in any case, MongoDB in their own alone.
    const canonical = new Intl.DateTimeFormat('en-US', { timeZone: v }).resolvedOptions().timeZone;
    if (!/^[A-Z]/.test(v) || (canonical !== v && canonical.toLowerCase() === v.toLowerCase())) throw new RangeError(v);
    const zone = named(v);
    if (known.size < 500) known.set(v, zone);
    return zone;
  } catch {
    throw new EngineError(40485, `unrecognized time zone identifier: "${v}"`);
  }
}
