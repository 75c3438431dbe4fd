import type { z } from 'zod';
import type { Tx } from '../store/transaction.js';
import type { Grammar, Place } from './grammar.js';
import type { Attachment, Choice, Founding, Person } from './message.js';

/** The community's own types, supplied once in bot-scripts/lib/script.ts: the engine never imports the domain. */
export interface Community {
  services: object;
  member: object;
  group: object;
  role: string;
}

export type Where = 'group' | 'private' | 'anywhere';

/** What every handler has at hand, whoever wrote and wherever. */
export interface Basics {
  /** Every effect goes through it; it is committed together with the record of the command and the replies. */
  readonly tx: Tx;
  /** When the message was written. */
  readonly now: Date;
  readonly place: Place;
  readonly person: Person;
  readonly room: string | null;
  readonly messageId: string;
  readonly attachments: readonly Attachment[];
  /** Chat identities of the persons mentioned beside the bot. */
  readonly mentions: readonly Person[];
  /** The message as stored: whole phone and ID numbers are masked. */
  readonly text: string;
  /** The kinds of numbered things and how they are settled. */
  readonly settlers: ReadonlyMap<string, AnySettler>;
  /** The kinds of numbered things and how they are told to a group where only a person can post. */
  readonly copiers: ReadonlyMap<string, AnyCopier>;
  /** What people can say here. */
  readonly catalogue: Catalogue;
  /** The strongest role of the sender; undefined: a stranger. */
  readonly role: string | undefined;
  /** Takes back the sender's last command in this conversation, see `Script.undo`. */
  undoLast(): Promise<UndoResult>;
}

/** A settler as the review script sees it: the context it needs is the one the script has. */
// oxlint-disable-next-line typescript/no-explicit-any -- the community's types are bound in bot-scripts/lib, after this
export type AnySettler = Settler<any>;

// oxlint-disable-next-line typescript/no-explicit-any -- as AnySettler
export type AnyCopier = Copier<any>;

export type UndoResult =
  | { readonly status: 'undone'; readonly reply: Reply }
  /** There is none, or its command can't be taken back. */
  | { readonly status: 'nothing' }
  /** Older than two minutes. */
  | { readonly status: 'tooLate'; readonly intent: string; readonly at: Date };

/** A command as 帮助 and the chips show it. */
export interface CatalogueEntry {
  readonly title: string;
  readonly order: number;
  readonly intent: string;
  readonly words: readonly string[];
  readonly in: Where;
  readonly role: string;
  readonly help: CommandHelp;
}

export interface Catalogue {
  /** What somebody of this role can say in this place, in the order of the headings. */
  list(role: string | undefined, place: Place): readonly CatalogueEntry[];
  /** The command that a word opens. */
  find(word: string): CatalogueEntry | undefined;
}

/** The context of a handler: a guard in the options (`role`, `in`) is a fact here. */
export type Context<
  C extends Community,
  W extends Where = Where,
  R extends C['role'] | 'anyone' = C['role'],
> = C['services'] &
  Basics & {
    readonly member: R extends 'anyone' ? C['member'] | undefined : C['member'];
    readonly group: W extends 'group' ? C['group'] : W extends 'private' ? undefined : C['group'] | undefined;
  };

/** One message of a reply. `here`: where the command was said; `sender`: in private; a person: in private to them. */
export interface Outgoing {
  readonly to: 'here' | 'sender' | Person | { readonly channel: string; readonly room: string };
  readonly text: string;
  readonly mentions?: readonly string[];
  readonly attachments?: readonly Attachment[];
  /** Shown as buttons where the network has them; the text must do without. */
  readonly choices?: readonly Choice[];
  /** The group that it goes to is made first; see `makesGroup`. */
  readonly founds?: Founding;
}

/** A question that the next message of the same person in the same place answers; kept in the store until then. */
export interface Question {
  /** The intent whose grammar reads the answer and whose handler gets the completed slots. */
  readonly intent: string;
  readonly slots: Record<string, unknown>;
  readonly missing: readonly string[];
}

/** What a handler answers: one sentence for here, or more. */
export type Reply =
  | string
  | undefined
  | {
      readonly messages: readonly Outgoing[];
      /** Opens a stored dialogue. */
      readonly question?: Question;
      /** How 撤回 takes this command back within two minutes: data for the script's `undo` of this intent. */
      readonly undo?: Record<string, unknown>;
      /** The command was understood and turned down. */
      readonly refused?: boolean;
    };

/** What 帮助 and the chips say of a command. */
export interface CommandHelp {
  /** One line that works when sent as it stands, such as `服务 环境整治 2小时`. */
  readonly example: string;
  /** One sentence: what is true afterwards. */
  readonly about: string;
  /** One common mistake and its mending. */
  readonly mistake?: string;
  /** Shown as a chip where it fits; the text is put into the input. */
  readonly chip?: { readonly label: string; readonly text: string; readonly send?: boolean };
  /** Not listed in 帮助 (still explained by `帮助 <word>`). */
  readonly hidden?: boolean;
}

