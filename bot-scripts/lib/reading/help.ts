import { z } from 'zod';
import type { Grammar } from '../../../src/bot/grammar.js';
import { bare, isAlone, isGlued, trimmed } from './ends.js';

/** What people ask about, commands to come among them. */
const TOPIC =
  /报到|服务|签到|请假|接龙|通知|统计|微心愿|心愿|上报|任务|学习|预约|积分|排行|待办|申诉|兑换|绑定|补学|通过|驳回|审核|撤销|撤回/;
/** A question about how something is done, not about the thing. */
const HOW =
  /(?:在?哪里?儿?|怎么|如何|咋|怎样)(?:才能|去|来)?(?:弄|办|报|查|看|用|做|搞|操作|填|写|发起?|登记|申请|说|弄啊|提交|绑|签|接|请|报到|签到|兑换|换|认领|退出|取消|撤销|审核|通过|参加|导出|提)[啊呀呢的]?$|需?要(?:填|带|准备|写|交|发)?(?:什么|啥|哪些)\p{Script=Han}{0,3}$|的?(?:格式|步骤|流程|方法)(?:是|有|怎么)?(?:什么|啥|哪些|怎样|样)?的?$|^我?(?:不会|不知道)/u;

const helpSlots = z.object({ topic: z.string().max(20).optional() });

/** 帮助 [word]. */
export const help: Grammar<typeof helpSlots> = {
  intent: 'help',
  words: ['帮助', '帮助菜单', 'help', 'HELP', 'Help', '菜单', '怎么用', '使用说明', '使用帮助', '功能', '说明', '?'],
  slots: helpSlots,
  read(phrase, context) {
    if (phrase.word === '?')
      return context.addressed && isAlone(phrase.rest) ? { intent: 'help', slots: {} } : undefined;
    if (isAlone(phrase.rest)) return { intent: 'help', slots: {} };
    const topic = bare(phrase.rest);
    if (isGlued(phrase.rest) && !context.addressed && TOPIC.exec(topic)?.[0] !== topic) return undefined;
    return /^[\p{L}]{1,8}$/u.test(topic) &&
      (context.addressed || TOPIC.test(topic)) &&
      ['帮助', '菜单', '怎么用', '使用帮助'].includes(phrase.word ?? '')
      ? { intent: 'help', slots: { topic } }
      : undefined;
  },
  readSentence(phrase) {
    const text = bare(phrase.text)
      .replace(/^(?:[你您]好[\s,:]*)?(?:(?:网格)?(?:小助手|机器人))?[\s,:]*/, '')
      .replace(/^(?:教教?我?(?:一下)?|告诉我(?:一下)?)(?=怎么|咋|如何|怎样)/, '');
    if (
      /^(?:都有)?功能(?:都?有(?:哪些|啥|什么)|列表)$/.test(text) ||
      /^(?:这个?|你)?都?能[干做]嘛$/.test(trimmed(phrase.text)) ||
      /^(?:这个?|你)?都?(?:怎么用|怎么使用|咋用|能(?:干|做)(?:什么|啥|嘛|些什么|点啥)|会(?:什么|啥|干啥|做什么)|有(?:什么|啥|哪些)功能|能帮我?(?:干|做)?(?:什么|啥)|不会用|是谁|是干(?:什么|啥|嘛)的?|有(?:什么|啥)用)$/.test(
        text,
      )
    )
      return { intent: 'help', slots: {} };
    const asked =
      /^(?:请问|帮忙|帮我|麻烦|看看|看一?下|问一?下|我|要|想|知道)*(?:怎么|如何|咋|怎样)(\p{Script=Han}{2,6})$/u.exec(
        text,
      )?.[1];
    if (/[加得攒算挣]积?分/.test(asked ?? '')) return undefined;
    const topic = TOPIC.exec(asked ?? '')?.[0] ?? asked ?? (HOW.test(text) ? TOPIC.exec(text)?.[0] : undefined);
    return topic === undefined ? undefined : { intent: 'help', slots: { topic: trimmed(topic) } };
  },
};

/** 我的: who the bot thinks I am. */
export const me: Grammar = {
  intent: 'me.show',
  words: ['我的', '我是谁', '我的信息', '我的资料', '个人信息'],
  slots: z.object({}),
  read: (phrase) => (isAlone(phrase.rest) ? { intent: 'me.show', slots: {} } : undefined),
};

export const exportMine: Grammar = {
  intent: 'me.export',
  words: ['导出我的资料', '导出 我的资料', '导出资料', '导出我的数据', '导出我的信息', '导出个人资料'],
  slots: z.object({}),
  read: (phrase) => (isAlone(phrase.rest) ? { intent: 'me.export', slots: {} } : undefined),
};

export const consoleLink: Grammar = {
  intent: 'console.link',
  words: ['控制台', '打开控制台', '进入控制台', '后台', '打开后台', '管理后台'],
  slots: z.object({}),
  read: (phrase) => (isAlone(phrase.rest) ? { intent: 'console.link', slots: {} } : undefined),
};
