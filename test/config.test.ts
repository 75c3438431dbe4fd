import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { parseConfig, settings } from '../src/config.js';
import { root } from '../src/paths.js';

describe('settings', () => {
  it('every one has a default that works', () => {
    expect(parseConfig({})).toMatchObject({
      HOST: '127.0.0.1',
      PORT: 3000,
      DATA_DIR: './data',
      DEMO: true,
      SANDBOX: true,
      TIME_ZONE: 'Asia/Shanghai',
    });
  });

  it('all problems are told in one message, each with the variable and what it takes', () => {
    expect(() => parseConfig({ PORT: 'abc', TIME_ZONE: 'Mars/Base', GRIDMATE_PORT: '1', DATADIR: 'x' })).toThrow(
      /GRIDMATE_PORT is not a setting: PORT is\nDATADIR is not a setting: DATA_DIR is\nPORT=abc is wrong: it takes a port[^\n]*\nTIME_ZONE=Mars\/Base is wrong: it takes an IANA time zone/,
    );
  });

  it('the sandbox is not served beyond this machine unless that is asked for', () => {
    expect(() => parseConfig({ HOST: '0.0.0.0' })).toThrow('SANDBOX');
    expect(parseConfig({ HOST: '0.0.0.0', SANDBOX: 'off' }).SANDBOX).toBe(false);
  });

  it('WeChat through Wechaty needs a gateway and a token, and TLS with an authority of one’s own off this machine', () => {
    const on = { WECHATY: 'on', WECHATY_GATEWAY_TOKEN: 'gridmate_t', WECHATY_GATEWAY_ENDPOINT: '127.0.0.1:8788' };
    expect(() => parseConfig({ WECHATY: 'on' })).toThrow(/WECHATY_GATEWAY_ENDPOINT must[^]*WECHATY_GATEWAY_TOKEN must/);
    expect(() => parseConfig(on)).toThrow('WECHATY_GATEWAY_CA_FILE must be set');
    expect(parseConfig({ ...on, WECHATY_GATEWAY_TLS: 'off' }).WECHATY).toBe(true);
    const away = { ...on, WECHATY_GATEWAY_ENDPOINT: 'gateway.example:8788' };
    expect(() => parseConfig({ ...away, WECHATY_GATEWAY_TLS: 'off' })).toThrow('in clear');
    expect(parseConfig({ ...away, WECHATY_GATEWAY_CA_FILE: 'ca.pem' }).WECHATY).toBe(true);
    expect(() => parseConfig({ WECHATY_PUPPET_NAME: 'left-pad' })).toThrow('the npm package of the puppet');
  });

  it('beside a real network the sandbox is off unless it is asked for', () => {
    const on = { WECHATY: 'on', WECHATY_PUPPET_NAME: 'wechaty-puppet-wechat4u' };
    expect(parseConfig(on).SANDBOX).toBe(false);
    expect(parseConfig({ ...on, SANDBOX: 'on' }).SANDBOX).toBe(true);
  });

  it('a secret that is set wrongly is not printed', () => {
    expect(() => parseConfig({ WECHATY_GATEWAY_TOKEN: 'hunter2' })).toThrow(
      /^WECHATY_GATEWAY_TOKEN=\(secret\) is wrong/,
    );
  });

  it('.env.example lists every setting, and its values are taken', () => {
    const text = readFileSync(join(root, '.env.example'), 'utf8');
    const listed = [...text.matchAll(/^#?([A-Z_]+)=(.*)$/gm)].map((m) => [m[1] ?? '', m[2] ?? ''] as const);
    expect(listed.map(([name]) => name).toSorted()).toEqual(Object.keys(settings).toSorted());
    expect(parseConfig(Object.fromEntries(listed))).toEqual(parseConfig({}));
  });
});
