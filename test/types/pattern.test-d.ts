import { arg, pattern } from '../../src/bot/pattern.js';

pattern('通知 <no> [text...]', { intent: 'a', args: { no: arg.number(), text: arg.text(10) } });
// @ts-expect-error a placeholder without a type
pattern('通知 <no>', { intent: 'a', args: {} });
// @ts-expect-error a type without a placeholder
pattern('通知 <no>', { intent: 'a', args: { no: arg.number(), more: arg.number() } });
// @ts-expect-error a greedy placeholder before another
pattern('通知 <text...> <no>', { intent: 'a', args: { no: arg.number(), text: arg.text(10) } });
