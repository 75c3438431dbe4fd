import { isIP } from 'node:net';
import { z } from 'zod';
import { inviters } from './invitations.js';

const onOff = z.enum(['on', 'off']).transform((v) => v === 'on');
const whole = (least: number, most: number, otherwise: number, what: string) =>
  z.coerce.number().int().min(least).max(most).default(otherwise).describe(what);
const puppetName = z.union([
  z.templateLiteral(['wechaty-puppet-', z.string().regex(/^[\w-]+$/)]),
  z.templateLiteral(['@', z.string().regex(/^[\w-]+$/), '/wechaty-puppet-', z.string().regex(/^[\w-]+$/)]),
]);

/** The settings of the Wechaty channel; no name is one that wechaty itself reads from the environment. */
export const wechatySettings = {
  WECHATY: onOff
    .default(false)
    .describe('on or off: WeChat through Wechaty; WeChat may ban the account, read docs/wechaty.md first'),
  WECHATY_PUPPET_NAME: puppetName
    .default('wechaty-puppet-service')
    .describe(
      'the npm package of the puppet: wechaty-puppet-service, wechaty-puppet-wechat4u or another that is installed',
    ),
  WECHATY_GATEWAY_ENDPOINT: z
    .string()
    .regex(/^(?:[\w.-]+|\[[0-9a-fA-F:]+\]):\d{1,5}$/)
    .optional()
    .describe('host:port of the puppet service'),
  WECHATY_GATEWAY_TOKEN: z
    .string()
    .regex(/^[^\s_]+_\S+$/)
    .optional()
    .meta({ description: 'the token of the puppet service, such as gridmate_ and a UUID v4', secret: true }),
  WECHATY_GATEWAY_TLS: onOff
    .default(true)
    .describe('on or off: TLS to the puppet service; off only where it runs on this machine'),
  WECHATY_GATEWAY_CA_FILE: z
    .string()
    .min(1)
    .optional()
    .describe("a PEM file: the authority that signed the puppet service's certificate"),
  WECHATY_INVITATIONS: z
    .enum(inviters)
    .default('leaders')
    .describe('leaders, anyone or nobody: whose invitations into groups are accepted'),
  WECHATY_PROBE_SECONDS: z.coerce
    .number()
    .min(0)
    .max(300)
    .default(4)
    .describe('seconds between probes of the connection; three unanswered end it; 0: the puppet answers none'),
  WECHATY_LATE_MINUTES: whole(0, 525_600, 5, 'minutes after which an answer says that the message came late'),
  WECHATY_MAX_AGE_MINUTES: whole(1, 525_600, 1440, 'minutes after which a message no longer acts'),
  WECHATY_SEND_PAUSE_MIN_MS: whole(
    0,
    600_000,
    1000,
    'least pause between two messages of the account, in milliseconds',
  ),
  WECHATY_SEND_PAUSE_MAX_MS: whole(0, 600_000, 3000, 'longest pause between two messages that wait, in milliseconds'),
  WECHATY_ROOM_PAUSE_MS: whole(0, 600_000, 5000, 'pause between two messages to one group or person, in milliseconds'),
  WECHATY_BURST: whole(1, 10_000, 20, 'messages after which the account rests'),
  WECHATY_BURST_REST_SECONDS: whole(0, 86_400, 60, 'seconds of that rest'),
  WECHATY_SEND_DEADLINE_SECONDS: whole(1, 600, 10, 'seconds the network may take to say that it took a message'),
  WECHATY_TOO_FREQUENT_REST_MINUTES: whole(
    1,
    10_080,
    60,
    'minutes without sending after the network says: too frequent',
  ),
  WECHATY_MAX_TEXT: whole(50, 10_000, 2000, 'characters of one message; longer ones are sent in parts'),
} as const;

const Settings = z.object(wechatySettings);

const isLoopback = (endpoint: string): boolean => {
  const host = endpoint.slice(0, endpoint.lastIndexOf(':')).replace(/^\[|\]$/g, '');
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
};

/** Settings that contradict one another, each with what to do. */
export function wechatyProblems(config: z.output<typeof Settings>): string[] {
  if (!config.WECHATY) return [];
  const problems: string[] = [];
  if (config.WECHATY_SEND_PAUSE_MAX_MS < config.WECHATY_SEND_PAUSE_MIN_MS)
    problems.push('WECHATY_SEND_PAUSE_MAX_MS is less than WECHATY_SEND_PAUSE_MIN_MS');
  if (config.WECHATY_PUPPET_NAME !== 'wechaty-puppet-service') return problems;
  const { WECHATY_GATEWAY_ENDPOINT: endpoint, WECHATY_GATEWAY_TLS: tls } = config;
  // Without an endpoint the framework would send the token to its own discovery service on the internet.
  if (endpoint === undefined) problems.push('WECHATY_GATEWAY_ENDPOINT must be set: host:port of the puppet service');
  if (config.WECHATY_GATEWAY_TOKEN === undefined) problems.push('WECHATY_GATEWAY_TOKEN must be set');
  if (tls && config.WECHATY_GATEWAY_CA_FILE === undefined)
    problems.push(
      "WECHATY_GATEWAY_CA_FILE must be set: the key of wechaty's own certificate is public and protects nothing; or WECHATY_GATEWAY_TLS=off for a service on this machine",
    );
  if (!tls && endpoint !== undefined && !isLoopback(endpoint))
    problems.push(
      'WECHATY_GATEWAY_TLS=off sends the token and all messages in clear: only to a service on this machine',
    );
  return problems;
}
