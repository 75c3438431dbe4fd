import type { ReadContext } from '../../../src/bot/grammar.js';
import { findDay } from '../../../src/bot/language/dates.js';
import { findDurations } from '../../../src/bot/language/durations.js';
import { findItems } from './service-items.js';

/** `不是` without more is none: `1小时不是2小时` means the first. */
const CORRECTION =
  /[\s,:;(]*[啊哦噢哎呀唉]*,?(?:(?:不对[\s,]*)+|(?:说|写|打|记|填|报)?错了?|口误|更正|纠正|(?<=[啊哦噢哎呀唉],?)不是?)(?:[啊呀了哈]*)(?:[\s,:]*(?:应该)?(?:是|为))?[\s,:]*/;

/** `巡逻1小时 不对 是2小时`: what follows stands instead of the last of its kind. Undefined: which one is not to be told. */
export function corrected(text: string, { now, zone }: ReadContext): string | undefined {
  const mark = CORRECTION.exec(text);
  if (!mark || text.slice(0, mark.index).trim() === '') return text;
  const [before, after] = [text.slice(0, mark.index), text.slice(mark.index + mark[0].length)];
  const without = ({ from, to }: { from: number; to: number }, put = ''): string =>
    `${before.slice(0, from)}${put}${before.slice(to)}`;
  const [duration] = findDurations(after);
  const last = findDurations(before).at(-1);
  if (duration?.from === 0 && last) return `${without(last, after.slice(0, duration.to))} ${after.slice(duration.to)}`;
  const day = findDay(after, now, zone, 'past');
  const said = findDay(before, now, zone, 'past');
  if (day?.from === 0 && said) return `${without(said, after.slice(0, day.to))} ${after.slice(day.to)}`;
  const [item] = findItems(after);
  const items = findItems(before);
  const same = items.findLast((i) => i.item === item?.item);
  if (item?.from === 0 && duration && same && items.length > 1) return `${before.slice(0, same.from)} ${after}`;
  if (item?.from === 0 && items.length === 1 && items[0])
    return duration
      ? `${without(last ?? { from: before.length, to: before.length }).replace(before.slice(items[0].from, items[0].to), '')} ${after}`
      : `${without(items[0], after.slice(0, item.to))} ${after.slice(item.to)}`;
  return findDurations(text).length === 0 || (!duration && !day && !item) ? text : undefined;
}
