import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
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
    expect(() => parseConfig({ HOST: '0.0.0.0', SANDBOX: 'on' })).toThrow('SANDBOX_ALLOW_REMOTE');
  });

  it('an address beyond this machine needs a token for what is only for the operator', () => {
    expect(() => parseConfig({ HOST: '0.0.0.0', SANDBOX: 'off' })).toThrow('METRICS_TOKEN');
    const open = { HOST: '0.0.0.0', SANDBOX: 'off', METRICS_TOKEN: 'x'.repeat(16) };
    expect(parseConfig(open)).toMatchObject({ HOST: '0.0.0.0', SANDBOX: false });
  });

  it('a real channel turns the sandbox off, unless it is asked for', () => {
    const channels = [{ name: 'phones', on: () => true, problems: () => [] }];
    expect(parseConfig({}, channels).SANDBOX).toBe(false);
    expect(parseConfig({ SANDBOX: 'on' }, channels).SANDBOX).toBe(true);
    expect(parseConfig({}, [{ name: 'phones', on: () => false, problems: () => [] }]).SANDBOX).toBe(true);
  });

  it.each([
    ['PROT', 'PORT'],
    ['MONGO_URI', 'MONGODB_URI'],
    ['MONGODB_URL', 'MONGODB_URI'],
    ['SANBOX', 'SANDBOX'],
    ['BOT_NAME', 'BOT_NAMES'],
    ['TIMEZONE', 'TIME_ZONE'],
    ['MONGODB_URIFILE', 'MONGODB_URI_FILE'],
    ['WECOM_BOTID', 'WECOM_BOT_ID'],
    ['WECHATY_GATEWAY_TOKENS', 'WECHATY_GATEWAY_TOKEN'],
  ])('a slip is told with what is meant: %s for %s', (written, meant) => {
    expect(() => parseConfig({ [written]: 'x' })).toThrow(`${written} is not a setting: ${meant} is`);
  });

  it.each(['GRIDMATE_X', 'WECOM_AES', 'WECOM_CALLBACK_URL', 'WECHATY_GATEWAY_HOST', 'WECHATY_QR'])(
    'a name that begins like ours and is none of ours stops the start: %s',
    (name) => expect(() => parseConfig({ [name]: 'x' })).toThrow(`${name} is not a setting`),
  );

  it("other programs' variables are theirs", () => {
    const others = [
      'HOME',
      'HOSTNAME',
      'PATH',
      'POST',
      'LOGNAME',
      'LANG',
      'DATA',
      'XDG_DATA_DIRS',
      'NODE_ENV',
      'DEBUG',
      'TZ',
      'WECHATY_LOG',
      'WECHATY_PUPPET',
      'WECHATY_PUPPET_SERVICE_TOKEN',
      'WECHATY_PUPPET_PADLOCAL_TOKEN',
    ];
    expect(parseConfig(Object.fromEntries(others.map((name) => [name, 'x'])))).toEqual(parseConfig({}));
    expect(() => parseConfig(process.env)).not.toThrow();
  });

  describe('secrets', () => {
    const folder = mkdtempSync(join(tmpdir(), 'gridmate-secrets-'));
    afterAll(() => rmSync(folder, { recursive: true }));
    const file = (text: string): string => {
      const path = join(folder, `${text.length}`);
      writeFileSync(path, text);
      return path;
    };

    it('may come from a file, its text without spaces and line ends', () => {
      expect(parseConfig({ MONGODB_URI_FILE: file('mongodb://user:word@db/\n') }).MONGODB_URI).toBe(
        'mongodb://user:word@db/',
      );
    });

    it('come from one place', () => {
      const both = { MONGODB_URI: 'mongodb://db/', MONGODB_URI_FILE: file('mongodb://other/') };
      expect(() => parseConfig(both)).toThrow('MONGODB_URI and MONGODB_URI_FILE are both set');
    });

    it('are in no message, wherever they came from', () => {
      for (const env of [{ MONGODB_URI: 'postgres://u:hush@db' }, { MONGODB_URI_FILE: file('postgres://u:hush@db') }]) {
        expect(() => parseConfig(env)).toThrow('MONGODB_URI is wrong: it takes a mongodb:// address');
        expect(() => parseConfig(env)).not.toThrow('hush');
      }
    });

    it.each([
      [
        { MONGODB_URI_FILE: '/nowhere/at/all' },
        /^MONGODB_URI_FILE=\/nowhere\/at\/all is wrong: the file can't be read \(.*ENOENT/,
      ],
      [{ MONGODB_URI_FILE: file(' \n') }, 'the file is empty'],
      [{ PORT_FILE: '/run/port' }, 'PORT_FILE is not a setting: only a secret may come from a file, set PORT'],
    ])('a file that gives nothing stops the start: %j', (env, message) => {
      expect(() => parseConfig(env)).toThrow(message);
    });
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
    expect(() => parseConfig({ WECHATY_GATEWAY_TOKEN: 'hunter2' })).toThrow(/^WECHATY_GATEWAY_TOKEN is wrong/);
  });

  it('.env.example lists every setting, and its values are taken', () => {
    const text = readFileSync(join(root, '.env.example'), 'utf8');
    const listed = [...text.matchAll(/^#?([A-Z_]+)=(.*)$/gm)].map((m) => [m[1] ?? '', m[2] ?? ''] as const);
    expect(listed.map(([name]) => name).toSorted()).toEqual(Object.keys(settings).toSorted());
    expect(parseConfig(Object.fromEntries(listed))).toEqual(parseConfig({}));
  });
});
