import type { ReadContext } from '../../../src/bot/grammar.js';
import { parseWhole } from '../../../src/bot/language/numbers.js';

/** The sender, among the members. */
export const ME = '@me';

/** `帮张三报一下`: who reports for another names whom it counts for. */
export function reportedFor(said: string, { names }: ReadContext): string {
  const text = said.replace(
    /[\s,]*我?来?代(?:为)?(?:报|登记|申报|填报?)(?:的|一下)?$|[\s,]*我[帮替][他她]们?(?:报|登记)的?(?:一下)?$/,
    '',
  );
  const asked = /^[\s,]*我?(?:帮|替|代|给)(?=\p{L})/u.exec(text);
  const name = asked && names.prefixOf(text.slice(asked[0].length));
  if (!asked || !name) return text;
  const verb = /^(?:登记|申报|填报|报告|报|记)(?:一下|一个|个|下)?(?:服务)?[\s,:]*/.exec(
    text.slice(asked[0].length + name.length),
  );
  return verb ? `${name} ${text.slice(asked[0].length + name.length + verb[0].length)}` : text;
}

/** Right before a name: with this person, and the writer. */
const WITH =
  /(?:和|跟着?|与|同|携手?|会同|联合|协同|带着|带上|叫上|喊上|约上|(?:同行|同去|搭档|同伴|结伴)(?:的?(?:人|有|是))?:?)\s*$/;
/** What joins a name to the one before. */
const JOINED =
  /(?:我)?\s*(?:和|跟着?|与|同|携手?|会同|联合|协同|带着|带上|叫上|喊上|约上|(?:同行|同去|搭档|同伴|结伴)(?:的?(?:人|有|是))?:?|、|,|还有|以及|加上)?\s*$/;
/** `四个人`, of those who are named. */
const HEADS = /([两俩二三仨四五六七八九十]|\d+)个?人(?!次|份)/;

/** Does the text count other heads than those it names? */
export const countsOthers = (text: string, members: readonly string[]): boolean => {
  const said = parseWhole(HEADS.exec(text)?.[1] ?? '');
  return members.length > 1 && said !== undefined && said !== members.length;
};

/** The persons it counts for, in the order said; a name after 给, 帮, 看望 is helped, not helping. */
export function takeMembers(said: string, context: ReadContext): { members: string[]; rest: string; unsure: boolean } {
  const text = said.replace(/(?<=[和跟与同])(?:那个|呃|嗯)/g, '');
  const members: string[] = [];
  let rest = '';
  let together = false;
  /** `我 张三 李四`: with a space only, 我 may also be the one who is named. */
  let listed = false;
  let afterName = 0;
  for (let i = 0; i < text.length;) {
    const before = rest.slice(-2);
    const mention = text[i] === '@' ? /^@([\p{L}·]{1,20})/u.exec(text.slice(i)) : null;
    const named = mention ? context.names.prefixOf(mention[1] ?? '') : context.names.prefixOf(text.slice(i));
    if (named !== undefined && !/(?:给|帮|替|为|望|问|陪|访|送|教|[遇碰见轮]到|见|找)$/.test(before)) {
      if (WITH.test(rest) && members.length === 0 && !/我\s*(?:和|跟|与|同|、|,)\s*$/.test(rest)) together = true;
      if (members.length === 0 && /(?:^|[\s,:])我\s+$/.test(rest)) listed = true;
      // `巡逻2小时 张三也去了`
      if (/^\s*也/.test(text.slice(i + (mention ? 1 : 0) + named.length))) together = true;
      if (/我\s*(?:和|跟|与|同|、|,)\s*$/.test(rest) && !members.includes(ME)) members.push(ME);
      rest = rest.replace(JOINED, ' ');
      if (!members.includes(named)) members.push(named);
      i += (mention ? 1 : 0) + named.length;
      afterName = i;
      continue;
    }
    // `陈桂芳守桶1小时 我帮她报的` does not count for the writer.
    const joins = i === afterName ? /^\s*(?:和|跟|与|、|,|带着?|领着)?\s*我(?!们)/ : /^我(?=也|和|一起|陪|$)/;
    if (members.length > 0 && joins.test(text.slice(i)) && !members.includes(ME)) {
      const m = joins.exec(text.slice(i));
      members.push(ME);
      i += m?.[0].length ?? 1;
      continue;
    }
    rest += text[i];
    i += 1;
  }
  // Nobody is together alone.
  const [only] = members;
  if (members.length === 1 && only !== ME && /一起|一块儿?|一同|结伴/.test(rest)) together = true;
  // `我 张三` can be the two of them, or who signs.
  const unsure = listed && members.length === 1 && only !== ME;
  if ((together || listed) && !members.includes(ME)) members.unshift(ME);
  if (members.length > 0)
    rest = rest.replace(
      /(?:我们)?(?:[二两俩三四五六七八九十\d]个?人|几个人|二人|俩人|俩)?\s*(?:一起|一块儿?|一同|共同)|(?:[两俩三四五六七八九十\d]个?人|几个人|三人|两人)/,
      ' ',
    );
  return { members, rest, unsure };
}
