import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { wecomIsOn, wecomProblems, wecomSettings } from './channels/wecom/settings.js';

const onOff = z.enum(['on', 'off']).transform((v) => v === 'on');

/** Every setting of the program: its name, what it takes, its default. `.env.example` lists the same. */
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
    .describe('a mongodb:// address of a replica set; without it the embedded store is used'),
  MONGODB_NAME: z.string().min(1).max(63).default('gridmate').describe('the name of the database'),
  DEMO: onOff.default(true).describe('on or off: load the demo community into an empty store'),
  SANDBOX: onOff
    .default(true)
    .describe(
      'on or off: the sandbox lets anyone who reaches the page be anyone; beside a real network it is off unless set',
    ),
  SANDBOX_ALLOW_REMOTE: onOff.default(false).describe('on or off: serve the sandbox on an address other than loopback'),
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
  ...wecomSettings,
} as const;

const Settings = z.object(settings);
export type Config = Readonly<z.output<typeof Settings>>;

/** Settings that are never printed. */
const isSecret = (name: string): boolean => settings[name as keyof typeof settings].meta()?.['secret'] === true;

const LOOPBACK = new Set(['127.0.0.1', '::1', 'localhost']);
export const isLoopback = (host: string): boolean => LOOPBACK.has(host);

/** A variable that is set wrongly, or looks like one of ours and is none: the program does not start. */
export class BadConfig extends Error {
  override readonly name = 'BadConfig';
}

const plain = (name: string): string =>
  name
    .replace(/^GRIDMATE_/, '')
    .replaceAll('_', '')
    .toUpperCase();

/** What a setting is given: by itself, or as the content of the file that `NAME_FILE` names. */
function givenTo(
  name: string,
  env: Readonly<Record<string, string | undefined>>,
  problems: string[],
): string | undefined {
  const value = env[name] === '' ? undefined : env[name];
  const file = isSecret(name) ? env[`${name}_FILE`] : undefined;
  if (file === undefined || file === '') return value;
  if (value !== undefined) {
    problems.push(`${name} and ${name}_FILE are both set: keep one of them`);
    return value;
  }
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    problems.push(`${name}_FILE=${file} can not be read`);
    return undefined;
  }
}

/** The sandbox lets anyone be anyone: beside a real network it is off, unless it is asked for. */
const realChannelIsOn = (config: Config): boolean => wecomIsOn(config);

/**
 * Reads the settings from an environment.
 *
 * @throws {BadConfig} every problem in one message, each with the variable and what it takes
 */
export function parseConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const problems: string[] = [];
  const names = Object.keys(settings);
  for (const name of Object.keys(env)) {
    const meant = names.find((n) => plain(n) === plain(name));
    if (!names.includes(name) && (name.startsWith('GRIDMATE_') || (meant !== undefined && name !== 'HOSTNAME')))
      problems.push(`${name} is not a setting${meant === undefined ? '' : `: ${meant} is`}`);
  }
  const given = Object.fromEntries(names.map((n) => [n, givenTo(n, env, problems)]));
  const parsed = Settings.safeParse(given);
  if (!parsed.success)
    for (const { path } of parsed.error.issues) {
      const name = String(path[0]);
      problems.push(
        `${name}${isSecret(name) ? '' : `=${env[name] ?? ''}`} is wrong: it takes ${settings[name as keyof typeof settings].description ?? ''}`,
      );
    }
  if (!parsed.success) throw new BadConfig(problems.join('\n'));
  const config: Config = {
    ...parsed.data,
    SANDBOX: parsed.data.SANDBOX && (given['SANDBOX'] !== undefined || !realChannelIsOn(parsed.data)),
  };
  problems.push(...wecomProblems(config));
  if (config.SANDBOX && !isLoopback(config.HOST) && !config.SANDBOX_ALLOW_REMOTE)
    problems.push(
      `HOST=${config.HOST} with SANDBOX=on lets anyone who reaches the page be anyone: set SANDBOX=off, or SANDBOX_ALLOW_REMOTE=on`,
    );
  if (problems.length > 0) throw new BadConfig(problems.join('\n'));
  return Object.freeze(config);
}
