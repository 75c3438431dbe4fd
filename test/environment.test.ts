import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { environment } from '../src/environment.js';

describe('the file .env in the working folder', () => {
  const folder = mkdtempSync(join(tmpdir(), 'gridmate-env-'));
  const before = process.cwd();
  afterAll(() => {
    process.chdir(before);
    delete process.env['BOT_NAMES'];
    rmSync(folder, { recursive: true });
  });

  it('adds what is not set; what is set stays', () => {
    process.chdir(folder);
    process.env['BOT_NAMES'] = '小网';
    expect(environment()).toEqual(process.env);
    writeFileSync('.env', '# of this machine\nTIME_ZONE=Asia/Urumqi\nBOT_NAMES=小格\n');
    expect(environment()).toMatchObject({ TIME_ZONE: 'Asia/Urumqi', BOT_NAMES: '小网' });
  });
});
