// Makes docs/images/sandbox.png and sandbox-phone.png from a program of its own on an empty folder: `node scripts/screenshot.mjs`.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

const root = join(import.meta.dirname, '..');
const folder = mkdtempSync(join(tmpdir(), 'gridmate-screenshot-'));
const child = spawn(process.execPath, [join(root, 'scripts/start.mjs')], {
  cwd: root,
  env: { ...process.env, DATA_DIR: folder, PORT: '0', LOG_LEVEL: 'silent' },
});
const url = await new Promise((resolve) =>
  child.stdout.on('data', (out) => /ready: (\S+)/.exec(out) && resolve(/ready: (\S+)/.exec(out)[1])),
);
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM_PATH ?? '/usr/bin/chromium',
  args: ['--no-sandbox'],
});
const say = async (page, text) => {
  const answers = page.locator('.message:not(.mine) .bubble');
  const before = await answers.count();
  await page.fill('textarea', text);
  await page.click('.send');
  await answers.nth(before).waitFor();
};
for (const [name, viewport] of [
  ['sandbox', { width: 1440, height: 900 }],
  ['sandbox-phone', { width: 390, height: 844 }],
]) {
  const page = await browser.newPage({ viewport, colorScheme: 'light' });
  await page.goto(`${url}/#member-1`);
  await page.locator('.list li button', { hasText: '第三网格' }).click();
  for (const text of ['服务 环境整治 2小时 清理三号楼楼道', '积分']) await say(page, text);
  await page.waitForTimeout(300);
  await page.screenshot({ path: join(root, 'docs/images', `${name}.png`) });
  await page.close();
}
await browser.close();
child.kill('SIGTERM');
await new Promise((resolve) => child.once('exit', resolve));
rmSync(folder, { recursive: true, force: true });
