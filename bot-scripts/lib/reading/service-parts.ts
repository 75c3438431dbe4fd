import { findDurations, type FoundDuration } from '../../../src/bot/language/durations.js';
import { findItems } from './service-items.js';

const SEPARATOR = /\n+|;|,?(?:接着|然后|之后|随后|另外|还有)|(?:^|[\s,:;\n])\d{1,2}[、.](?!\d)/g;

const LISTED = /\n|(?:^|[\s,:;])\d{1,2}[、.](?!\d)/;
/** `巡逻、守桶各1小时`: the length is that of each. */
const EACH = /[\s,]*(?:都是|每样|分别)?各自?\s*$/;

const TOTAL = /[\s,;(]*(?:一共|总共|合计|共计?|总?时长|历时|用时)(?:是|为|:)?\s*$/;

interface Parts {
  readonly parts: readonly string[];
  /** The parts are items of a list: numbered, or on lines of their own; what one says may not be meant for the next. */
  readonly listed: boolean;
}

/** `扫地2小时,守桶1小时,一共3小时`: the sum is no report of its own; neither is a length beside the clock times that give it. */
export function withoutTotal(text: string): string {
  const durations = findDurations(text);
  const last = durations.at(-1);
  const [first] = durations;
  if (
    durations.length === 2 &&
    first &&
    last &&
    first.minutes === last.minutes &&
    (first.clock === undefined) !== (last.clock === undefined) &&
    findItems(text).length <= 1
  ) {
    const { from, to } = first.clock ? last : first;
    return `${text.slice(0, from).replace(TOTAL, '')} ${text.slice(to)}`;
  }
  const label = last && TOTAL.exec(text.slice(0, last.from));
  const sum = durations.slice(0, -1).reduce((n, d) => n + d.minutes, 0);
  return last && label && sum === last.minutes ? `${text.slice(0, label.index)}${text.slice(last.to)}` : text;
}

/** Cuts a text into the parts that are each one report: every part has one length of time. */
export function segments(text: string, durations: readonly FoundDuration[]): Parts {
  const listed = text
    .split(SEPARATOR)
    .map((s) => s.trim())
    .filter((s) => s !== '');
  const [only] = durations;
  const each = durations.length === 1 && only ? EACH.exec(text.slice(0, only.from)) : undefined;
  const items = each ? findItems(text.slice(0, each.index), true) : [];
  if (each && only && items.length > 1) {
    const long = text.slice(only.from);
    const parts = items.map(
      (item, i) =>
        `${text.slice(i === 0 ? 0 : item.from, items[i + 1]?.from ?? each.index).replace(/[\s,、和跟与及加+]+$/, '')} ${long}`,
    );
    return { parts, listed: false };
  }
  if (durations.length < 2 || listed.filter((s) => findDurations(s).length === 1).length === durations.length)
    return listed.length > 1 && durations.length >= 2
      ? { parts: listed, listed: LISTED.test(text) }
      : { parts: [text.replace(/^\s*\d{1,2}[、.](?!\d)/, '')], listed: false };
  const first = durations[0] as FoundDuration;
  const durationFirst = findItems(text.slice(0, first.from)).length === 0;
  const parts = durations.map((d, i) => {
    const from = durationFirst && i > 0 ? d.from : durationFirst ? 0 : (durations[i - 1]?.to ?? 0);
    const to = durationFirst
      ? (durations[i + 1]?.from ?? text.length)
      : i === durations.length - 1
        ? text.length
        : d.to;
    return text.slice(from, to).replace(/^[\s,;、.]+|[\s,;、]+$/g, '');
  });
  return { parts, listed: false };
}
