import { Converter } from 'opencc-js/t2cn';

const toSimplified = Converter({ from: 't', to: 'cn' });
/** Longer texts are never commands; nothing is done with what lies beyond. */
export const MAX_READ = 4000;

/** Circled and keycap numbers number the parts of a list: `①巡逻②守桶`; before a house they are plain digits. */
const CIRCLED = /([\u2460-\u2473])\s*(?=[号楼栋幢])|([\u2460-\u2473])|(\d)\ufe0f?\u20e3/gu;
const EMOJI =
  /[\p{Extended_Pictographic}\p{Regional_Indicator}\p{Emoji_Modifier}\u{e0020}-\u{e007f}\u200d\ufe0e\ufe0f\u20e3]/gu;
/** Zero-width and bidirectional marks, soft hyphens, control characters and halves of surrogate pairs. */
const INVISIBLE =
  /[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufeff\uffa0]/gu;
// oxlint-disable-next-line no-control-regex -- control characters are what is taken out
const CONTROL = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029]/gu;
const LONE = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;
/** What a network puts in the place of something that is no text. */
const MEDIA =
  /\[(图片|语音|视频|文件|链接|位置|表情|动画表情|名片|小程序|红包|转账|聊天记录|image|photo|voice|video|file)\]/giu;
/** `[玫瑰]`: an emoji as WeChat writes it. */
const EMOJI_WORD = /\[[\p{Script=Han}A-Za-z]{1,6}\]/gu;

const circled = (code: string): string => String(code.charCodeAt(0) - 0x245f);

/** Traditional characters become simplified ones. Does not touch anything else. */
export const simplify = (text: string): string => toSimplified(text);

function once(text: string): string {
  const plain = text
    .replace(/\r\n?/g, '\n')
    .replace(LONE, ' ')
    .replace(CIRCLED, (_, house: string | undefined, item: string | undefined, keycap: string | undefined) =>
      house === undefined ? ` ${item === undefined ? (keycap ?? '') : circled(item)}、` : circled(house),
    )
    .normalize('NFKC')
    .replace(CONTROL, ' ')
    .replace(INVISIBLE, ' ')
    .replace(EMOJI, ' ');
  const simple = simplify(plain)
    .replace(MEDIA, ' ')
    .replace(/[‧•・∙]/gu, '·')
    .replace(/[【】「」『』〔〕〖〗]/gu, ' ');
  const alone = /^\s*\[([\p{Script=Han}A-Za-z]{1,6})\]\s*$/u.exec(simple);
  const words = alone ? (alone[1] ?? '') : simple.replace(EMOJI_WORD, ' ');
  return words
    .replace(/([!?,。、;:~])\1+/gu, '$1')
    .replace(/[^\S\n]+/gu, ' ')
    .replace(/ ?\n[ \n]*/gu, '\n')
    .trim();
}

/**
 * One way of writing: half-width, simplified, single spaces, lines kept, no emoji, no invisible characters. Circled digits become
 * `1、`. Applied twice it changes nothing more. Texts over 4000 characters are cut there.
 */
export function normalise(text: string): string {
  let last = text.length > MAX_READ ? text.slice(0, MAX_READ) : text;
  // Taking one thing out can bring another together (a bracket inside brackets); each round shortens the text or is the last.
  for (let round = 0; round < 50; round += 1) {
    const next = once(last);
    if (next === last) return next;
    last = next;
  }
  return last
    .replace(/[[\]]/gu, ' ')
    .replace(/[^\S\n]+/gu, ' ')
    .trim();
}
