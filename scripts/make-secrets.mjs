// Makes the secrets of docker-compose.yml in secrets/: `node scripts/make-secrets.mjs`. One that is there is kept.
import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const folder = process.argv[2] ?? join(import.meta.dirname, '..', 'secrets');
mkdirSync(folder, { recursive: true, mode: 0o700 });
// The folder shuts everybody else out; the files are read by the containers' own users.
chmodSync(folder, 0o700);

function make(name, text) {
  const file = join(folder, name);
  if (existsSync(file)) {
    process.stdout.write(`kept ${file}\n`);
    return readFileSync(file, 'utf8').trim();
  }
  writeFileSync(file, `${text}\n`, { mode: 0o444, flag: 'wx' });
  process.stdout.write(`made ${file}\n`);
  return text;
}
const random = (bytes) => randomBytes(bytes).toString('base64url');

// https://www.mongodb.com/docs/manual/core/security-internal-authentication/: 6 to 1024 characters of base64.
make('mongo-keyfile', randomBytes(567).toString('base64'));
make('mongo-root-password', random(24));
const password = make('mongo-bot-password', random(24));
make('mongodb-uri', `mongodb://gridmate:${password}@mongo:27017/gridmate?replicaSet=gridmate&authSource=gridmate`);
make('metrics-token', random(24));
