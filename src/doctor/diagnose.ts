import { existsSync } from 'node:fs';
import { BadConfig, type Config, parseConfig, secretFiles } from '../config.js';
import { ENV_FILE } from '../environment.js';
import { joinStore } from '../store/connect.js';
import { channels } from './channels.js';
import { type Finding, ok, problem, warning } from './finding.js';
import { disk, fileModes, fonts, nodeVersion } from './machine.js';
import { clocks, indexes, replicaSet, storeState } from './store.js';

const ANSWER_MS = 3_000;

/**
 * Looks at everything that the program needs, beside a running program as well; leaves the data as it was. Each finding tells the
 * operator what to do. Never rejects for what it finds.
 */
export async function diagnose(
  env: Readonly<Record<string, string | undefined>>,
  { now, thread = 'worker' }: { now: Date; thread?: 'worker' | 'same' },
): Promise<Finding[]> {
  const findings: Finding[] = [nodeVersion(process.versions.node)];
  let config: Config;
  try {
    config = parseConfig(env);
  } catch (error) {
    if (!(error instanceof BadConfig)) throw error;
    return [
      ...findings,
      ...error.message.split('\n').map((m) => problem('设置', m, '改好这个环境变量（全部设置见 .env.example）')),
      fonts(),
    ];
  }
  findings.push(ok('设置', '都对'), await disk(config.DATA_DIR));
  findings.push(...fileModes(config.DATA_DIR, [...secretFiles(env), ENV_FILE]));
  const { found, heldBy } = await store(config, { now, thread });
  return [...findings, ...found, await program(config, heldBy), ...(await channels(config)), fonts()];
}

async function store(
  config: Config,
  { now, thread }: { now: Date; thread: 'worker' | 'same' },
): Promise<{ found: Finding[]; heldBy: number | undefined }> {
  const { MONGODB_URI: uri, DATA_DIR: folder, MONGODB_NAME: name } = config;
  if (uri === undefined && !existsSync(folder))
    return { found: [ok('数据', `${folder} 还没有，第一次启动时建立`)], heldBy: undefined };
  try {
    const opened = await joinStore({ uri, folder, name, thread });
    try {
      const { connection, heldBy } = opened;
      const what = uri === undefined ? `内置数据库 ${folder}` : `MongoDB 数据库 ${name}`;
      const found = [await storeState(connection, what)];
      if (uri !== undefined) found.push(...(await replicaSet(connection)));
      found.push(await indexes(connection, config), ...(await clocks(connection, config, now)));
      return { found, heldBy };
    } finally {
      await opened.close();
    }
  } catch (error) {
    const why = withoutCredentials(error instanceof Error ? error.message : String(error));
    const todo =
      uri === undefined
        ? '按上面的说明处理；数据文件损坏时，请把最近的备份恢复到一个新的 DATA_DIR（npm run restore）'
        : '看看 MongoDB 是否在运行、MONGODB_URI 的地址、用户名和密码是否正确、网络是否通';
    return { found: [problem('数据', `打不开：${why}`, todo)], heldBy: undefined };
  }
}

const withoutCredentials = (text: string): string => text.replaceAll(/\/\/[^/@\s]*@/g, '//***@');

/** Asks the running program itself, where one answers. */
async function program(config: Config, heldBy: number | undefined): Promise<Finding> {
  const host = config.HOST === '0.0.0.0' || config.HOST === '::' ? '127.0.0.1' : config.HOST;
  const address = `http://${host.includes(':') ? `[${host}]` : host}:${config.PORT}/readyz`;
  try {
    const answer = await fetch(address, { signal: AbortSignal.timeout(ANSWER_MS) });
    if (answer.ok) return ok('程序', `正在运行，${address} 应答正常`);
    return problem(
      '程序',
      `${address} 应答 ${answer.status}：${(await answer.text()).slice(0, 200)}`,
      '按应答里说的处理，再看日志；必要时重新启动',
    );
  } catch {
    return heldBy === undefined
      ? ok('程序', '没有在运行')
      : warning(
          '程序',
          `进程 ${heldBy} 占着数据目录，但 ${address} 没有应答`,
          `可能正在启动，或 PORT 设得不一样；长时间没有应答请重新启动进程 ${heldBy}`,
        );
  }
}
