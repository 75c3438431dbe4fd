import { type Config, isLoopback } from '../config.js';
import { type ChannelCheck, type Finding, ok, problem, warning } from './finding.js';
import { wechatyCheck } from './wechaty.js';
import { wecomCheck } from './wecom.js';

/** One for each chat network; a channel adds its own. */
export const channelChecks: readonly ChannelCheck[] = [
  {
    name: 'sandbox',
    on: (config) => config.SANDBOX,
    look: (config) =>
      Promise.resolve([
        isLoopback(config.HOST)
          ? ok('通道 sandbox', '试用页面开着，只有本机能打开')
          : warning(
              '通道 sandbox',
              `试用页面在 ${config.HOST} 上开着，能打开的人可以冒充任何人`,
              '正式使用请设 SANDBOX=off',
            ),
      ]),
  },
  wecomCheck,
  wechatyCheck,
];

export async function channels(config: Config, checks: readonly ChannelCheck[] = channelChecks): Promise<Finding[]> {
  const on = checks.filter((c) => c.on(config));
  if (on.length === 0)
    return [
      problem('通道', '一个聊天通道也没有打开', '打开一个通道（见 docs/operating.zh-CN.md），或设 SANDBOX=on 先试用'),
    ];
  return (await Promise.all(on.map((c) => c.look(config)))).flat();
}
