import { expect, it } from '@jest/globals';
import type { Document } from 'bson';
import { byHand, running } from '../running.js';

/** What is sent, and the code it is refused with; 0: it is taken. */
export type Case = readonly [name: string, command: Document, code: number, db?: string];

/** The code of an answer: the command's, or its first statement's; 0: it was done. */
const codeOf = (answer: Document): number =>
  answer['ok'] === 1 ? ((answer['writeErrors'] as Document[] | undefined)?.[0]?.['code'] ?? 0) : answer['code'];

/** One test for a list of cases: each is sent to a store that holds `documents` in the collection `c`. */
export function refuses(
  name: string,
  cases: readonly Case[],
  documents: readonly Document[] = [{ _id: 1, x: 'a' }],
): void {
  it(name, async () => {
    const { engine } = await running();
    const send = await byHand(engine.uri);
    await send({ insert: 'c', documents });
    const wrong: string[] = [];
    for (const [about, command, code, db] of cases) {
      const answer = await send({ ...command, ...(db !== undefined && { $db: db }) });
      if (codeOf(answer) !== code) wrong.push(`${about}: ${codeOf(answer)} ${answer['errmsg'] ?? ''}, not ${code}`);
    }
    expect(wrong).toEqual([]);
  });
}
