import { z } from 'zod';
import type { Grammar } from '../../../src/bot/grammar.js';
import { findUnit } from '../../../src/bot/language/places.js';
import { bare, isAlone, isGlued, isQuestion, trimmed } from './ends.js';

const bindSlots = z.object({ code: z.string().regex(/^[A-Z0-9]{6}$/) });

/** 绑定 <code>. */
export const bind: Grammar<typeof bindSlots> = {
  intent: 'group.bind',
  words: ['绑定', '绑定群', '绑定本群'],
  slots: bindSlots,
  read(phrase, context) {
    const code = trimmed(phrase.rest).replaceAll(' ', '').toUpperCase();
    if (/^[A-Z0-9]{6}$/.test(code)) return { intent: 'group.bind', slots: { code } };
    return isAlone(phrase.rest) && (context.addressed || phrase.rest === '')
      ? { intent: 'ask', slots: { missing: ['code'] } }
      : undefined;
  },
  answer(_kept, phrase) {
    const code = trimmed(phrase.text).replaceAll(' ', '').toUpperCase();
    return /^[A-Z0-9]{6}$/.test(code) ? { intent: 'group.bind', slots: { code } } : undefined;
  },
};

const codeSlots = z.object({ unit: z.string().max(30) });

/** 绑定码 <unit>. */
export const bindingCode: Grammar<typeof codeSlots> = {
  intent: 'group.code',
  words: ['绑定码', '生成绑定码'],
  slots: codeSlots,
  read(phrase) {
    const text = bare(phrase.rest);
    if (text === '') return { intent: 'ask', slots: { missing: ['unit'] } };
    // A code where a unit belongs: the group is to be bound with it.
    const code = text.replaceAll(' ', '').toUpperCase();
    if (/^(?=.*\d)(?=.*[A-Z])[A-Z0-9]{6}$/.test(code)) return { intent: 'group.bind', slots: { code } };
    if (isQuestion(phrase.rest)) return undefined;
    const unit = findUnit(text)?.name ?? (isGlued(phrase.rest) ? undefined : text);
    if (unit === undefined) return undefined;
    return unit.length <= 30 ? { intent: 'group.code', slots: { unit } } : undefined;
  },
  answer: (_kept, phrase) => ({
    intent: 'group.code',
    slots: { unit: (findUnit(phrase.text)?.name ?? trimmed(phrase.text)).slice(0, 30) },
  }),
};

const makeSlots = z.object({ unit: z.string().max(30) });

/** 建群 <unit>. */
export const makeGroup: Grammar<typeof makeSlots> = {
  intent: 'group.make',
  words: ['建群'],
  slots: makeSlots,
  read(phrase, context) {
    if (!context.addressed) return undefined;
    const text = bare(phrase.rest);
    if (text === '') return { intent: 'ask', slots: { missing: ['unit'] } };
    const unit = findUnit(text)?.name ?? text;
    return unit.length <= 30 ? { intent: 'group.make', slots: { unit } } : undefined;
  },
  answer: (_kept, phrase) => ({
    intent: 'group.make',
    slots: { unit: (findUnit(phrase.text)?.name ?? trimmed(phrase.text)).slice(0, 30) },
  }),
};

const unbindSlots = z.object({ confirmed: z.boolean().optional() });

/** 解绑: asks once. */
export const unbind: Grammar<typeof unbindSlots> = {
  intent: 'group.unbind',
  words: ['解绑', '解除绑定'],
  slots: unbindSlots,
  read: (phrase) => (isAlone(phrase.rest) ? { intent: 'group.unbind', slots: {} } : undefined),
  answer: (_kept, phrase) =>
    /^(?:确认|是|对|好|好的|是的|解绑|确认解绑)$/.test(bare(phrase.text))
      ? { intent: 'group.unbind', slots: { confirmed: true } }
      : undefined,
};
