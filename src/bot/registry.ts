import { z } from 'zod';
import type { DomainErrorLike } from './refusal.js';
import type { Grammar, Place } from './grammar.js';
import type { Attachment } from './message.js';
import type {
  AnyCopier,
  AnySettler,
  Catalogue,
  CatalogueEntry,
  CommandOptions,
  Community,
  Copier,
  Reply,
  Script,
  ScriptDefinition,
  Settler,
  Where,
} from './script.js';

/** A handler as the dispatcher calls it: the types of its context were checked where the script was written. */
type Handler = (ctx: never, slots: never) => Promise<Reply>;

export interface Command {
  readonly file: string;
  readonly title: string;
  readonly order: number;
  readonly grammar: Grammar;
  readonly options: CommandOptions<Record<string, unknown>, Where, string>;
  readonly handler: (ctx: object, slots: unknown) => Promise<Reply>;
}

export interface Undo {
  readonly data: z.ZodType;
  readonly handler: (ctx: object, data: unknown) => Promise<Reply>;
}

export interface LoadedScript<C extends Community = Community> {
  readonly file: string;
  readonly definition: ScriptDefinition<C>;
  /** A sentence for each code of a domain error. */
  readonly errors: Readonly<Record<string, (details: never) => string>>;
}

/** Everything that the scripts listen for. Immutable once built. */
export interface Registry {
  readonly commands: ReadonlyMap<string, Command>;
  readonly undos: ReadonlyMap<string, Undo>;
  readonly settlers: ReadonlyMap<string, AnySettler>;
  readonly copiers: ReadonlyMap<string, AnyCopier>;
  readonly media: readonly ((ctx: object, attachments: readonly Attachment[]) => Promise<Reply>)[];
  readonly joined: readonly ((ctx: object) => Promise<Reply>)[];
  /** The sentence for a domain error, or undefined: no script knows its code. */
  sentence(error: DomainErrorLike): string | undefined;
  readonly catalogue: Catalogue;
}

/** Two scripts claim one thing; the program does not start. */
export class ClaimedTwice extends Error {
  override readonly name = 'ClaimedTwice';
}

/**
 * Collects what the scripts define.
 *
 * @throws {ClaimedTwice} two scripts claim one word, intent, error code, undo or kind: names the files and the word
 */
export function buildRegistry<C extends Community>(
  scripts: readonly LoadedScript<C>[],
  ranks: readonly string[],
): Registry {
  const commands = new Map<string, Command>();
  const undos = new Map<string, Undo>();
  const settlers = new Map<string, AnySettler>();
  const copiers = new Map<string, AnyCopier>();
  const media: Registry['media'][number][] = [];
  const joined: Registry['joined'][number][] = [];
  const sentences = new Map<string, (details: never) => string>();
  const claims = new Map<string, string>();
  const claim = (what: string, file: string): void => {
    const first = claims.get(what);
    if (first !== undefined) throw new ClaimedTwice(`${what} is claimed by both ${first} and ${file}`);
    claims.set(what, file);
  };

  for (const { file, definition, errors } of scripts) {
    const on: Script<C> = {
      command(grammar, options, handler) {
        claim(`the intent ${grammar.intent}`, file);
        for (const word of grammar.words) claim(`the word ${word}`, file);
        commands.set(grammar.intent, {
          file,
          title: definition.title,
          order: definition.order,
          grammar,
          options: options as unknown as Command['options'],
          handler: handler as Handler as Command['handler'],
        });
      },
      undo(intent, data, handler) {
        claim(`the undo of ${intent}`, file);
        undos.set(intent, { data, handler: handler as Handler as Undo['handler'] });
      },
      settles(kind: string, settler: Settler<C>) {
        claim(`the kind ${kind}`, file);
        settlers.set(kind, settler);
      },
      copies(kind: string, copier: Copier<C>) {
        claim(`the copies of ${kind}`, file);
        copiers.set(kind, copier);
      },
      media(handler) {
        media.push(handler as (ctx: never, a: readonly Attachment[]) => Promise<Reply> as Registry['media'][number]);
      },
      joined(handler) {
        joined.push(handler as (ctx: never) => Promise<Reply> as Registry['joined'][number]);
      },
    };
    definition.define(on);
    for (const [code, sentence] of Object.entries(errors)) {
      claim(`the error ${code}`, file);
      sentences.set(code, sentence);
    }
  }
  return {
    commands,
    undos,
    settlers,
    copiers,
    media,
    joined,
    sentence: (error) => sentences.get(error.code)?.(error.details as never),
    catalogue: catalogueOf([...commands.values()], ranks),
  };
}

/** Does a person of `role` (undefined: a stranger) reach what `needed` asks? `ranks` goes from the weakest to the strongest. */
export const reaches = (ranks: readonly string[], role: string | undefined, needed: string): boolean =>
  needed === 'anyone' ||
  (role !== undefined && ranks.indexOf(needed) >= 0 && ranks.indexOf(role) >= ranks.indexOf(needed));

function catalogueOf(commands: readonly Command[], ranks: readonly string[]): Catalogue {
  const entries: CatalogueEntry[] = commands
    .map(({ title, order, grammar, options }) => ({
      title,
      order,
      intent: grammar.intent,
      words: grammar.words,
      in: options.in,
      role: options.role,
      help: options.help,
    }))
    .toSorted((a, b) => a.order - b.order);
  const fits = (e: CatalogueEntry, place: Place): boolean => e.in === 'anywhere' || e.in === place;
  return {
    list: (role, place) => entries.filter((e) => fits(e, place) && reaches(ranks, role, e.role)),
    find: (word) => entries.find((e) => e.words.includes(word)),
  };
}
