import { z } from 'zod';
import type { Grammar } from '../../../src/bot/grammar.js';
import { parseNumberList } from '../../../src/bot/language/number-lists.js';
import { bare } from './ends.js';

const slots = z.object({ nos: z.array(z.int().positive()).max(50) });

/** 转发稿 [#n …]; alone: of what was entered last. */
export const copyOut: Grammar<typeof slots> = {
  intent: 'copyOut.draft',
  words: ['转发稿', '群发稿', '发群稿'],
  slots,
  read(phrase, context) {
    if (context.place === 'group' && !context.addressed) return undefined;
    const rest = bare(phrase.rest);
    const nos = rest === '' ? phrase.leadingNumbers : parseNumberList(rest);
    return nos && { intent: 'copyOut.draft', slots: { nos: [...nos] } };
  },
};
