import { parseArgs } from 'node:util';
import { systemClock } from './clock.js';
import { parseConfig } from './config.js';
import { environment } from './environment.js';
import { createModels } from './domain/models.js';
import { applyRoster, planRoster, type RosterPlan } from './domain/roster/import.js';
import { readSheet, UnreadableSheet } from './domain/roster/sheet.js';
import { automaticBackup } from './store/backup/automatic.js';
import { openStore } from './store/connect.js';
import { migrate } from './store/migrate.js';
import { transact } from './store/transaction.js';

/** `npm run roster -- import FILE [--apply] [--sheet NAME]`: shows what would change; `--apply` changes it, all or nothing. */
const say = (text: string): void => void process.stdout.write(`${text}\n`);
const USAGE =
  '用法：npm run roster -- import 文件.xlsx [--apply] [--sheet 工作表]\n不加 --apply 只看会改什么。程序运行时请用 MONGODB_URI，或先停下再导入。';
const SHOWN = 20;
const fieldNames: Readonly<Record<string, string>> = {
  category: '类别',
  unitName: '网格或楼栋',
  homeOrganisation: '工作单位',
  posts: '职务',
  roles: '权限',
};

function describe(plan: RosterPlan): void {
  say(`新增 ${plan.added.length} 人，更改 ${plan.changed.length} 人，不变 ${plan.unchanged} 人`);
  for (const m of plan.added.slice(0, SHOWN)) say(`  ＋ ${m.name} ${m.unitName}`);
  for (const c of plan.changed.slice(0, SHOWN))
    say(`  ～ ${c.after.name}：${c.fields.map((f) => fieldNames[f] ?? f).join('、')}`);
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { apply: { type: 'boolean', default: false }, sheet: { type: 'string' } },
  });
  const [command, file] = positionals;
  if (command !== 'import' || file === undefined) {
    say(USAGE);
    return 2;
  }
  const sheet = await readSheet(file, values.sheet);
  const config = parseConfig(environment());
  const store = await openStore({ uri: config.MONGODB_URI, folder: config.DATA_DIR, name: config.MONGODB_NAME });
  try {
    const models = createModels(store.connection);
    await migrate(store.connection, {
      backUp: () =>
        automaticBackup(store.connection, { folder: config.DATA_DIR, why: 'before-upgrade', at: systemClock.now() }),
    });
    return await transact(store.connection, async (tx) => {
      const units = await models.units.find({}).session(tx.session).lean();
      const members = await models.members.find({}).session(tx.session).lean();
      const plan = planRoster(sheet, units, members);
      if (plan.errors.length > 0) {
        say(`有 ${plan.errors.length} 处要改，什么也没有导入：`);
        for (const e of plan.errors) say(`  第${e.row}行 ${e.column}列（${e.header}）：${e.problem}`);
        return 1;
      }
      describe(plan);
      if (values.apply) {
        applyRoster(tx, models, plan);
        say('已导入');
      } else say('这是预览，什么也没有改。确认无误后加上 --apply');
      return 0;
    });
  } finally {
    await store.close();
  }
}

try {
  process.exitCode = await main();
} catch (error) {
  process.exitCode = 1;
  if (error instanceof UnreadableSheet || (error instanceof Error && ['FolderInUse', 'BadConfig'].includes(error.name)))
    say(error.message);
  else throw error;
}
