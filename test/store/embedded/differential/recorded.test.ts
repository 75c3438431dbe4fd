import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { running } from '../running.js';
import { OTHER, perform, prepare, shown, state } from './perform.js';
import { answerOf, brief, read, writes } from './recording.js';

const scenes = read(readFileSync(join('test', 'store', 'embedded', 'differential', 'recorded.ejson'), 'utf8'));

/** record.ts made the answers: the second server's, but for those that a verdict in verdicts.ts corrects. */
describe('the recorded answers of the second server', () => {
  it(`are ours: ${scenes.reduce((n, s) => n + s.steps.length, 0)} operations in ${scenes.length} scenes`, async () => {
    const { db } = await running();
    await db.collection('other').insertMany(OTHER.map((d) => ({ ...d })));
    const wrong: string[] = [];
    for (const scene of scenes) {
      const indexes = await prepare(db, { ...scene, operations: [] }, true);
      for (const { operation, answer, stored } of scene.steps) {
        const given = await perform(db, operation, true, indexes);
        const after = writes(operation) ? brief(shown(await state(db))) : undefined;
        if (answerOf(given) !== answer || after !== stored)
          wrong.push(
            `${shown(operation)}\n  gave ${shown(given)}\n  not  ${answer}${after === stored ? '' : ' (stored otherwise)'}`,
          );
      }
    }
    expect(wrong).toEqual([]);
  }, 180_000);
});
