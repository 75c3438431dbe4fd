/** Longest text of one message of each kind, in bytes of UTF-8. */
export const BOT_BYTES = 20_480;
export const WEBHOOK_MARKDOWN_BYTES = 4096;
export const TEXT_BYTES = 2048;

/**
 * Splits a text into pieces of at most `bytes` bytes, at line ends where that leaves no piece less than half full, always
 * between code points.
 */
export function splitText(text: string, bytes: number): string[] {
  const pieces: string[] = [];
  let rest = text;
  while (Buffer.byteLength(rest) > bytes) {
    const end = lengthWithin(rest, bytes);
    const line = rest.lastIndexOf('\n', end);
    const cut = line >= end / 2 ? line : end;
    pieces.push(rest.slice(0, cut));
    rest = rest.slice(rest[cut] === '\n' ? cut + 1 : cut);
  }
  return [...pieces, rest];
}

/** How many UTF-16 units of the text fit into `bytes` bytes without cutting a code point. */
function lengthWithin(text: string, bytes: number): number {
  let units = 0;
  let used = 0;
  for (const point of text) {
    used += Buffer.byteLength(point);
    if (used > bytes) break;
    units += point.length;
  }
  return units;
}

/** Signs that a markdown reader takes for marks, and their full-width twins; whoever copies a command back is still understood. */
const TWINS: Readonly<Record<string, string>> = {
  '*': '＊',
  _: '＿',
  '`': '｀',
  '~': '～',
  '<': '＜',
  '[': '［',
  '|': '｜',
  '\\': '＼',
};

/** A plain text as markdown that shows it as it stands; addresses (http://…) stay whole, so that they can be tapped. */
export const asMarkdown = (text: string): string =>
  text
    .split(/(https?:\/\/[\x21-\x7e]+)/)
    .map((part, i) =>
      i % 2 === 1
        ? part
        : part
            .replace(/[*_`~<[|\\]/g, (sign) => TWINS[sign] ?? sign)
            .replace(/^(#{1,6})(?=\s)/gm, (marks) => '＃'.repeat(marks.length))
            .replace(/^>/gm, '＞'),
    )
    .join('');

const SPACE = '[\\s\\u2005]';

/**
 * A group message of an AI bot without the mention of the bot: it is always there, for others never arrive.
 *
 * Where none of the bot's names is mentioned it bears another one in WeCom: then the first mention is the bot.
 */
export function withoutMention(text: string, botNames: readonly string[]): string {
  const names = botNames.map((n) => n.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('|');
  const named = text.replace(new RegExp(`${SPACE}*[@＠](?:${names})(?=${SPACE}|$)${SPACE}?`, 'gu'), ' ');
  if (named !== text) return named.trim();
  return text.replace(new RegExp(`^${SPACE}*[@＠]\\S+(?:${SPACE}+|$)`, 'u'), '').trim();
}
