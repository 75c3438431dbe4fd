/** A reply as WeChat renders it: `「name：text」`, a line of dashes, the answer. */
const QUOTED =
  /^\s*[「"“](?:(?<who>[^：:\n」]{1,30})[：:])?(?<said>[\s\S]*?)[」"”]\s*\n\s*[-–—−ー一_=－─━—](?:[ \t]*[-–—−_=－─━])*\s*\n(?<answer>[\s\S]*)$/u;

export interface Quoted {
  readonly answer: string;
  readonly said: string;
  /** Whose words were quoted, if it is written. */
  readonly who: string | undefined;
}

/** Takes a reply apart; undefined: the text quotes nothing. */
export function quoted(text: string): Quoted | undefined {
  if (!/^\s*[「"“]/u.test(text)) return undefined;
  const groups = QUOTED.exec(text.slice(0, 6000))?.groups;
  return groups
    ? { answer: groups['answer'] ?? '', said: groups['said'] ?? '', who: groups['who']?.trim() }
    : undefined;
}

const escape = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** Finds the bot's own mention in texts: `@名字` anywhere, whatever stands around it. */
export function mentionOf(names: readonly string[]): {
  readonly in: (text: string) => boolean;
  readonly strip: (text: string) => string;
} {
  if (names.length === 0) return { in: () => false, strip: (text) => text };
  const sorted = names.toSorted((a, b) => b.length - a.length).map(escape);
  const source = `[@＠]\\s?(?:${sorted.join('|')})`;
  const any = new RegExp(source, 'iu');
  const all = new RegExp(`${source}[\\s\\u2000-\\u200b]*[,，:：、]?`, 'giu');
  return { in: (text) => any.test(text), strip: (text) => text.replace(all, ' ') };
}
