import { readFileSync } from 'node:fs';
import { distance } from 'fastest-levenshtein';
import { z } from 'zod';
import { wechatyProblems, wechatySettings } from './channels/wechaty/settings.js';
import { wecomIsOn, wecomProblems, wecomSettings } from './channels/wecom/settings.js';

const onOff = z.enum(['on', 'off']).transform((v) => v === 'on');

/**
 * Every setting of the program: its name, what it takes, its default. `.env.example` lists the same. One with
 * `.meta({ secret: true })` is never printed, and `NAME_FILE` may name a file that holds it.
 */
export const settings = {
  HOST: z.string().min(1).default('127.0.0.1').describe('the address that the page and the API listen on'),
  PORT: z.coerce.number().int().min(0).max(65535).default(3000).describe('a port from 0 to 65535; 0 takes a free one'),
  DATA_DIR: z.string().min(1).default('./data').describe('the folder of the embedded store'),
  PUBLIC_URL: z
    .url({ protocol: /^https?$/ })
    .transform((u) => u.replace(/\/$/, ''))
    .optional()
    .describe(
      'the http(s):// address under which people reach this program: for links to files; without it no link is sent',
    ),
  MONGODB_URI: z
    .string()
    .regex(/^mongodb(\+srv)?:\/\//)
    .optional()
    .describe('a mongodb:// address of a replica set; without it the embedded store is used')
    .meta({ secret: true }),
  MONGODB_NAME: z.string().min(1).max(63).default('gridmate').describe('the name of the database'),
  DEMO: onOff.default(true).describe('on or off: load the demo community into an empty store'),
  SANDBOX: onOff
    .default(true)
    .describe(
      'on or off: the sandbox lets anyone who reaches the page be anyone; beside a real network it is off unless set',
    ),
  SANDBOX_ALLOW_REMOTE: onOff.default(false).describe('on or off: serve the sandbox on an address other than loopback'),
  METRICS_TOKEN: z
    .string()
    .regex(/^[\x21-\x7e]{16,200}$/)
    .optional()
    .describe('a bearer token of 16 to 200 letters that /metrics asks for; needed where HOST is not loopback')
    .meta({ secret: true }),
  TIME_ZONE: z
    .string()
    .refine((zone) => {
      try {
        return new Intl.DateTimeFormat('en', { timeZone: zone }).resolvedOptions().timeZone !== '';
      } catch {
        return false;
      }
    }, 'no such time zone')
    .default('Asia/Shanghai')
    .describe('an IANA time zone, in which days and half years are computed'),
  LOG_LEVEL: z
    .enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'])
    .default('info')
    .describe('fatal, error, warn, info, debug, trace or silent'),
  BOT_NAMES: z
    .string()
    .min(1)
    .default('网格小助手')
    .describe('names by which the bot is mentioned, separated by commas'),
  MAX_REPORT_AGE_DAYS: z.coerce
    .number()
    .int()
    .min(0)
    .max(366)
    .default(7)
    .describe('days after which a service can no longer be reported by chat'),
  ...wechatySettings,
  ...wecomSettings,
} as const;

const Settings = z.object(settings);
export type Config = Readonly<z.output<typeof Settings>>;
/** A setting whose value is never printed. */
const isSecret = (name: keyof typeof settings): boolean => settings[name].meta()?.['secret'] === true;

type Environment = Readonly<Record<string, string | undefined>>;

const names = Object.keys(settings) as (keyof typeof settings)[];
/** The variables that may name a file with a secret, each with its setting. */
const fileSettings: ReadonlyMap<string, keyof typeof settings> = new Map(
  names.filter(isSecret).map((name) => [`${name}_FILE`, name]),
);

/** The files from which secrets come. */
export const secretFiles = (env: Environment): string[] => [...fileSettings.keys()].flatMap((name) => env[name] || []);

/** A channel that carries the bot to people, and whether the settings turn it on. */
interface RealChannel {
  readonly name: string;
  readonly on: (config: Config) => boolean;
  /** Settings of its own that do not go together, each with what to do. */
  readonly problems: (config: Config) => readonly string[];
}
/** With one of them on, the sandbox is off unless it is asked for: there anyone can be anyone. */
const realChannels: readonly RealChannel[] = [
  { name: 'wechaty', on: (config) => config.WECHATY, problems: wechatyProblems },
  { name: 'wecom', on: wecomIsOn, problems: wecomProblems },
];

const LOOPBACK = new Set(['127.0.0.1', '::1', 'localhost']);
export const isLoopback = (host: string): boolean => LOOPBACK.has(host);

/** A variable that is set wrongly, or looks like one of ours and is none: the program does not start. */
export class BadConfig extends Error {
  override readonly name = 'BadConfig';
}

/** Names that begin like this are settings of ours, or none at all. */
const OURS = /^(?:GRIDMATE|WECOM|WECHATY)_/;
/** What wechaty, its puppets and its gateway read from the environment themselves. */
const WECHATYS_OWN = /^WECHATY_(?:PUPPET(?:_|$)|SERVICE_|(?:APIHOST|DEBUG|DOCKER|LOG|NAME|PORT|RAVEN_DSN|TOKEN)$)/;

const plain = (name: string): string =>
  name
    .replace(/^GRIDMATE_/, '')
    .replaceAll('_', '')
    .toUpperCase();
const lettersOf = (name: string): string => [...name].toSorted().join('');

/**
 * Is `written` a slip for `name`? The longer the name, the more letters may differ; of a short one (`PORT`) only their
 * order, since other programs have short names too.
 */
function isSlip(written: string, name: string): boolean {
  if (name.length < 6) return lettersOf(written) === lettersOf(name);
  return distance(written, name) <= (name.length < 9 ? 1 : 2);
}

/** The setting that a variable of another name was meant to be. */
function meantBy(name: string, known: readonly string[]): string | undefined {
  const same = known.find((n) => plain(n) === plain(name));
  if (same !== undefined || !/^[A-Z0-9_]+$/.test(name)) return same;
  return known
    .filter((n) => isSlip(plain(name), plain(n)))
    .toSorted((a, b) => distance(name, a) - distance(name, b))[0];
}

/** What is set, secrets from their files; what is not understood is told to `complain`. */
function collect(env: Environment, complain: (problem: string) => void): Record<string, string> {
  const known: readonly string[] = [...names, ...fileSettings.keys()];
  const given: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) {
    if (known.includes(name)) continue;
    const plainName = names.find((n) => name === `${n}_FILE`);
    const meant = meantBy(name, known);
    if (plainName !== undefined)
      complain(`${name} is not a setting: only a secret may come from a file, set ${plainName}`);
    else if (WECHATYS_OWN.test(name)) continue;
    else if (OURS.test(name) || (meant !== undefined && value !== undefined))
      complain(`${name} is not a setting${meant === undefined ? '' : `: ${meant} is`}`);
  }
  for (const name of names) {
    const value = env[name];
    if (value !== undefined && value !== '') given[name] = value;
  }
  for (const [variable, name] of fileSettings) {
    const file = env[variable];
    if (file === undefined || file === '') continue;
    if (given[name] !== undefined) {
      complain(`${name} and ${variable} are both set: keep one of them`);
      continue;
    }
    try {
      const text = readFileSync(file, 'utf8').trim();
      if (text === '') complain(`${variable}=${file} is wrong: the file is empty`);
      else given[name] = text;
    } catch (error) {
      complain(`${variable}=${file} is wrong: the file can't be read (${String(error)})`);
    }
  }
  return given;
}

