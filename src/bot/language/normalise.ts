import { Converter } from 'opencc-js/t2cn';

/** Hong Kong and Taiwan write the particle 着 with the character of 著名. */
const PARTICLE_ZHE = /(?<![显名原编论专卓土执])著(?![名作述者称书])/g;
/** 幺 made traditional and back is 么: beside digits it is a one. */
const ONE =
  /(?<=^|[\s,零〇一二三四五六七八九么幺])么(?=[零〇一二三四五六七八九么幺])|(?<=[零〇一二三四五六七八九幺]{3})么|(?<![什怎多这那要])么(?=[零〇一二三四五六七八九幺]{3}(?:$|[\s,]))/g;
const simplify = Converter({ from: 'hk', to: 'cn' });
/** Nothing traditional is outside this range: most messages need no conversion. */
const HAN = /\p{Script=Han}/u;

/** Circled and keycap numbers begin a new item, which NFKC would hide in the text. */
const CIRCLED = /[\u2460-\u2473\u24F5-\u24FE\u2776-\u277F]|(\d)\uFE0F?\u20E3/gu;
const CIRCLED_STARTS = [0x2460, 0x24f5, 0x2776] as const;

function numbered(mark: string, keycap: string | undefined): string {
  if (keycap !== undefined) return `\n${keycap}、`;
  const code = mark.codePointAt(0) ?? 0;
  const start = CIRCLED_STARTS.findLast((s) => code >= s) ?? 0x2460;
  return `\n${code - start + 1}、`;
}

/** A sticker that is the whole message can be a word: `[签到]`; a picture's stand-in can not. */
const ALONE =
  /^\s*\[(?!(?:图片|语音|视频|文件|链接|位置|表情|动画表情|名片|红包|转账|聊天记录|小程序)\])([\p{Script=Han}A-Za-z]{1,8})\]\s*$/u;

const QUOTE = /^\s*[「"“]([\s\S]*?)[」"”]\s*\n\s*(?:[-—－_][\s-—－_]*)\n([\s\S]*)$/;

/** WeChat writes a quoted answer as `「name：text」`, a line of dashes, the answer. */
export function splitQuote(text: string): { quote: string | undefined; answer: string } {
  const found = QUOTE.exec(text.replace(/\r\n?/g, '\n').replace(/\p{Cf}/gu, ''));
  return found ? { quote: found[1] ?? '', answer: found[2] ?? '' } : { quote: undefined, answer: text };
}

/**
 * The text as it is read: half-width, simplified, one kind of space and of each punctuation mark, no emoji or stickers,
 * lines kept. Idempotent.
 */
export function normalise(raw: string): string {
  let text = raw;
  // What is taken out can bring together what is then one more thing to take out.
  for (let round = 0; round < 8; round += 1) {
    const folded = fold(text);
    if (folded === text) break;
    text = folded;
  }
  return text;
}

function fold(raw: string): string {
  const marked = raw.replace(CIRCLED, numbered);
  const folded = marked.normalize('NFKC');
  const simple = HAN.test(folded) ? simplify(folded) : folded;
  return simple
    .replace(/\r\n?/g, '\n')
    .replace(/[\p{Cf}\uFE00-\uFE0F]/gu, '')
    .replace(/[\p{Zs}\t\u0000-\u0009\u000B-\u001F\u007F]+/gu, ' ')
    .replace(/\p{Extended_Pictographic}|\p{Emoji_Modifier}|\p{Regional_Indicator}/gu, ' ')
    .replace(ALONE, '$1')
    .replace(/\[[\p{Script=Han}A-Za-z]{1,8}\]/gu, ' ')
    .replace(PARTICLE_ZHE, '着')
    .replace(ONE, '幺')
    .replace(/[「」『』“”"《》【】]/g, ' ')
    .replace(/[。!…]+/g, ',')
    .replace(/[–—―]+|--+/g, '-')
    .replace(/[~〜]+/g, '~')
    .replace(/ {2,}/g, ' ')
    .replace(/ ?([,;:?])(?:\s*[,;:?])* ?/g, '$1')
    .replace(/ *\n[\n ]*/g, '\n')
    .replace(/(?<=^|[\s,])(\p{Script=Han}(?: \p{Script=Han})+)(?=$|[\s,])/gu, (run: string) => run.replaceAll(' ', ''))
    .replace(/(?<=^|[\s,])\d(?: \d){3}(?=$|[\s,])/g, (run: string) => run.replaceAll(' ', ''))
    .replace(/(?<=[个半]) (?=小时|钟头)/g, '')
    .replace(/(?<!#\d{0,5})(\d) (?=(?:个|小时|分|点|钟头|刻钟|h|min)(?:\P{L}|\p{Script=Han}|ours?|ins?|$))/giu, '$1')
    .replace(/ {2,}/g, ' ')
    .replace(/^[\s,;:.]+|[\s,;:.~]+$/g, '');
}

/** A digit, half- or full-width. */
const D = '[0-9０-９]';
const IDENTITY = new RegExp(`(?<!${D})${D}{14}(${D}{3}[0-9０-９XxＸｘ])(?![0-9０-９XxＸｘ])`, 'g');
const MOBILE = new RegExp(
  `(?<!${D})(?:[+＋]?(?:86|８６)[- ]?)?[1１][3-9３-９]${D}[- ]?${D}{4}[- ]?(${D}{4})(?!${D})`,
  'g',
);

/** Whole mobile and ID numbers keep their last four digits: no more of them is stored. */
export const maskNumbers = (text: string): string =>
  text
    .replace(IDENTITY, (_, tail: string) => `**************${tail.normalize('NFKC')}`)
    .replace(MOBILE, (_, tail: string) => `*******${tail.normalize('NFKC')}`);

/** Removes mentions of the bot; says whether there was one, and whom else the text mentions. */
export function takeMentions(
  text: string,
  botNames: readonly string[],
): { text: string; bot: boolean; others: string[] } {
  let bot = false;
  let rest = text;
  for (const name of botNames) {
    const found = new RegExp(`@${name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}[ ,:]?`, 'g');
    rest = rest.replace(found, () => {
      bot = true;
      return ' ';
    });
  }
  const others = [...rest.matchAll(/@([\p{L}·]{1,20})/gu)].map((m) => m[1] ?? '');
  return { text: rest.replace(/ {2,}/g, ' ').replace(/^(?:[\s,;:/]|#(?=\p{L}))+|[\s,;:]+$/gu, ''), bot, others };
}
