import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { type Browser, chromium, type Page } from 'playwright-core';
import { type RunningApp, startApp } from '../../src/app.js';
import { parseConfig } from '../../src/config.js';

const browserPath = [process.env['CHROMIUM_PATH'], '/usr/bin/chromium', '/usr/bin/chromium-browser'].find(
  (p) => p !== undefined && existsSync(p),
);
if (browserPath === undefined)
  process.stdout.write(
    'The page is not tested: no Chromium here. Get it with: apt-get install chromium fonts-noto-cjk\n',
  );
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

const sizes = { phone: { width: 390, height: 844 }, desktop: { width: 1440, height: 900 } };

(browserPath === undefined ? describe.skip : describe)('the sandbox page in a real browser', () => {
  let app: RunningApp;
  let browser: Browser;
  let folder: string;
  const errors: string[] = [];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'gridmate-page-'));
    app = await startApp(parseConfig({ DATA_DIR: folder, PORT: '0' }), pino({ level: 'silent' }), 'same');
    browser = await chromium.launch({
      executablePath: browserPath ?? '',
      args: ['--no-sandbox', '--disable-background-networking'],
    });
  }, 90_000);
  afterAll(async () => {
    await browser?.close();
    await app?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const be = async (person: string, size: keyof typeof sizes, colorScheme: 'light' | 'dark'): Promise<Page> => {
    const page = await browser.newPage({ viewport: sizes[size], colorScheme });
    page.on('pageerror', (error) => errors.push(error.message));
    await page.goto(`${app.url}/#${person}`);
    await page.waitForSelector('.list li');
    return page;
  };
  const openPlace = (page: Page, name: string) => page.locator('.list li button', { hasText: name }).first().click();
  const say = async (page: Page, text: string): Promise<string> => {
    const answers = page.locator('.message:not(.mine) .bubble');
    const before = await answers.count();
    await page.fill('textarea', text);
    await page.click('.send');
    await answers.nth(before).waitFor();
    return answers.nth(before).innerText();
  };
  const serious = async (page: Page): Promise<string[]> => {
    await page.evaluate(axe);
    const found = await page.evaluate(async () => {
      const { axe: tool } = globalThis as unknown as {
        axe: { run(): Promise<{ violations: { id: string; impact: string; nodes: { html: string }[] }[] }> };
      };
      return (await tool.run()).violations.map((v) => ({ id: v.id, impact: v.impact, html: v.nodes[0]?.html ?? '' }));
    });
    return found.filter((v) => v.impact === 'serious' || v.impact === 'critical').map((v) => `${v.id}: ${v.html}`);
  };

  it.each(['phone', 'desktop'] as const)(
    'a member reports and a leader confirms, in two pages at %s width',
    async (size) => {
      const member = await be('member-1', size, 'light');
      const leader = await be('grid-leader-3', size, 'dark');
      await openPlace(member, '第三网格');
      await openPlace(leader, '第三网格');
      const answer = await say(member, '服务 护学 30分钟');
      const no = /#\d+/.exec(answer)?.[0] ?? '';
      expect(answer).toMatch(/^已登记，待3号楼党小组组长/);
      await leader.locator('.bubble', { hasText: no }).waitFor();
      const confirmed = member.locator('.bubble', { hasText: '已通过，+1分' });
      const seen = await confirmed.count();
      await leader.fill('textarea', `通过 ${no}`);
      await leader.click('.send');
      await confirmed.nth(seen).waitFor();
      expect(await serious(member)).toEqual([]);
      expect(await serious(leader)).toEqual([]);
      await member.close();
      await leader.close();
      expect(errors).toEqual([]);
    },
    60_000,
  );

  it('unread messages are counted, a tapped number fills the input, a failed send can be sent again and is one message', async () => {
    const page = await be('member-2', 'desktop', 'light');
    await openPlace(page, '网格小助手');
    const other = await be('member-1', 'desktop', 'light');
    await openPlace(other, '第三网格');
    const answer = await say(other, '服务 巡逻 30分钟');
    await page.locator('.badge').first().waitFor();
    await openPlace(page, '第三网格');
    await page
      .locator('.bubble .link', { hasText: /#\d+/.exec(answer)?.[0] ?? '#' })
      .first()
      .click();
    expect(await page.inputValue('textarea')).toMatch(/#\d+/);
    await page.route('**/api/sandbox/messages', (route) => route.abort());
    await page.fill('textarea', '大家好');
    await page.click('.send');
    await page.locator('.failed').waitFor();
    await page.unroute('**/api/sandbox/messages');
    await page.click('.again');
    await other.locator('.bubble', { hasText: '大家好' }).waitFor();
    expect(await other.locator('.bubble', { hasText: '大家好' }).count()).toBe(1);
    await page.close();
    await other.close();
  }, 180_000);

  it.each(['phone', 'desktop'] as const)(
    'a long chat stays in its own box at %s width: the input is in sight, what comes is followed, unless one reads above',
    async (size) => {
      const page = await be('member-1', size, 'light');
      await openPlace(page, '第三网格');
      for (let i = 0; i < 12; i += 1) await say(page, '积分');
      const { width, height } = sizes[size];
      const inSight = async (selector: string): Promise<boolean> => {
        const box = await page.locator(selector).last().boundingBox();
        return box !== null && box.x >= 0 && box.y >= 0 && box.x + box.width <= width && box.y + box.height <= height;
      };
      for (const part of ['.chat header', '.send', '.chips button'])
        expect([part, await inSight(part)]).toEqual([part, true]);
      const log = page.locator('.messages');
      const toEnd = (): Promise<number> => log.evaluate((e) => e.scrollHeight - e.scrollTop - e.clientHeight);
      expect(await toEnd()).toBeLessThan(80);
      await log.evaluate((e) => e.scrollTo(0, 0));
      await fetch(`${app.url}/api/sandbox/messages?wait=1`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ from: 'member-2', room: 'grid-3', text: '大家好' }),
      });
      await page.locator('.newer').click();
      await page.locator('.newer').waitFor({ state: 'detached' });
      expect(await toEnd()).toBeLessThan(80);
      await page.close();
      expect(errors).toEqual([]);
    },
    60_000,
  );

  it('a message is quoted, its reading is explained with its record, somebody new comes, a group is made and greeted', async () => {
    const page = await be('member-1', 'desktop', 'light');
    await openPlace(page, '第三网格');
    const no = /#\d+/.exec(await say(page, '服务 巡逻 30分钟'))?.[0] ?? '';
    await page.locator('.message.mine').last().click({ button: 'right' });
    await page.locator('.actions button', { hasText: '怎么理解' }).click();
    await page.locator('.inspector dd', { hasText: no }).waitFor();
    await page.locator('.message:not(.mine) .bubble', { hasText: no }).click({ button: 'right' });
    await page.locator('.actions button', { hasText: '引用' }).click();
    expect(await say(page, '撤销')).toBe(`已撤销 ${no}，不再审核`);
    await page.locator('.tools button', { hasText: '新人' }).click();
    await page.fill('dialog input', '小陈');
    await page.locator('dialog .confirm').click();
    await page.locator('.self', { hasText: '小陈' }).waitFor();
    await page.locator('.tools button', { hasText: '建群' }).click();
    await page.fill('dialog .field input', '新楼群');
    await page.locator('dialog .confirm').click();
    await page.locator('.bubble', { hasText: '绑定码' }).waitFor();
    await page.close();
    expect(errors).toEqual([]);
  }, 180_000);

  it('starting over asks first, and brings the demo community back', async () => {
    const page = await be('member-3', 'desktop', 'light');
    await openPlace(page, '网格小助手');
    await say(page, '服务 护学 30分钟');
    await page.locator('.tools button', { hasText: '重置' }).click();
    await Promise.all([page.waitForEvent('load', { timeout: 100_000 }), page.locator('dialog .danger').click()]);
    await page.locator('.list li').first().waitFor();
    await openPlace(page, '网格小助手');
    await page.locator('.empty').waitFor();
    expect(await say(page, '积分')).toMatch(/^积分：/);
    await page.close();
    expect(errors).toEqual([]);
  }, 120_000);
});
