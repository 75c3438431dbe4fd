// Builds what is out of date: the program (dist/) and the page (dist/ui). `--force` builds all.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const bin = (name) => join(root, 'node_modules', '.bin', name);

/** A hash of names and contents: the same sources need no build, wherever they were copied from. */
function hashOf(paths) {
  const hash = createHash('sha256');
  const visit = (path) => {
    const found = statSync(path);
    if (found.isDirectory()) for (const name of readdirSync(path).toSorted()) visit(join(path, name));
    else hash.update(path.slice(root.length)).update(readFileSync(path));
  };
  for (const path of paths) if (existsSync(join(root, path))) visit(join(root, path));
  return hash.digest('hex');
}

function build(what, sources, command, args, clean) {
  const stamp = join(root, 'dist', `.${what}`);
  const hash = hashOf([...sources, 'package-lock.json']);
  if (!process.argv.includes('--force') && existsSync(stamp) && readFileSync(stamp, 'utf8') === hash) return;
  rmSync(stamp, { force: true });
  clean();
  const done = spawnSync(command, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
  if (done.status !== 0) process.exit(done.status ?? 1);
  mkdirSync(join(root, 'dist'), { recursive: true });
  writeFileSync(stamp, hash);
}

build(
  'program',
  ['src', 'bot-scripts', 'bench', 'tsconfig.base.json', 'tsconfig.build.json'],
  bin('tsc'),
  ['-p', 'tsconfig.build.json', '--noCheck'],
  () => {
    for (const part of ['src', 'bot-scripts', 'bench'])
      rmSync(join(root, 'dist', part), { recursive: true, force: true });
  },
);
if (existsSync(join(root, 'src/web/ui/vite.config.ts')))
  build(
    'page',
    ['src/web/ui'],
    bin('vite'),
    ['build', '--config', 'src/web/ui/vite.config.ts', '--logLevel', 'warn'],
    () => undefined,
  );
