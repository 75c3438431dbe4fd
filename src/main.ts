import { pino } from 'pino';
import { startApp } from './app.js';
import { BadConfig, parseConfig } from './config.js';
import { environment } from './environment.js';
import { createLog } from './log.js';
import { FolderInUse } from './store/embedded/index.js';

const say = (text: string): void => void process.stdout.write(`${text}\n`);
const fail = (text: string, code: number): never => {
  process.stderr.write(`${text}\n`);
  process.exit(code);
};

/** Exit codes: 2 a setting is wrong, 3 the address or the data folder is taken, 1 anything else. */
function explain(error: unknown): never {
  if (error instanceof BadConfig) return fail(`设置有误 / wrong settings:\n${error.message}`, 2);
  if (error instanceof FolderInUse || (error instanceof Error && error.name === 'FolderInUse'))
    return fail(`数据目录正被另一个程序使用，请先停下它，或把 DATA_DIR 设到另一个目录\n${error.message}`, 3);
  if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE')
    return fail(`端口已被占用 / the port is taken: set PORT to another one, for example PORT=3001`, 3);
  return fail(
    `启动失败 / could not start: ${error instanceof Error ? `${error.message}${error.cause instanceof Error ? `\n${error.cause.stack ?? error.cause.message}` : ''}\n${error.stack ?? ''}` : String(error)}`,
    1,
  );
}

try {
  const config = parseConfig(environment());
  const log = createLog(config.LOG_LEVEL, pino.destination(2));
  const app = await startApp(config, log);
  if (app.demoLoaded)
    say(
      '已装入演示社区（滨河街道幸福社区，四个网格、约200人）；不要演示数据请设 DEMO=off\nThe demo community was loaded; DEMO=off starts empty',
    );
  say(`网格小助手已启动 / GridMate is ready: ${app.url}`);
  let stopping = false;
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.on(signal, () => {
      if (stopping) return;
      stopping = true;
      app.stop().then(
        () => process.exit(0),
        (err: unknown) => {
          log.error({ err }, 'stop failed');
          process.exit(1);
        },
      );
    });
} catch (error) {
  explain(error);
}
