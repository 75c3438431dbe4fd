import { existsSync, readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';

/** In the working folder. */
export const ENV_FILE = '.env';

/** The process's environment; what `.env` says is added, and never takes the place of what is set. */
export const environment = (): Readonly<Record<string, string | undefined>> => ({
  ...(existsSync(ENV_FILE) && parseEnv(readFileSync(ENV_FILE, 'utf8'))),
  ...process.env,
});
