import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { commands } from '../../../src/store/embedded/commands/index.js';

describe('the engine’s README', () => {
  it('names every command that is answered, and no other, with its own words', () => {
    const readme = readFileSync('src/store/embedded/README.md', 'utf8');
    const rows = [...readme.matchAll(/^\| `(\w+)` \| (.*) \|$/gm)].map(([, name, help]) => [name, help]);
    const wanted = [...commands].map(([name, { help }]) => [name, help]);
    expect(rows).toEqual(wanted);
  });
});