/** Settings that are each right and do not go together. */
function contradictions(config: Config): string[] {
  if (isLoopback(config.HOST)) return [];
  if (config.SANDBOX)
    return config.SANDBOX_ALLOW_REMOTE
      ? []
      : [
          `HOST=${config.HOST} with SANDBOX=on lets anyone who reaches the page be anyone: set SANDBOX=off, or SANDBOX_ALLOW_REMOTE=on`,
        ];
  return config.METRICS_TOKEN === undefined
    ? [
        `HOST=${config.HOST} without METRICS_TOKEN would show /metrics to everyone: set METRICS_TOKEN or METRICS_TOKEN_FILE`,
      ]
    : [];
}

/**
 * Reads the settings from an environment, and secrets from the files that it names.
 *
 * @throws {BadConfig} every problem in one message, each with the variable and what it takes; no secret is in it
 */
export function parseConfig(env: Environment, channels: readonly RealChannel[] = realChannels): Config {
  const problems: string[] = [];
  const given = collect(env, (problem) => problems.push(problem));
  const parsed = Settings.safeParse(given);
  if (!parsed.success)
    for (const { path } of parsed.error.issues) {
      const name = String(path[0]) as keyof typeof settings;
      const shown = isSecret(name) ? name : `${name}=${given[name] ?? ''}`;
      problems.push(`${shown} is wrong: it takes ${settings[name].description ?? ''}`);
    }
  if (!parsed.success) throw new BadConfig(problems.join('\n'));
  const real = channels.some((c) => c.on(parsed.data));
  const config = given['SANDBOX'] === undefined && real ? { ...parsed.data, SANDBOX: false } : parsed.data;
  problems.push(...contradictions(config), ...channels.flatMap((c) => c.problems(config)));
  if (problems.length > 0) throw new BadConfig(problems.join('\n'));
  return Object.freeze(config);
}
