/** Why a pattern cannot be read: PCRE has no such form, or the engine has not. */
export class PatternError extends Error {
  readonly supported: boolean;
  constructor(message: string, supported = true) {
    super(message);
    this.supported = supported;
  }
}

type Ranges = readonly (readonly [from: number, to: number])[];
const LAST = 0x10ffff;
const range = (text: string): Ranges =>
  Array.from({ length: text.length / 2 }, (_, i) => [text.charCodeAt(2 * i), text.charCodeAt(2 * i + 1)] as const);
const SPACE = range('\t\r  ');
const DIGIT = range('09');
const WORD = range('09AZ__az');
const HORIZONTAL = range('\t\t  \u00A0\u00A0\u1680\u1680\u180E\u180E\u2000\u200A\u202F\u202F\u205F\u205F\u3000\u3000');
const VERTICAL = range('\n\r\u0085\u0085\u2028\u2029');
/** Classes of one letter; the capital one is what is not in it. */
const CLASSES: Readonly<Record<string, Ranges>> = { d: DIGIT, s: SPACE, w: WORD, h: HORIZONTAL, v: VERTICAL };
const POSIX: Readonly<Record<string, Ranges>> = {
  alnum: range('09AZaz'), alpha: range('AZaz'), ascii: range('\0\x7F'), blank: range('\t\t  '), cntrl: range('\0\x1F\x7F\x7F'),
  digit: DIGIT, graph: range('!~'), lower: range('az'), print: range(' ~'), punct: range('!/:@[`{~'), space: SPACE,
  upper: range('AZ'), word: WORD, xdigit: range('09AFaf'),
}; // prettier-ignore
const CONTROLS: Readonly<Record<string, number>> = { a: 0x07, e: 0x1b, f: 0x0c, n: 0x0a, r: 0x0d, t: 0x09 };

const others = (ranges: Ranges): Ranges => {
  const ends = [-1, ...ranges.map(([, to]) => to)];
  const starts = [...ranges.map(([from]) => from), LAST + 1];
  return ends.map((end, i) => [end + 1, (starts[i] ?? 0) - 1] as const).filter(([from, to]) => from <= to);
};
const shown = (code: number): string => `\\u{${code.toString(16)}}`;
/** The inside of a class. */
const inside = (ranges: Ranges): string => ranges.map(([from, to]) => `${shown(from)}-${shown(to)}`).join('');
const classOf = (letter: string): Ranges | undefined => {
  const ranges = CLASSES[letter.toLowerCase()];
  return ranges && (CLASSES[letter] ? ranges : others(ranges));
};

interface Flags {
  readonly i: boolean;
  readonly m: boolean;
  readonly s: boolean;
  readonly x: boolean;
}
interface Group extends Flags {
  /** Whether this group or one around it looks back. */
  readonly back: boolean;
  /** What ends it. */
  readonly end: string;
}

/**
 * A pattern of PCRE's in JavaScript's words, for a `u` expression without `m` and `s`: what those mean is in the words.
 * https://www.pcre.org/current/doc/html/pcre2pattern.html
 */
class Reader {
  readonly #pattern: string;
  #at = 0;
  #out = '';
  #group: Group;
  readonly #outer: Group[] = [];
  #captures = 0;

  constructor(pattern: string, flags: Flags) {
    this.#pattern = pattern;
    this.#group = { ...flags, back: false, end: '' };
  }

