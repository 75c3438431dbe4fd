// Runs the steps of the Dockerfile by hand, where there is no container engine: `node scripts/check-image.mjs`.
// Each stage is a folder; COPY and RUN are carried out in it. The result is then started as its CMD says, by a user who
// can't write to the code where this script runs as root, asked for its health as its HEALTHCHECK says, and stopped.
import { spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  cpSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, relative } from 'node:path';

const root = join(import.meta.dirname, '..');
const work = mkdtempSync(join(tmpdir(), 'gridmate-image-'));
chmodSync(work, 0o755);
const isRoot = process.getuid?.() === 0;
/** Of no account on this machine, as `node` is none but in the image. */
const RUNNER = 64_123;
const READY_MS = 120_000;

const say = (text) => process.stdout.write(`${text}\n`);
const fail = (text) => {
  throw new Error(text);
};

/** The instructions, a line each: continued lines joined, comments left out. */
const instructions = readFileSync(join(root, 'Dockerfile'), 'utf8')
  .replaceAll(/\\\n/g, ' ')
  .split('\n')
  .filter((line) => /^[A-Z]+ /.test(line))
  .map((line) => [line.slice(0, line.indexOf(' ')), line.slice(line.indexOf(' ') + 1).trim()]);

const ignored = readFileSync(join(root, '.dockerignore'), 'utf8').split('\n').filter(Boolean);
const isIgnored = (path) =>
  ignored.some((pattern) =>
    pattern.includes('*')
      ? new RegExp(`^${pattern.replaceAll('.', '\\.').replaceAll('*', '[^/]*')}$`).test(path)
      : path === pattern || path.startsWith(`${pattern}/`),
  );

const stages = [];
const inStage = (stage, path) =>
  path.startsWith('/') ? join(stage.folder, path) : join(stage.folder, stage.workdir, path);

const steps = {
  FROM(text) {
    const [image, , name] = text.split(' ');
    const stage = { name: name ?? 'final', folder: join(work, `stage-${stages.length}`), workdir: '/', env: {}, image };
    mkdirSync(stage.folder);
    stages.push(stage);
  },
  WORKDIR(text, stage) {
    stage.workdir = text;
    mkdirSync(inStage(stage, text), { recursive: true });
  },
  ENV(text, stage) {
    for (const pair of text.split(' ')) stage.env[pair.slice(0, pair.indexOf('='))] = pair.slice(pair.indexOf('=') + 1);
  },
  COPY(text, stage) {
    const words = text.split(' ');
    const from = words[0].startsWith('--from=') ? stages.find((s) => s.name === words.shift().slice(7)) : undefined;
    const to = inStage(stage, words.pop());
    for (const source of words) {
      const path = from ? inStage(from, source) : join(root, source);
      const isFolder = lstatSync(path).isDirectory();
      const target = isFolder || (words.length === 1 && !/\/$|\.$/.test(text)) ? to : join(to, basename(path));
      cpSync(path, target, {
        recursive: true,
        verbatimSymlinks: true,
        filter: (p) => from !== undefined || p === root || !isIgnored(relative(root, p)),
      });
    }
  },
  RUN(text, stage) {
    const me = `${process.getuid?.() ?? 0}:${process.getgid?.() ?? 0}`;
    const command = text.replaceAll(/(?<=\s)\/(?=data|app)/g, `${stage.folder}/`).replaceAll('node:node', me);
    const done = spawnSync('sh', ['-ec', command], { cwd: inStage(stage, '.'), stdio: 'inherit' });
    if (done.status !== 0) fail(`RUN ${text}: exit code ${done.status}`);
  },
  USER(text, stage) {
    stage.user = text;
  },
  EXPOSE() {},
  HEALTHCHECK(text, stage) {
    stage.health = JSON.parse(text.slice(text.indexOf('CMD ') + 4));
  },
  CMD(text, stage) {
    stage.command = JSON.parse(text);
  },
};

/** Bytes of a folder's files. */
function sizeOf(path) {
  const found = lstatSync(path);
  return found.isDirectory() ? readdirSync(path).reduce((sum, name) => sum + sizeOf(join(path, name)), 0) : found.size;
}

/** Takes everybody's right to write, as an image on a read-only root has none. */
function seal(path) {
  const found = lstatSync(path);
  if (found.isSymbolicLink()) return;
  if (found.isDirectory()) for (const name of readdirSync(path)) seal(join(path, name));
  chmodSync(path, found.mode & 0o555);
}

async function runResult(stage) {
  const code = join(stage.folder, stage.workdir);
  const data = join(stage.folder, 'data');
  seal(code);
  if (isRoot) chownSync(data, RUNNER, RUNNER);
  const options = {
    cwd: code,
    env: { PATH: process.env.PATH, ...stage.env, DATA_DIR: data, PORT: '0', LOG_LEVEL: 'warn' },
    ...(isRoot && { uid: RUNNER, gid: RUNNER }),
  };
  if (isRoot) {
    const write = spawnSync('sh', ['-c', 'touch package.json dist/x'], options);
    if (write.status === 0) fail('the user who runs the program can write to its code');
  }
  const child = spawn(stage.command[0], stage.command.slice(1), options);
  const started = performance.now();
  let out = '';
  const url = await new Promise((resolve, reject) => {
    const take = (chunk) => {
      out += chunk;
      const ready = /ready: (\S+)/.exec(out);
      if (ready) resolve(ready[1]);
    };
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    child.once('exit', (exit) => reject(new Error(`ended with ${exit}: ${out}`)));
    setTimeout(() => reject(new Error(`not ready: ${out}`)), READY_MS).unref();
  }).catch((error) => {
    child.kill('SIGKILL');
    throw error;
  });
  say(`ready after ${Math.round(performance.now() - started)} ms (the demo community is loaded)`);
  const { port } = new URL(url);
  const health = spawnSync(stage.health[0], stage.health.slice(1), { ...options, env: { ...options.env, PORT: port } });
  const doctor = spawnSync('node', ['dist/src/doctor.js'], {
    ...options,
    env: { ...options.env, PORT: port },
    encoding: 'utf8',
  });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  const exit = await ended;
  say(`HEALTHCHECK: exit code ${health.status}; doctor: exit code ${doctor.status}; SIGTERM: exit code ${exit}`);
  if (doctor.status !== 0) say(doctor.stdout + doctor.stderr);
  if (health.status !== 0 || doctor.status !== 0 || exit !== 0) fail('the result does not work');
}

try {
  for (const [name, text] of instructions) {
    const step = steps[name] ?? fail(`this check does not know ${name}`);
    say(`${name} ${text}`);
    step(text, stages.at(-1));
  }
  const final = stages.at(-1);
  if (!final.user || final.user === 'root') fail('the program would run as root');
  for (const part of ['node_modules', 'dist'])
    say(`${part}: ${(sizeOf(join(final.folder, final.workdir, part)) / 1024 / 1024).toFixed(0)} MB`);
  await runResult(final);
  say('the steps of the image work');
} finally {
  rmSync(work, { recursive: true, force: true });
}
