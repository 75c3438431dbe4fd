import type { ReadContext } from '../../../src/bot/grammar.js';

/** The sender, among the members. */
export const ME = '@me';

/** `帮张三报一下`: who reports for another names whom it counts for. */
export function reportedFor(text: string, { names }: ReadContext): string {
  const asked = /^[\s,]*(?:帮|替|代|给)(?=\p{L})/u.exec(text);
  const name = asked && names.prefixOf(text.slice(asked[0].length));
  if (!asked || !name) return text;
  const verb = /^(?:登记|申报|填报|报告|报|记)(?:一下|一个|个|下)?(?:服务)?[\s,:]*/.exec(
    text.slice(asked[0].length + name.length),
  );
  return verb ? `${name} ${text.slice(asked[0].length + name.length + verb[0].length)}` : text;
}

/** The persons it counts for, in the order said; a name after 给, 帮, 看望 is helped, not helping. */
export function takeMembers(text: string, context: ReadContext): { members: string[]; rest: string } {
  const members: string[] = [];
  let rest = '';
  let together = false;
  for (let i = 0; i < text.length;) {
    const before = rest.slice(-2);
    const mention = text[i] === '@' ? /^@([\p{L}·]{1,20})/u.exec(text.slice(i)) : null;
    const named = mention ? context.names.prefixOf(mention[1] ?? '') : context.names.prefixOf(text.slice(i));
    if (named !== undefined && !/(?:给|帮|替|为|望|问|陪|访|送)$/.test(before)) {
      if (/(?:和|跟|与|同|、|,)\s*$/.test(rest) && members.length === 0 && !/我\s*(?:和|跟|与|同|、|,)\s*$/.test(rest))
        together = true;
      if (/我\s*(?:和|跟|与|同|、|,)\s*$/.test(rest) && !members.includes(ME)) members.push(ME);
      rest = rest.replace(/(?:我)?\s*(?:和|跟|与|同|、|,)?\s*$/, ' ');
      if (!members.includes(named)) members.push(named);
      i += (mention ? 1 : 0) + named.length;
      continue;
    }
    if (members.length > 0 && /^\s*(?:和|跟|与|、|,)?\s*我(?!们)/.test(text.slice(i)) && !members.includes(ME)) {
      const m = /^\s*(?:和|跟|与|、|,)?\s*我/.exec(text.slice(i));
      members.push(ME);
      i += m?.[0].length ?? 1;
      continue;
    }
    rest += text[i];
    i += 1;
  }
  if (together && !members.includes(ME)) members.unshift(ME);
  if (members.length > 0)
    rest = rest.replace(
      /(?:我们)?(?:[二两俩三四五六七八九十\d]个?人|几个人|二人|俩人|俩)?\s*(?:一起|一块儿?|一同|共同)|(?:[两俩三四五六七八九十\d]个?人|几个人|三人|两人)/,
      ' ',
    );
  return { members, rest };
}
