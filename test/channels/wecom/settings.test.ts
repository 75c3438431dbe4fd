import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parseConfig } from '../../../src/config.js';

const AES = 'a'.repeat(43);
const bot = { WECOM_BOT_ID: 'aib', WECOM_BOT_SECRET: 'sesame' };
const app = { WECOM_CORP_ID: 'ww1', WECOM_APP_SECRET: 'sesame', WECOM_APP_AGENT_ID: '1' };

describe('the settings of WeCom', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'gridmate-settings-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it.each([
    ['WECOM_BOT_SECRET', { WECOM_BOT_ID: 'aib' }],
    ['WECOM_BOT_ID', { WECOM_BOT_SECRET: 's' }],
    ['WECOM_BOT_AES_KEY', { WECOM_BOT_TOKEN: 't' }],
    ['WECOM_BOT_AES_KEY', { WECOM_BOT_TOKEN: 't', WECOM_BOT_AES_KEY: 'short' }],
    ['WECOM_BOT_TOKEN contradicts WECOM_BOT_ID', { ...bot, WECOM_BOT_TOKEN: 't', WECOM_BOT_AES_KEY: AES }],
    ['WECOM_CORP_ID', { WECOM_APP_SECRET: 's', WECOM_APP_AGENT_ID: '1' }],
    ['WECOM_APP_AGENT_ID', { WECOM_CORP_ID: 'ww1', WECOM_APP_SECRET: 's' }],
    ['WECOM_APP_AGENT_ID', { ...app, WECOM_APP_AGENT_ID: 'one' }],
    ['WECOM_APP_SECRET', { WECOM_APP_TOKEN: 't', WECOM_APP_AES_KEY: AES }],
    ['WECOM_WEBHOOKS alone', { WECOM_WEBHOOKS: 'g=12345678' }],
    ['WECOM_WEBHOOKS', { ...bot, WECOM_WEBHOOKS: 'no pair' }],
    ['WECOM_WEBHOOKS', { ...bot, WECOM_WEBHOOKS: 'g=12345678,g=87654321' }],
    ['WECOM_DIRECTORY', { ...bot, WECOM_DIRECTORY: 'on' }],
    ['WECOM_API_URL', { ...app, WECOM_API_URL: 'ws://x.example' }],
    ['WECOM_WS_URL', { ...bot, WECOM_WS_URL: 'https://x.example' }],
    ['WECOM_CALLBACK_WINDOW_SECONDS', { WECOM_CALLBACK_WINDOW_SECONDS: '5' }],
    ['WECOM_BOT_SECRET_FILE', { ...bot, WECOM_BOT_SECRET_FILE: '/nowhere' }],
    ['WECOM_BOT_SECRET_FILE=/nowhere', { WECOM_BOT_ID: 'aib', WECOM_BOT_SECRET_FILE: '/nowhere' }],
  ])('%s: the start is stopped with the variable’s name', (name, env) => {
    expect(() => parseConfig(env)).toThrow(name);
  });

  it('a secret is never told, not even a wrong one', () => {
    expect(() => parseConfig({ ...bot, WECOM_BOT_SECRET: 'x'.repeat(300), WECOM_WEBHOOKS: 'sesame street' })).toThrow(
      expect.not.objectContaining({ message: expect.stringMatching(/xxx|sesame/) }),
    );
  });

  it('secrets are read from files; a robot may be given by its whole address', () => {
    const file = join(folder, 'secret');
    writeFileSync(file, 'from the file\n');
    const hooks = 'g1=https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=693a91f6-7xxx, g2=0123456789';
    const config = parseConfig({ WECOM_BOT_ID: 'aib', WECOM_BOT_SECRET_FILE: file, WECOM_WEBHOOKS: hooks });
    expect(config.WECOM_BOT_SECRET).toBe('from the file');
    expect([...(config.WECOM_WEBHOOKS ?? [])]).toEqual([
      ['g1', '693a91f6-7xxx'],
      ['g2', '0123456789'],
    ]);
  });

  it('the sandbox is off as soon as a real network is on, unless it is asked for', () => {
    expect(parseConfig({}).SANDBOX).toBe(true);
    expect(parseConfig(bot).SANDBOX).toBe(false);
    expect(parseConfig({ ...bot, SANDBOX: 'on' }).SANDBOX).toBe(true);
    expect(parseConfig({ ...app, HOST: '0.0.0.0', METRICS_TOKEN: 'm'.repeat(16) }).SANDBOX).toBe(false);
  });
});
