import { parseArgs } from 'node:util';
import { systemClock } from './clock.js';
import { parseConfig } from './config.js';
import { environment } from './environment.js';
import { restore } from './store/backup/restore.js';

/** `npm run restore -- FILE [--replace --yes]`: an empty store becomes what the file holds; with `--replace`, any store. */
const say = (text: string): void => void process.stdout.write(`${text}\n`);
const USAGE =
  '用法：npm run restore -- 文件.gmbackup [--replace --yes]\n请先停下程序。只恢复到空的数据库；--replace --yes 用备份替换现有数据（会先自动备份现有数据）。';

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { replace: { type: 'boolean', default: false }, yes: { type: 'boolean', default: false } },
  });
  const [file, ...more] = positionals;
  if (file === undefined || more.length > 0) {
    say(USAGE);
    return 2;
  }
  if (values.replace && !values.yes) {
    say('--replace 会用备份替换现有的全部数据。确认请再加上 --yes；什么也没有改');
    return 2;
  }
  const config = parseConfig(environment());
  const { header, before } = await restore({
    file,
    uri: config.MONGODB_URI,
    folder: config.DATA_DIR,
    name: config.MONGODB_NAME,
    replace: values.replace,
    at: systemClock.now(),
  });
  const documents = Object.values(header.collections).reduce((sum, n) => sum + n, 0);
  say(`已恢复 ${header.createdAt} 的备份：${Object.keys(header.collections).length} 个集合，${documents} 条记录`);
  if (before !== undefined) say(`恢复前的数据已备份到 ${before}`);
  return 0;
}

const EXPECTED = ['FolderInUse', 'BadConfig', 'BadBackup', 'StoreNotEmpty'];
try {
  process.exitCode = await main();
} catch (error) {
  process.exitCode = 1;
  if (error instanceof Error && error.name === 'FolderInUse') say('程序还在运行，请先停下它再恢复；什么也没有改');
  if (error instanceof Error && (EXPECTED.includes(error.name) || ('code' in error && error.code === 'ENOENT')))
    say(error.message);
  else throw error;
}
