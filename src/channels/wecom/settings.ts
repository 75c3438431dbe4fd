import { z } from 'zod';

const aesKey = z.string().regex(/^[A-Za-z0-9+/]{43}$/);
const url = z.url({ protocol: /^(https?|wss?)$/ }).transform((u) => u.replace(/\/$/, ''));

/** `group=key` pairs; a whole webhook address may stand for its key. */
const webhooks = z.string().transform((text, ctx): ReadonlyMap<string, string> => {
  const pairs = new Map<string, string>();
  for (const line of text
    .split(/[,\n]/)
    .map((l) => l.trim())
    .filter((l) => l !== '')) {
    const found = /^([^=\s]+)=(?:https?:\/\/\S*[?&]key=)?([\w-]{8,128})$/.exec(line);
    if (!found?.[1] || !found[2] || pairs.has(found[1])) {
      ctx.addIssue({ code: 'custom', message: 'not a list of group=key' });
      return z.NEVER;
    }
    pairs.set(found[1], found[2]);
  }
  return pairs;
});

/** The settings of the WeCom channel; it is on as soon as a bot or an app is named. */
export const wecomSettings = {
  WECOM_CORP_ID: z.string().min(1).max(64).optional().describe("the organisation's id in WeCom (企业ID)"),
  WECOM_BOT_ID: z.string().min(1).max(128).optional().describe('the id of the 智能机器人, for its long connection'),
  WECOM_BOT_SECRET: z
    .string()
    .min(1)
    .max(256)
    .optional()
    .describe('the secret of the long connection')
    .meta({ secret: true }),
  WECOM_BOT_TOKEN: z
    .string()
    .min(1)
    .max(64)
    .optional()
    .describe('the token of the 智能机器人, where it calls back instead')
    .meta({ secret: true }),
  WECOM_BOT_AES_KEY: aesKey
    .optional()
    .describe('the EncodingAESKey of that callback, 43 characters')
    .meta({ secret: true }),
  WECOM_APP_AGENT_ID: z.coerce.number().int().positive().optional().describe('the AgentId of the 自建应用'),
  WECOM_APP_SECRET: z.string().min(1).max(256).optional().describe('the secret of the 自建应用').meta({ secret: true }),
  WECOM_APP_TOKEN: z
    .string()
    .min(1)
    .max(64)
    .optional()
    .describe("the token of the app's callback")
    .meta({ secret: true }),
  WECOM_APP_AES_KEY: aesKey
    .optional()
    .describe("the EncodingAESKey of the app's callback, 43 characters")
    .meta({ secret: true }),
  WECOM_WEBHOOKS: webhooks
    .optional()
    .describe('group=key pairs separated by commas or lines: the 群机器人 by which a group can be written to')
    .meta({ secret: true }),
  WECOM_API_URL: url.default('https://qyapi.weixin.qq.com').describe("an http(s):// address: WeCom's API"),
  WECOM_WS_URL: url.default('wss://openws.work.weixin.qq.com').describe('a ws(s):// address: the long connection'),
  WECOM_CALLBACK_WINDOW_SECONDS: z.coerce
    .number()
    .int()
    .min(30)
    .max(3600)
    .default(300)
    .describe('seconds by which the time of a callback may differ from ours, from 30 to 3600'),
  WECOM_REFUSALS_PER_MINUTE: z.coerce
    .number()
    .int()
    .min(1)
    .max(100_000)
    .default(60)
    .describe('wrong callbacks a minute after which an address gets 429 for more and is no longer logged'),
  WECOM_PER_MINUTE: z.coerce
    .number()
    .int()
    .min(1)
    .max(10_000)
    .default(30)
    .describe("messages a minute to one conversation; WeCom's limit is 30"),
  WECOM_PER_HOUR: z.coerce
    .number()
    .int()
    .min(1)
    .max(100_000)
    .default(1000)
    .describe("messages an hour to one conversation; WeCom's limit is 1000"),
  WECOM_DIRECTORY: z
    .enum(['on', 'off'])
    .transform((v) => v === 'on')
    .default(false)
    .describe("on or off: read the organisation's directory once a day, as a hint for whoever settles a 报到"),
} as const;

const Settings = z.object(wecomSettings);
export type WecomSettings = Readonly<z.output<typeof Settings>>;

/** Is a bot or an app named at all? */
export const wecomIsOn = (s: WecomSettings): boolean =>
  s.WECOM_BOT_ID !== undefined || s.WECOM_BOT_TOKEN !== undefined || s.WECOM_APP_SECRET !== undefined;

/** Settings that contradict or lack one another: a sentence each, beginning with the variable. */
export function wecomProblems(s: WecomSettings): string[] {
  const problems: string[] = [];
  const needs = (name: keyof WecomSettings, ...others: (keyof WecomSettings)[]): void => {
    if (s[name] !== undefined)
      for (const other of others) if (s[other] === undefined) problems.push(`${other} is missing: ${name} needs it`);
  };
  needs('WECOM_BOT_ID', 'WECOM_BOT_SECRET');
  needs('WECOM_BOT_SECRET', 'WECOM_BOT_ID');
  needs('WECOM_BOT_TOKEN', 'WECOM_BOT_AES_KEY');
  needs('WECOM_BOT_AES_KEY', 'WECOM_BOT_TOKEN');
  needs('WECOM_APP_SECRET', 'WECOM_CORP_ID', 'WECOM_APP_AGENT_ID');
  needs('WECOM_APP_AGENT_ID', 'WECOM_APP_SECRET');
  needs('WECOM_APP_TOKEN', 'WECOM_APP_AES_KEY', 'WECOM_APP_SECRET');
  needs('WECOM_APP_AES_KEY', 'WECOM_APP_TOKEN');
  if (s.WECOM_BOT_ID !== undefined && s.WECOM_BOT_TOKEN !== undefined)
    problems.push('WECOM_BOT_TOKEN contradicts WECOM_BOT_ID: a 智能机器人 has either a long connection or a callback');
  if (s.WECOM_WEBHOOKS !== undefined && !wecomIsOn(s))
    problems.push('WECOM_WEBHOOKS alone hears nothing: set WECOM_BOT_ID, WECOM_BOT_TOKEN or WECOM_APP_SECRET as well');
  if (s.WECOM_DIRECTORY && s.WECOM_APP_SECRET === undefined) problems.push('WECOM_DIRECTORY=on needs WECOM_APP_SECRET');
  if (!/^https?:/.test(s.WECOM_API_URL)) problems.push('WECOM_API_URL is no http:// or https:// address');
  if (!/^wss?:/.test(s.WECOM_WS_URL)) problems.push('WECOM_WS_URL is no ws:// or wss:// address');
  return [...new Set(problems)];
}