export interface CommandOptions<S, W extends Where, R extends string> {
  readonly in: W;
  readonly role: R | 'anyone';
  readonly help: CommandHelp;
  /** What to ask for a slot that is missing, by its name. */
  readonly asks?: Readonly<Record<string, string | ((slots: Partial<S>) => string)>>;
  /** What to ask back when the reading is a guess (`needsConfirm`). */
  readonly confirms?: (slots: S) => string;
  /** Sentences for readings that are refused as they stand, by the reading's intent (`reject.future`). */
  readonly refusals?: Readonly<Record<string, (slots: Partial<S>) => string>>;
  /** Also works in a group that is bound to no unit yet. */
  readonly unboundGroup?: true;
  /** Ties something to an id of the network: refused where ids do not last (see Capabilities.stableIds). */
  readonly bindsIds?: true;
  /** Makes a group: refused where the network lets no program do so (see Capabilities.makesGroups). */
  readonly makesGroup?: true;
}

/** One line of 待办. */
export interface Waiting {
  readonly number: number;
  readonly line: string;
  readonly since: Date;
}

/** What settling came to: lines for the one answer, and what others are told. */
export interface Settled {
  readonly lines: readonly string[];
  readonly messages?: readonly Outgoing[];
  /** Data by which `unsettle` takes it back; absent: nothing changed. */
  readonly undo?: Record<string, unknown>;
  /** Nothing was done yet: it wants a reason, which is asked for. */
  readonly needsReason?: boolean;
}

/** The capability's side of 待办, 通过, 驳回 and 撤销 for one kind of numbered thing. */
export interface Settler<C extends Community> {
  waiting(ctx: Context<C>): Promise<readonly Waiting[]>;
  approve(ctx: Context<C>, numbers: readonly number[]): Promise<Settled>;
  reject(ctx: Context<C>, number: number, reason: string): Promise<Settled>;
  /** 撤销: a withdrawal by its author, a reversal by a leader with a reason. */
  revoke(ctx: Context<C>, number: number, reason: string | undefined): Promise<Settled>;
  /** 撤回 within two minutes of an approve, reject or revoke. */
  unsettle(ctx: Context<C>, data: Record<string, unknown>): Promise<Settled>;
}

/** What a leader pastes into a group where the bot is not: for everybody's eyes, so names are masked and no number is a phone's. */
export interface Copy {
  /** Stands above the lines; the same heading is written once. */
  readonly heading: string;
  readonly line: string;
  readonly attachments?: readonly Attachment[];
}

/** The capability's side of 转发稿 for one kind of numbered thing. */
export interface Copier<C extends Community> {
  /** Those of the numbers that this person may tell the group of. */
  copies(ctx: Context<C>, numbers: readonly number[]): Promise<ReadonlyMap<number, Copy>>;
}

/** The listeners of a script, collected by the loader. */
export interface Script<C extends Community> {
  /** How numbered things of one kind wait for a leader and are settled: 待办, 通过, 驳回, 撤销 look here. */
  settles(kind: string, settler: Settler<C>): void;
  /** How numbered things of one kind are told to a group by a person: 转发稿 looks here. */
  copies(kind: string, copier: Copier<C>): void;
  /** Somebody says something that `grammar` reads. */
  command<S extends z.ZodType, const W extends Where, const R extends C['role'] | 'anyone'>(
    grammar: Grammar<S>,
    options: CommandOptions<z.output<S>, W, R>,
    handler: (ctx: Context<C, W, R>, slots: z.output<S>) => Promise<Reply>,
  ): void;
  /** Takes back what a command of `intent` did; `data` is what its reply gave as `undo`. */
  undo<S extends z.ZodType>(
    intent: string,
    data: S,
    handler: (ctx: Context<C>, data: z.output<S>) => Promise<Reply>,
  ): void;
  /** A message with pictures or files and no command: a reply, or undefined to stay silent. */
  media(handler: (ctx: Context<C, 'anywhere', 'anyone'>, attachments: readonly Attachment[]) => Promise<Reply>): void;
  /** The bot was taken into a group; the reply goes there. */
  joined(
    handler: (
      ctx: Pick<Basics, 'tx' | 'now' | 'room'> & C['services'] & { channel: string; name: string },
    ) => Promise<Reply>,
  ): void;
}

/** A script as its file exports it: `export default script('服务', {…}, (on) => {…})`. */
export interface ScriptDefinition<C extends Community> {
  /** The group heading under which 帮助 lists its commands. */
  readonly title: string;
  readonly summary: string;
  /** Place among the headings of 帮助; lower comes first. */
  readonly order: number;
  readonly define: (on: Script<C>) => void;
}

/** Binds the engine to a community's types, once. */
export const scriptsFor =
  <C extends Community>() =>
  (
    title: string,
    options: { summary: string; order?: number },
    define: (on: Script<C>) => void,
  ): ScriptDefinition<C> => ({
    title,
    summary: options.summary,
    order: options.order ?? 100,
    define,
  });
