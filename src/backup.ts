import { parseArgs } from 'node:util';
import { systemClock } from './clock.js';
import { parseConfig } from './config.js';
import { environment } from './environment.js';
import { backUp } from './store/backup/write.js';
import { joinStore } from './store/connect.js';

/** `npm run backup -- FILE`: the whole store in one file, as it is at this moment; the program may be running. */
const say = (text: string): void => void process.stdout.write(`${text}\n`);

async function main(): Promise<number> {
  const { positionals } = parseArgs({ allowPositionals: true, options: {} });
  const [file, ...more] = positionals;
  if (file === undefined || more.length > 0) {
    say('用法：npm run backup -- 文件.gmbackup\n程序运行时也可以备份。文件里有居民信息，请放在安全的地方。');
    return 2;
  }
  const config = parseConfig(environment());
  const store = await joinStore({ uri: config.MONGODB_URI, folder: config.DATA_DIR, name: config.MONGODB_NAME });
  try {
    const { collections, bytes } = await backUp(store.connection, file, systemClock.now());
    const documents = Object.values(collections).reduce((sum, n) => sum + n, 0);
    say(
      `已备份到 ${file}：${Object.keys(collections).length} 个集合，${documents} 条记录，${Math.ceil(bytes / 1024)} kB`,
    );
    return 0;
  } finally {
    await store.close();
  }
}

try {
  process.exitCode = await main();
} catch (error) {
  process.exitCode = 1;
  if (error instanceof Error && ['FolderInUse', 'BadConfig', 'BadBackup'].includes(error.name)) say(error.message);
  else throw error;
}
