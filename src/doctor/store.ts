import type { Connection } from 'mongoose';
import { createBotModels } from '../bot/models.js';
import { clockText, dayOf, dayText, durationText } from '../calendar.js';
import { Gaps } from '../bot/gaps.js';
import { SandboxPeople } from '../channels/sandbox/people.js';
import { Rooms } from '../channels/wechaty/rooms.js';
import { wecomModels } from '../channels/wecom/models.js';
import { wecomIsOn } from '../channels/wecom/settings.js';
import type { Config } from '../config.js';
import { createModels } from '../domain/models.js';
import { movableClock } from '../movable-clock.js';
import { leaseModel } from '../store/lease.js';
import { Presence } from '../store/presence.js';
import { RESTORE_STATE, SCHEMA_STATE, SCHEMA_VERSION, STATES } from '../store/migrate.js';
import { type Finding, ok, problem, warning } from './finding.js';

const OLDEST_MONGODB = 8;
const NOTABLE_SKEW_MS = 2_000;
const BAD_SKEW_MS = 60_000;

interface State {
  readonly _id: string;
  readonly version?: number;
}

/** What the store says that it is, and whether it takes a write. */
export async function storeState(connection: Connection, what: string): Promise<Finding> {
  const states = connection.collection<State>(STATES);
  if (await states.findOne({ _id: RESTORE_STATE }))
    return problem('数据', '上次恢复没有做完', '再恢复一次：npm run restore -- 备份文件 --replace --yes');
  const version = (await states.findOne({ _id: SCHEMA_STATE }))?.version;
  if (version !== undefined && version > SCHEMA_VERSION)
    return problem(
      '数据',
      `由更新的版本写入（数据版本 ${version}，本程序认识 ${SCHEMA_VERSION}）`,
      '请启动更新的那个版本；要退回旧版本，请恢复升级前的备份（数据目录的 backups 里）',
    );
  await states.updateOne({ _id: 'doctor' }, { $set: { version: SCHEMA_VERSION } }, { upsert: true });
  await states.deleteOne({ _id: 'doctor' });
  if (version === undefined) {
    await connection.dropCollection(STATES);
    return ok('数据', `${what}，能读能写，还是空的`);
  }
  return version < SCHEMA_VERSION
    ? warning('数据', `${what}，数据版本 ${version}，下次启动时升级`, '先做一次备份：npm run backup -- 文件')
    : ok('数据', `${what}，能读能写，数据版本 ${version}`);
}

/** Transactions need a replica set with a primary, and this program MongoDB 8. */
export async function replicaSet(connection: Connection): Promise<Finding[]> {
  const admin = connection.getClient().db('admin');
  const { setName, isWritablePrimary, msg } = await admin.command({ hello: 1 });
  const { version } = await admin.command({ buildInfo: 1 });
  const findings: Finding[] = [];
  if (setName === undefined && msg !== 'isdbgrid')
    findings.push(
      problem(
        '副本集',
        '这个 MongoDB 不是副本集，不能用事务',
        '用 --replSet 启动 mongod，再执行一次 rs.initiate()；见 docs/operating.zh-CN.md',
      ),
    );
  else if (isWritablePrimary !== true)
    findings.push(
      problem('副本集', `${setName} 现在没有可写的主节点`, '在 mongosh 里看 rs.status()，等选出主节点或启动缺少的节点'),
    );
  else findings.push(ok('副本集', setName === undefined ? '分片集群' : `${setName}，主节点可写`));
  findings.push(
    Number(String(version).split('.')[0]) >= OLDEST_MONGODB
      ? ok('MongoDB', String(version))
      : problem('MongoDB', `${version}，太旧`, `请升级到 MongoDB ${OLDEST_MONGODB} 或更新的版本`),
  );
  return findings;
}

interface IndexLike {
  readonly unique?: unknown;
  readonly expireAfterSeconds?: unknown;
}
const indexText = (key: unknown, { unique, expireAfterSeconds }: IndexLike): string =>
  `${JSON.stringify(key)}${unique === true ? ' unique' : ''}${expireAfterSeconds === undefined ? '' : ` ttl ${String(expireAfterSeconds)}`}`;

/** Every index that the program declares is there, as declared: a natural key without its unique index is none. */
export async function indexes(connection: Connection, config: Config): Promise<Finding> {
  createModels(connection);
  createBotModels(connection);
  movableClock(connection);
  leaseModel(connection);
  void new SandboxPeople(connection);
  void new Gaps(connection);
  void new Presence(connection, { onError: () => undefined });
  if (wecomIsOn(config)) wecomModels(connection);
  if (config.WECHATY) void new Rooms(connection);
  const there = new Set((await connection.listCollections()).map((c) => c.name));
  if (!(await connection.collection<State>(STATES).findOne({ _id: SCHEMA_STATE })))
    return ok('索引', '还没有数据，第一次启动时建立');
  const missing: string[] = [];
  let declared = 0;
  for (const model of Object.values(connection.models)) {
    const name = model.collection.collectionName;
    const found = there.has(name) ? await model.collection.indexes() : [];
    const texts = new Set(found.map((i) => indexText(i['key'], i)));
    if (!there.has(name)) missing.push(name);
    for (const [key, options] of model.schema.indexes()) {
      declared += 1;
      const text = indexText(key, options);
      if (there.has(name) && !texts.has(text)) missing.push(`${name} ${text}`);
    }
  }
  return missing.length === 0
    ? ok('索引', `声明的 ${declared} 个都在`)
    : problem(
        '索引',
        `缺少 ${missing.slice(0, 5).join('；')}${missing.length > 5 ? ` 等 ${missing.length} 个` : ''}`,
        '重新启动程序，启动时会补上',
      );
}

/** The store's clock beside this machine's, and whether the program's own was set forward. */
export async function clocks(connection: Connection, config: Config, now: Date): Promise<Finding[]> {
  const before = Date.now();
  const { localTime } = await connection.getClient().db('admin').command({ hello: 1 });
  const skew = localTime instanceof Date ? Math.abs(localTime.getTime() - (before + Date.now()) / 2) : 0;
  const shown = `${dayText(dayOf(now, config.TIME_ZONE))} ${clockText(now, config.TIME_ZONE)}（${config.TIME_ZONE}）`;
  const todo = '请打开两台机器的自动校时（timedatectl set-ntp true）';
  const findings = [
    skew > BAD_SKEW_MS
      ? problem('时钟', `${shown}，和数据库相差 ${Math.round(skew / 1000)} 秒`, todo)
      : skew > NOTABLE_SKEW_MS
        ? warning('时钟', `${shown}，和数据库相差 ${Math.round(skew / 1000)} 秒`, todo)
        : ok('时钟', `${shown}。请看一眼对不对`),
  ];
  const set = await connection.collection<{ _id: string; offsetMs?: number }>('clock').findOne({ _id: 'clock' });
  if ((set?.offsetMs ?? 0) > BAD_SKEW_MS)
    findings.push(
      warning(
        '时钟',
        `试用页面把程序的时钟拨快了${durationText(Math.round((set?.offsetMs ?? 0) / 60_000))}`,
        '正式使用请换一个新的数据目录（DATA_DIR）',
      ),
    );
  return findings;
}
