/** What may stand after a mention: phones put U+2005, PC and Mac clients a plain space, some keyboards U+3000. */
const AFTER = '(?:[\\u2005\\u0020\\u3000\\u00a0]+|$)';
const literal = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/**
 * Finds a mention of the bot written in a text: `@`, also full-width, one of its names, then a space of any kind or the
 * end. A name may have spaces; the text comes back without the mention.
 *
 * The network's own list of mentions is not enough: a gateway that has none gives an empty one.
 */
export function takeOwnMention(text: string, names: readonly string[]): { readonly found: boolean; text: string } {
  let found = false;
  let rest = text;
  // The longest first: the nickname may be the beginning of the alias.
  for (const name of [...new Set(names)].filter((n) => n !== '').toSorted((a, b) => b.length - a.length))
    rest = rest.replace(new RegExp(`(?<=^|\\s)[@＠]${literal(name)}${AFTER}`, 'gu'), () => {
      found = true;
      return '';
    });
  return { found, text: found ? rest.trim() : text };
}

/** A mention as it is sent: wechaty itself puts one plain space after the name. */
export const withMention = (name: string, text: string): string => `@${name} ${text}`;
