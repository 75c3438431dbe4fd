import { type Ranges, SETS, textOf } from './pcre-sets.js';

/** Where a text begins and ends, whatever the flags. */
const START = '(?<![^])';
const END = '(?![^])';

/** Flags that hold for a part of a pattern; `i` holds for all of it, since JavaScript of Node 20 can not change it within. */
interface Flags {
  readonly m: boolean;
  readonly s: boolean;
  readonly x: boolean;
}

/** A piece of a character class; a single one may begin or end a range. */
interface Piece {
  readonly text: string;
  readonly single: boolean;
  readonly dash?: boolean;
}

const unsupported = (what: string): Error => new Error(`${what} is not supported`);
const point = (code: number): string => `\\u{${code.toString(16)}}`;
/** A character for itself, in a class and without. */
const literal = (c: string): string => (/[\^$\\.*+?()[\]{}|/-]/.test(c) ? point(c.charCodeAt(0)) : c);

/**
 * Rewrites a pattern of PCRE, by which MongoDB searches, for JavaScript's flag `u`. What is written alike and means
 * something else there is put in other words: `$` before a last line feed, `\s` without the spaces of Unicode, `\A`, `\z`,
 * `\h`, `\Q…\E`, `[[:alpha:]]`, `\p{Han}`, `(?P<name>…)`, flags within.
 *
 * https://www.pcre.org/current/doc/html/pcre2pattern.html
 *
 * @throws {Error} a construct that JavaScript has no words for: possessive and atomic groups, conditions, recursion
 */
export function fromPcre(pattern: string, options: string): { source: string; flags: string } {
  const p = new Translation(pattern, options);
  return { source: p.source(), flags: p.ignoresCase ? 'iu' : 'u' };
}

class Translation {
  readonly #pattern: string;
  #at = 0;
  #groups = 0;
  #flags: Flags;
  ignoresCase: boolean;
  readonly #outer: Flags[] = [];

  constructor(pattern: string, options: string) {
    this.#pattern = pattern;
    this.ignoresCase = options.includes('i');
    this.#flags = { m: options.includes('m'), s: options.includes('s'), x: options.includes('x') };
  }

  source(): string {
    let out = '';
    this.#take(/^(?:\(\*UTF8?\))+/);
    while (this.#at < this.#pattern.length) out += this.#next(out === '');
    return out;
  }

  /** What follows here, if it is of this form; it is passed. */
  #take(form: RegExp): RegExpExecArray | undefined {
    const found = form.exec(this.#pattern.slice(this.#at));
    if (found) this.#at += found[0].length;
    return found ?? undefined;
  }

  #character(): string {
    const [c = ''] = this.#take(/^[^]/u) ?? [];
    return c;
  }

  #next(isFirst: boolean): string {
    if (this.#flags.x && this.#take(/^(?:[\t-\r ]+|#[^\n]*\n?)/)) return '';
    const repeated = this.#take(/^(?:[*+?]|\{\d+(?:,\d*)?\})([+?]?)/);
    if (repeated) {
      if (repeated[1] === '+') throw unsupported('a possessive quantifier');
      return repeated[0];
    }
    const c = this.#character();
    const { m, s } = this.#flags;
    switch (c) {
      case '\\':
        return this.#escape();
      case '[':
        return this.#class();
      case '(':
        return this.#group(isFirst);
      case ')':
        this.#flags = this.#outer.pop() ?? this.#flags;
        return c;
      case '|':
        return c;
      case '^':
        return m ? `(?:${START}|(?<=\\n)(?=[^]))` : c;
      case '$':
        return m ? `(?=\\n|${END})` : `(?=\\n?${END})`;
      case '.':
        return s ? '[^]' : '[^\\n]';
      default:
        return literal(c);
    }
  }

