// Completes package-lock.json after `npm install`: some registries lack the binaries of other platforms, npm then leaves
// them out of the lock file without a word, and `npm ci` fails with "Missing: … from lock file". Each absent optional
// dependency gets an entry of name, version and platform, so that `npm ci` skips it where it does not apply.
import { readFileSync, writeFileSync } from 'node:fs';

const file = new URL('../package-lock.json', import.meta.url);
const lock = JSON.parse(readFileSync(file, 'utf8'));
const systems = ['darwin', 'win32', 'linux', 'android', 'freebsd', 'openbsd', 'netbsd', 'sunos', 'aix', 'openharmony'];
const processors = ['x64', 'arm64', 'arm', 'ia32', 'ppc64', 's390x', 'riscv64', 'loong64', 'mips64el', 'wasm32'];

/** os, cpu and libc as the package's own name tells them (`@swc/core-linux-x64-musl`). */
function platformOf(name) {
  const words = name.split(/[-/]/);
  const os = systems.filter((s) => words.includes(s) || (s === 'win32' && words.includes('windows')));
  const cpu = processors.filter(
    (p) => words.includes(p) || words.some((w) => p === 'arm' && /^arm(v7|eabihf)?$/.test(w)),
  );
  const libc = words.some((w) => w.startsWith('musl'))
    ? ['musl']
    : words.some((w) => w.startsWith('gnu'))
      ? ['glibc']
      : [];
  return { ...(os.length && { os }), ...(cpu.length && { cpu }), ...(libc.length && { libc }) };
}

let added = 0;
for (const [path, entry] of Object.entries(lock.packages)) {
  for (const [name, range] of Object.entries(entry.optionalDependencies ?? {})) {
    if (path === '' || lock.packages[`node_modules/${name}`] || lock.packages[`${path}/node_modules/${name}`]) continue;
    const version = range.replace(/^[~^]/, '');
    lock.packages[`node_modules/${name}`] = {
      version,
      ...platformOf(name),
      ...(entry.dev && { dev: true }),
      optional: true,
    };
    added += 1;
  }
}
lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1)));
writeFileSync(file, JSON.stringify(lock, null, 2) + '\n');
process.stdout.write(`package-lock.json: ${added} optional packages of other platforms added\n`);
