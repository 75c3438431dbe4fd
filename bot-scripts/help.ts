import type { CatalogueEntry } from '../src/bot/script.js';
import { consoleLink, exportMine, help } from './lib/reading/help.js';
import { script } from './lib/script.js';

/** A list longer than this is not read on a phone. */
const MAX_LINES = 20;

const line = (e: CatalogueEntry): string => `· ${e.help.example} —— ${e.help.about}`;

export const say = {
  list(entries: readonly CatalogueEntry[], stranger: boolean): string {
    const shown = entries.filter((e) => !e.help.hidden).slice(0, MAX_LINES);
    const titles = [...new Set(shown.map((e) => e.title))];
    const groups = titles.map((title) =>
      [`【${title}】`, ...shown.filter((e) => e.title === title).map(line)].join('\n'),
    );
    const head = stranger ? '您好，我是网格小助手。请先报到，之后可以这样说：' : '您可以这样对我说：';
    return [head, ...groups, '发「帮助 服务」这样的话，看一条命令的详细说明'].join('\n');
  },
  one: ({ words, help: { about, example, mistake } }: CatalogueEntry): string =>
    [
      `【${words[0]}】${about}`,
      `例如：${example}`,
      ...(mistake === undefined ? [] : [`常见错误：${mistake}`]),
      ...(words.length > 1 ? [`也可以说：${words.slice(1, 5).join('、')}`] : []),
    ].join('\n'),
  unknown: (topic: string): string => `没有「${topic}」这个命令。发「帮助」看全部说法`,
};

export default script('帮助', { summary: '能做什么、怎么说', order: 90 }, (on) => {
  on.command(
    help,
    {
      in: 'anywhere',
      role: 'anyone',
      unboundGroup: true,
      help: { example: '帮助', about: '看看能做什么', chip: { label: '帮助', text: '帮助', send: true } },
    },
    async ({ catalogue, role, place }, { topic }) => {
      if (topic === undefined) return say.list(catalogue.list(role, place), role === undefined);
      const entry = catalogue.find(topic);
      return entry ? say.one(entry) : say.unknown(topic);
    },
  );
  on.command(
    exportMine,
    { in: 'private', role: 'member', help: { example: '导出我的资料', about: '我的资料，一份文件', hidden: true } },
    async () => ({ refused: true, messages: [{ to: 'here', text: '自助导出还没有开通，请联系社区书记，一天内给您' }] }),
  );
  on.command(
    consoleLink,
    { in: 'private', role: 'leader', help: { example: '控制台', about: '管理页面的地址', hidden: true } },
    async () => ({
      refused: true,
      messages: [{ to: 'here', text: '管理页面还没有开通，请先用聊天命令：待办、通过、驳回' }],
    }),
  );
});
