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

  it('.env.example lists every setting, and its values are taken', () => {
    const text = readFileSync(join(root, '.env.example'), 'utf8');
    const listed = [...text.matchAll(/^#?([A-Z_]+)=(.*)$/gm)].map((m) => [m[1] ?? '', m[2] ?? ''] as const);
    expect(listed.map(([name]) => name).toSorted()).toEqual(Object.keys(settings).toSorted());
    expect(parseConfig(Object.fromEntries(listed))).toEqual(parseConfig({}));
  });
});
