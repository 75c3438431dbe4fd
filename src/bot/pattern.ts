import { z } from 'zod';
import type { Grammar } from './grammar.js';

type Word<P extends string> = P extends `${infer Head} ${infer Tail}` ? Head | Word<Tail> : P;
type Bare<N extends string> = N extends `${infer M}...` ? M : N;
type Needed<P extends string> = Word<P> extends infer W ? (W extends `<${infer N}>` ? Bare<N> : never) : never;
type Optional<P extends string> = Word<P> extends infer W ? (W extends `[${infer N}]` ? Bare<N> : never) : never;

/** One zod type for each placeholder of the pattern: no more, no fewer. */
export type ArgTypes<P extends string> = { readonly [N in Needed<P> | Optional<P>]: z.ZodType };
/** What the handler receives: `<x>` is always there, `[x]` may be absent. */
type Slots<P extends string, S extends ArgTypes<P>> = z.ZodType<
  { readonly [N in Needed<P>]: z.output<S[N]> } & { readonly [N in Optional<P>]?: z.output<S[N]> }
>;

/** Types for what people type. */
export const arg = {
  /** Any text, at most `max` characters. */
  text: (max: number) => z.string().min(1).max(max),
  /** A whole number, `#` before it or not. */
  number: () =>
    z
      .string()
      .regex(/^#?\d{1,6}$/)
      .transform((s) => Number(s.replace('#', ''))),
};

/**
 * The simple form of a grammar: a command word, then placeholders separated by spaces. `<x>` must be said, `[x]` may be,
 * `<x...>` or `[x...]` takes the rest of the message and comes last.
 *
 *     pattern('问好 <who>', { intent: 'greeting.say', args: { who: arg.text(20) } })
 */
export function pattern<const P extends string, const S extends ArgTypes<P>>(
  form: P extends `${string}...> ${string}` | `${string}...] ${string}` ? never : P,
  options: {
    readonly intent: string;
    readonly aliases?: readonly string[];
    readonly args: S & { [X in Exclude<keyof S, keyof ArgTypes<P>>]: never };
  },
): Grammar<Slots<P, S>> {
  const [word = '', ...places] = String(form).split(' ');
  const parts = places.map((p) => ({
    name: p.replace(/[<>[\].]/g, ''),
    needed: p.startsWith('<'),
    greedy: p.includes('...'),
  }));
  const types: Readonly<Record<string, z.ZodType>> = options.args;
  const shape = Object.fromEntries(
    parts.map(({ name, needed }) => [
      name,
      needed ? (types[name] as z.ZodType) : (types[name] as z.ZodType).optional(),
    ]),
  );
  const read = (
    text: string,
    kept: Record<string, unknown> = {},
  ): { intent: string; slots: Record<string, unknown> } => {
    const said = text.trim() === '' ? [] : text.trim().split(/\s+/);
    const slots = { ...kept };
    for (const { name, greedy } of parts) {
      if (slots[name] !== undefined || said.length === 0) continue;
      slots[name] = greedy ? said.splice(0).join(' ') : said.shift();
    }
    const missing = parts
      .filter(
        (p) => p.needed && (slots[p.name] === undefined || types[p.name]?.safeParse(slots[p.name]).success === false),
      )
      .map((p) => p.name);
    for (const name of missing) delete slots[name];
    return missing.length > 0 ? { intent: 'ask', slots: { ...slots, missing } } : { intent: options.intent, slots };
  };
  return {
    intent: options.intent,
    words: [word, ...(options.aliases ?? [])],
    slots: z.object(shape) as unknown as Slots<P, S>,
    read: (phrase) => (/^\p{L}/u.test(phrase.rest) ? undefined : read(phrase.rest.replace(/^[\s,:;]+/, ''))),
    answer: ({ missing: _missing, ...kept }, phrase) => read(phrase.text, kept),
  };
}
