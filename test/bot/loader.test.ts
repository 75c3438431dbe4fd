import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { loadScripts } from '../../src/bot/loader.js';
import { arg, pattern } from '../../src/bot/pattern.js';
import { buildRegistry } from '../../src/bot/registry.js';
import { scriptsFor } from '../../src/bot/script.js';

const script = scriptsFor();
const says = (word: string, intent: string) =>
  script(intent, { summary: '' }, (on) => {
    on.command(
      pattern(`${word} <who>`, { intent, args: { who: arg.text(10) } as never }) as never,
      { in: 'anywhere', role: 'anyone', help: { example: word, about: word } },
      async () => '',
    );
  });

describe('loading what people can say', () => {
  let folder: string | undefined;
  afterEach(async () => {
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });

  it('two scripts that claim one word fail, with both names', () => {
    const scripts = [
      { file: 'bot-scripts/a.ts', definition: says('问好', 'a'), errors: {} },
      { file: 'bot-scripts/b.ts', definition: says('问好', 'b'), errors: {} },
    ];
    expect(() => buildRegistry(scripts, [])).toThrow(
      'the word 问好 is claimed by both bot-scripts/a.ts and bot-scripts/b.ts',
    );
  });

  it('a file that exports no script stops the start and is named', async () => {
    folder = await mkdtemp(join(tmpdir(), 'gridmate-scripts-'));
    await writeFile(join(folder, 'odd.js'), 'export const nothing = 1;');
    await expect(loadScripts(folder)).rejects.toThrow('bot-scripts/odd.js exports no script');
  });

  it('a pattern asks for what is missing and takes the rest of the line', () => {
    const grammar = pattern('通知 <no> [text...]', {
      intent: 'notice',
      args: { no: arg.number(), text: arg.text(10) },
    });
    const phrase = { text: '', lines: [], word: '通知', mentions: [], quote: undefined, leadingNumbers: [] };
    const context = {
      now: new Date(),
      zone: 'Asia/Shanghai',
      place: 'private' as const,
      addressed: true,
      role: 'member',
      names: { has: () => false, prefixOf: () => undefined },
      open: 'asWritten' as const,
    };
    expect(grammar.read({ ...phrase, rest: '' }, context)).toEqual({ intent: 'ask', slots: { missing: ['no'] } });
    expect(grammar.read({ ...phrase, rest: ' #12 明天 停水' }, context)).toEqual({
      intent: 'notice',
      slots: { no: '#12', text: '明天 停水' },
    });
    expect(grammar.read({ ...phrase, rest: '书寄到了吗' }, context)).toBeUndefined();
    expect(grammar.slots.parse({ no: '#12' })).toEqual({ no: 12 });
  });
});