  #group(isFirst: boolean): string {
    if (this.#take(/^\?#[^)]*\)/)) return '';
    const same = this.#take(/^\?P=(\w+)\)/);
    if (same) return `\\k<${same[1]}>`;
    const set = this.#take(/^\?([imsx]*)(?:-([imsx]*))?([:)])/);
    if (set) return this.#set(set[1] ?? '', set[2] ?? '', set[3] === ')', isFirst);
    this.#outer.push(this.#flags);
    const named = this.#take(/^\?(?:P?<([A-Za-z_]\w*)>|'([A-Za-z_]\w*)')/);
    const around = named ? undefined : this.#take(/^\?(?:=|!|<=|<!)/);
    if (around) return `(${around[0]}`;
    if (!named && /^[?*]/.test(this.#pattern.slice(this.#at))) throw unsupported('a group of this form');
    this.#groups += 1;
    return named ? `(?<${named[1] ?? named[2]}>` : '(';
  }

  /** `(?ims-x)`, for the rest of the group, or `(?ims-x:…)`, for a group of its own. */
  #set(on: string, off: string, rest: boolean, isFirst: boolean): string {
    if (on.includes('i') && rest && isFirst && this.#outer.length === 0) this.ignoresCase = true;
    if (on.includes('i') !== this.ignoresCase && on.includes('i')) throw unsupported('i for a part of a pattern');
    if (off.includes('i') && this.ignoresCase) throw unsupported('i for a part of a pattern');
    if (!rest) this.#outer.push(this.#flags);
    const now = (flag: 'm' | 's' | 'x'): boolean => (this.#flags[flag] || on.includes(flag)) && !off.includes(flag);
    this.#flags = { m: now('m'), s: now('s'), x: now('x') };
    return rest ? '' : '(?:';
  }

  #escape(): string {
    if (this.#take(/^E/)) return '';
    const quoted = this.#take(/^Q([^]*?)(?:\\E|$)/);
    if (quoted) return [...(quoted[1] ?? '')].map(literal).join('');
    const back = this.#take(/^(?:([1-9])(?!\d)|g\{?(-?[1-9]\d*)\}?)/);
    if (back) return this.#back(Number(back[1] ?? back[2]));
    const name = this.#take(/^(?:k(?:<(\w+)>|'(\w+)'|\{(\w+)\})|g\{([A-Za-z_]\w*)\})/);
    if (name) return `\\k<${name[1] ?? name[2] ?? name[3] ?? name[4]}>`;
    if (/^[1-9]\d/.test(this.#pattern.slice(this.#at))) throw unsupported('a reference to a group above 9');
    const simple: Readonly<Record<string, string>> = {
      A: START,
      z: END,
      Z: `(?=\\n?${END})`,
      b: '\\b',
      B: '\\B',
      R: `(?:\\r\\n|[${textOf(SETS['v'] ?? [])}])`,
    };
    const place = this.#take(/^[AzZbBR]/);
    if (place) return simple[place[0]] ?? '';
    const unicode = this.#take(/^N\{U\+([\da-fA-F]+)\}/);
    if (unicode) return point(Number.parseInt(unicode[1] ?? '', 16));
    if (this.#take(/^N/)) return '[^\\n]';
    const { text, single } = this.#shared();
    return single ? text : `[${text}]`;
  }

  #back(n: number): string {
    const group = n < 0 ? this.#groups + 1 + n : n;
    if (group < 1) throw new Error('reference to a group that is not there');
    return `(?:\\${group})`;
  }

  /** Escapes that mean the same within a class and without. */
  #shared(): Piece {
    const set = this.#take(/^[dDwWsShHvV]/)?.[0];
    if (set !== undefined) {
      const ranges: Ranges = SETS[set.toLowerCase()] ?? [];
      return { text: textOf(ranges, set !== set.toLowerCase()), single: false };
    }
    if (/^[pP]/.test(this.#pattern.slice(this.#at))) return { text: this.#property(), single: false };
    const hex = this.#take(/^x(?:\{([\da-fA-F]+)\}|([\da-fA-F]{0,2}))/);
    if (hex) return { text: point(Number.parseInt(hex[1] ?? (hex[2] || '0'), 16)), single: true };
    const octal = this.#take(/^(?:(0[0-7]{0,2})|o\{([0-7]+)\})/);
    if (octal) return { text: point(Number.parseInt(octal[1] ?? octal[2] ?? '', 8)), single: true };
    const control = this.#take(/^c([ -~])/);
    if (control) return { text: point((control[1] ?? '').toUpperCase().charCodeAt(0) ^ 64), single: true };
    const c = this.#character();
    const code = { a: 7, e: 27, f: 12, n: 10, r: 13, t: 9 }[c];
    if (code !== undefined) return { text: point(code), single: true };
    if (c === '') throw new Error('\\ at end of pattern');
    if (/[A-Za-z\d]/.test(c)) throw unsupported(`\\${c}`);
    return { text: literal(c), single: true };
  }

  /** A general category by its letters, or a script by its name. */
  #property(): string {
    const [, letter = '', short, not = '', long = ''] = this.#take(/^([pP])(?:([A-Z])|\{(\^?)(\w+)\})/) ?? [];
    const name = short ?? long;
    if (name === '') throw new Error('malformed \\p');
    const is = (letter === 'p') === (not === '') ? 'p' : 'P';
    if (name === 'Any') return `\\${is}{Any}`;
    return /^[A-Z][a-z]?$/.test(name) ? `\\${is}{${name}}` : `\\${is}{Script_Extensions=${name}}`;
  }

  #class(): string {
    const not = this.#take(/^\^/) ? '^' : '';
    const pieces: Piece[] = [];
    for (;;) {
      if (this.#at >= this.#pattern.length) throw new Error('missing terminating ] for character class');
      if (pieces.length > 0 && this.#take(/^\]/)) break;
      pieces.push(...this.#pieces());
    }
    let out = '';
    for (let i = 0; i < pieces.length; i += 1) {
      const [from, dash, to] = pieces.slice(i);
      if (from?.single && dash?.dash && to?.single) {
        out += `${from.text}-${to.text}`;
        i += 2;
      } else out += from?.text ?? '';
    }
    return `[${not}${out}]`;
  }

  #pieces(): Piece[] {
    const named = this.#take(/^\[:(\^?)([a-z<>]+):\]/);
    if (named) {
      const ranges = SETS[`:${named[2]}:`];
      if (!ranges) throw new Error('unknown POSIX class name');
      return [{ text: textOf(ranges, named[1] === '^'), single: false }];
    }
    const quoted = this.#take(/^\\Q([^]*?)(?:\\E|$)/);
    if (quoted) return [...(quoted[1] ?? '')].map((c) => ({ text: literal(c), single: true }));
    if (this.#take(/^\\E/)) return [];
    if (this.#take(/^\\b/)) return [{ text: point(8), single: true }];
    const octal = this.#take(/^\\([1-7][0-7]{0,2})/);
    if (octal) return [{ text: point(Number.parseInt(octal[1] ?? '', 8)), single: true }];
    if (this.#take(/^\\/)) return [this.#shared()];
    const c = this.#character();
    return [{ text: literal(c), single: true, dash: c === '-' }];
  }
}