  /** @throws {PatternError} */
  read(): { source: string; ignoreCase: boolean } {
    this.#take(/\(\*UTF8?\)/y);
    for (let flags = this.#take(/\(\?([imsx]+)\)/y); flags; flags = this.#take(/\(\?([imsx]+)\)/y))
      this.#group = { ...this.#group, ...Object.fromEntries([...(flags[1] ?? '')].map((f) => [f, true])) };
    const { i } = this.#group;
    while (this.#at < this.#pattern.length) this.#item();
    if (this.#outer.length > 0) throw new PatternError('missing closing parenthesis');
    return { source: this.#out, ignoreCase: i };
  }

  #take(expression: RegExp): RegExpExecArray | null {
    expression.lastIndex = this.#at;
    const found = expression.exec(this.#pattern);
    if (found) this.#at += found[0].length;
    return found;
  }

  #character(): string {
    const character = String.fromCodePoint(this.#pattern.codePointAt(this.#at) ?? 0);
    this.#at += character.length;
    return character;
  }

  #item(): void {
    const { m, s, x } = this.#group;
    if (x && this.#take(/[\t-\r ]+|#[^\n]*/y)) return;
    if (this.#take(/\(\?#[^)]*\)/y)) return;
    if (this.#quantifier()) return;
    const c = this.#character();
    if (c === '\\') this.#escape();
    else if (c === '[') this.#class();
    else if (c === '(') this.#open();
    else if (c === ')') this.#close();
    else if (c === '.') this.#out += s ? '[^]' : '[^\\n]';
    else if (c === '^') this.#place(m ? '(?:^|(?<=\\n)(?!$))' : '^');
    else if (c === '$') this.#place(m ? '(?=\\n|$)' : '(?=\\n?$)');
    else this.#out += c === '|' ? c : this.#literal(c);
  }

  /** A place that a pattern names; a quantifier may follow it in PCRE. */
  #place(text: string): void {
    const next = this.#group.x ? /^(?:[\t-\r ]|#[^\n]*\n)*[*+?{]/ : /^[*+?{]/;
    this.#out += next.test(this.#pattern.slice(this.#at)) ? `(?:${text})` : text;
  }

  #literal = (c: string): string => (/[\\^$.*+?()[\]{}|/-]/.test(c) ? shown(c.charCodeAt(0)) : c);

  #quantifier(): boolean {
    const found = this.#take(/[*+?]|\{(\d+)(?:(,)(\d*))?\}/y);
    if (!found) return false;
    const [text, least, comma, most] = found;
    if (this.#group.back && (least === undefined || (comma !== undefined && least !== most)))
      throw new PatternError('lookbehind assertion is not fixed length');
    if (this.#take(/\+/y)) throw new PatternError('a possessive quantifier', false);
    this.#out += text + (this.#take(/\?/y)?.[0] ?? '');
    return true;
  }

  #open(): void {
    const group = this.#group;
    const enter = (text: string, changed: Partial<Group> = {}): void => {
      this.#outer.push(group);
      this.#group = { ...group, end: ')', ...changed };
      this.#out += text;
    };
    if (this.#take(/\*/y)) throw new PatternError('a verb', false);
    if (!this.#take(/\?/y)) {
      this.#captures += 1;
      return enter('(');
    }
    if (this.#take(/:/y)) return enter('(?:');
    // What only looks may be repeated in PCRE.
    const look = this.#take(/<?[=!]/y)?.[0];
    if (look !== undefined) return enter(`(?:(?${look}`, { back: group.back || look.startsWith('<'), end: '))' });
    const name = this.#take(/P?<(\w+)>|'(\w+)'/y);
    if (name) {
      this.#captures += 1;
      return enter(`(?<${name[1] ?? name[2]}>`);
    }
    const same = this.#take(/P=(\w+)\)/y);
    if (same) {
      this.#out += `\\k<${same[1]}>`;
      return undefined;
    }
    const flags = this.#take(/([imsx]*)(?:-([imsx]*))?([:)])/y);
    if (!flags) throw new PatternError(`(?${this.#pattern[this.#at] ?? ''}`, false);
    const [, on = '', off = '', end] = flags;
    const changed = Object.fromEntries([...[...on].map((f) => [f, true]), ...[...off].map((f) => [f, false])]);
    if (('i' in changed ? changed['i'] : group.i) !== group.i)
      throw new PatternError('case of a part of the pattern', false);
    if (end === ':') return enter('(?:', changed);
    this.#group = { ...group, ...changed };
    return undefined;
  }

  #close(): void {
    const outer = this.#outer.pop();
    if (!outer) throw new PatternError('unmatched closing parenthesis');
    this.#out += this.#group.end;
    this.#group = outer;
  }

  /** The character that an escape stands for, in a class and outside; undefined: it is none. */
  #code(): number | undefined {
    const hex = this.#take(/x(?:\{([\da-fA-F]+)\}|([\da-fA-F]{0,2}))/y);
    if (hex) return Number.parseInt(hex[1] ?? (hex[2] || '0'), 16);
    const octal = this.#take(/o\{([0-7]+)\}|([0-7]{1,3})/y);
    if (octal) return Number.parseInt(octal[1] ?? octal[2] ?? '0', 8);
    const control = this.#take(/c([\x20-\x7E])|([aefnrt])/y);
    if (control) return CONTROLS[control[2] ?? ''] ?? (control[1] ?? '').toUpperCase().charCodeAt(0) ^ 0x40;
    if (/[\da-zA-Z]/.test(this.#pattern[this.#at] ?? '0')) return undefined;
    return this.#character().codePointAt(0);
  }

  #property(): string | undefined {
    const found = this.#take(/([pP])(?:\{(\^?)([\w&]+)\}|([A-Z]))/y);
    if (!found) return undefined;
    const [, letter = 'p', not, long, short = ''] = found;
    const name = long ?? short;
    const negative = (letter === 'P') !== (not === '^');
    if (name === 'L&') return negative ? '[^\\p{Lu}\\p{Ll}\\p{Lt}]' : '[\\p{Lu}\\p{Ll}\\p{Lt}]';
    const property = /^(?:[A-Z][a-z]?|Any)$/.test(name) ? name : `Script_Extensions=${name}`;
    return `\\${negative ? 'P' : 'p'}{${property}}`;
  }

  #escape(): void {
    if (this.#take(/Q/y)) {
      const literal = this.#take(/([^]*?)(?:\\E|$)/y)?.[1] ?? '';
      this.#out += [...literal].map(this.#literal).join('');
      return;
    }
    if (this.#take(/E/y)) return;
    const property = this.#property();
    if (property !== undefined) {
      this.#out += property;
      return;
    }
    const letter = this.#take(/[dDsSwWhHvV]/y)?.[0];
    if (letter !== undefined) {
      this.#out += /[dDwW]/.test(letter) ? `\\${letter}` : `[${inside(classOf(letter) ?? [])}]`;
      return;
    }
    const place = this.#take(/[bBAzZNR]/y)?.[0];
    if (place !== undefined) {
      const words: Readonly<Record<string, string>> = {
        b: '\\b', B: '\\B', A: '^', z: '$', Z: '(?=\\n?$)', N: '[^\\n]',
        R: `(?:\\r\\n|[${inside(VERTICAL)}])`,
      }; // prettier-ignore
      this.#place(words[place] ?? '');
      return;
    }
    const named = this.#take(/k(?:<(\w+)>|\{(\w+)\}|'(\w+)')|g\{([a-zA-Z_]\w*)\}/y);
    if (named) {
      this.#out += `\\k<${named.slice(1).find((n) => n !== undefined)}>`;
      return;
    }
    const start = this.#at;
    const numbered = this.#take(/([1-9]\d*)|g(-?\d+)|g\{(-?\d+)\}/y);
    // Of several digits, a number that no group has is that of a character.
    if (numbered && Number(numbered[1]) > Math.max(this.#captures, 9)) this.#at = start;
    else if (numbered) {
      const n = Number(numbered.slice(1).find((d) => d !== undefined));
      this.#out += `(?:\\${n < 0 ? this.#captures + 1 + n : n})`;
      return;
    }
    if (this.#take(/[GKXC]|g[<']/y)) throw new PatternError(`\\${this.#pattern[this.#at - 1]}`, false);
    const code = this.#code();
    if (code === undefined) throw new PatternError('unrecognized character follows \\');
    this.#out += shown(code);
  }

  #class(): void {
    let text = this.#take(/\^/y) ? '^' : '';
    const member = (): number | string => {
      const posix = this.#take(/\[:(\^?)(\w+):\]/y);
      if (posix) {
        const ranges = POSIX[posix[2] ?? ''];
        if (!ranges) throw new PatternError('unknown POSIX class name');
        return inside(posix[1] === '^' ? others(ranges) : ranges);
      }
      if (!this.#take(/\\/y)) return this.#character().codePointAt(0) ?? 0;
      const property = this.#property();
      if (property !== undefined) {
        if (property.startsWith('[')) throw new PatternError('L& in a class', false);
        return property;
      }
      const letter = this.#take(/[dDsSwWhHvV]/y)?.[0];
      if (letter !== undefined) return inside(classOf(letter) ?? []);
      if (this.#take(/b/y)) return 0x08;
      const code = this.#code();
      if (code === undefined) throw new PatternError('unrecognized character follows \\');
      return code;
    };
    for (let first = true; first || this.#pattern[this.#at] !== ']'; first = false) {
      if (this.#at >= this.#pattern.length) throw new PatternError('missing terminating ] for character class');
      const literal = this.#take(/\\Q([^]*?)(?:\\E|$)|\\E/y);
      if (literal) {
        text += [...(literal[1] ?? '')].map((c) => shown(c.codePointAt(0) ?? 0)).join('');
        continue;
      }
      const from = member();
      if (typeof from === 'string') text += from;
      else if (this.#take(/-(?!\]|\\[dDsSwWhHvVpPE]|\[:)/y)) {
        const to = member();
        if (typeof to === 'string' || to < from) throw new PatternError('range out of order in character class');
        text += `${shown(from)}-${shown(to)}`;
      } else text += shown(from);
    }
    this.#at += 1;
    this.#out += `[${text}]`;
  }
}

/** @throws {PatternError} PCRE does not take the pattern, or the engine does not know a form of it */
export const fromPcre = (pattern: string, flags: Flags): { source: string; ignoreCase: boolean } =>
  new Reader(pattern, flags).read();
