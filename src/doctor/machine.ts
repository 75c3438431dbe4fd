import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { z } from 'zod';
import { root } from '../paths.js';
import { type Finding, ok, problem, warning } from './finding.js';

const MB = 1024 * 1024;
const LITTLE_BYTES = 1024 * MB;
const TOO_LITTLE_BYTES = 200 * MB;
/** Where Linux, macOS and Windows keep fonts with Chinese characters. */
const FONT_FOLDERS = ['/usr/share/fonts', '/usr/local/share/fonts', '/System/Library/Fonts', 'C:\\Windows\\Fonts'];
const CHINESE_FONT = /(?:cjk|notosanssc|sourcehan|wqy|pingfang|msyh|simsun|simhei)/i;

const Package = z.object({ engines: z.object({ node: z.string() }) });

export function nodeVersion(version: string): Finding {
  const { engines } = Package.parse(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')));
  const numbers = (text: string): number[] => text.replace(/^\D+/, '').split('.').map(Number);
  const [major = 0, minor = 0] = numbers(engines.node);
  const [ownMajor = 0, ownMinor = 0] = numbers(version);
  const fits = ownMajor > major || (ownMajor === major && ownMinor >= minor);
  return fits
    ? ok('Node', version)
    : problem('Node', `${version}，太旧`, `请安装 Node ${engines.node.replace('>=', '')} 或更新的版本（长期支持版）`);
}

/** The folder, or the one above in which it will be made. */
function existing(folder: string): string {
  for (let at = resolve(folder); ; at = dirname(at)) if (existsSync(at) || dirname(at) === at) return at;
}

export async function disk(folder: string): Promise<Finding> {
  const { bavail, bsize } = await statfs(existing(folder));
  const free = bavail * bsize;
  const found = `${folder} 所在的磁盘还有 ${(free / LITTLE_BYTES).toFixed(1)} GB`;
  const todo =
    '请清理磁盘，或把 DATA_DIR 设到更大的磁盘上（先停下程序，再整个移过去）；磁盘写满时程序会停止登记，不会丢已登记的';
  if (free < TOO_LITTLE_BYTES) return problem('磁盘', found, todo);
  return free < LITTLE_BYTES ? warning('磁盘', found, todo) : ok('磁盘', found);
}

/** Undefined: there is nothing of that name; `none`: it is no folder, or shut to this user. */
function namesIn(folder: string): readonly string[] | 'none' | undefined {
  if (!existsSync(folder)) return undefined;
  try {
    return readdirSync(folder);
  } catch {
    return 'none';
  }
}

/** Who else on this machine can read the data: nobody should. */
export function fileModes(folder: string, secrets: readonly string[]): Finding[] {
  if (process.platform === 'win32') return [];
  const findings: Finding[] = [];
  const names = namesIn(folder);
  if (names === 'none')
    findings.push(
      problem('文件权限', `${folder} 不是文件夹，或者本用户打不开`, '请把 DATA_DIR 设到运行程序的用户自己的文件夹'),
    );
  else if (names) {
    const others = (path: string): number => (statSync(path, { throwIfNoEntry: false })?.mode ?? 0) & 0o077;
    // A folder that is shut shuts what is in it.
    const ajar =
      others(folder) === 0
        ? []
        : [folder, ...names.map((name) => join(folder, name))].filter((path) => others(path) !== 0);
    if (ajar.length > 0)
      findings.push(
        problem(
          '文件权限',
          `别的用户能读 ${ajar.slice(0, 3).join('、')}${ajar.length > 3 ? ` 等 ${ajar.length} 个` : ''}`,
          `chmod -R go= ${folder}`,
        ),
      );
    if (process.getuid && statSync(folder).uid !== process.getuid())
      findings.push(
        warning(
          '文件权限',
          `${folder} 属于另一个用户`,
          `请用运行程序的用户来检查；或 chown -R 运行程序的用户 ${folder}`,
        ),
      );
    if (findings.length === 0) findings.push(ok('文件权限', `${folder} 只有本用户能读`));
  }
  // In a container only the container's own users see them.
  for (const file of secrets.filter((f) => !f.startsWith('/run/secrets/')))
    if ((statSync(file, { throwIfNoEntry: false })?.mode ?? 0) & 0o007)
      findings.push(warning('文件权限', `密钥文件 ${file} 所有用户都能读`, `chmod o= ${file}`));
  return findings;
}

/** Pictures with Chinese words need a font that has them; without one the words are missing, with no error. */
export function fonts(): Finding {
  const listed = spawnSync('fc-list', [':lang=zh', 'family'], { encoding: 'utf8' });
  const [family] = (listed.stdout ?? '').split('\n').filter(Boolean);
  if (family !== undefined) return ok('字体', family.split(',')[0] ?? family);
  const file = FONT_FOLDERS.filter((f) => existsSync(f))
    .flatMap((f) => readdirSync(f, { recursive: true }).map(String))
    .find((name) => CHINESE_FONT.test(name));
  return file !== undefined
    ? ok('字体', file)
    : warning(
        '字体',
        '没有找到中文字体，图片里的汉字会显示不出来',
        'apt-get install fonts-noto-cjk（或安装任一中文字体），然后重新启动',
      );
}
