import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { root } from '../src/paths.js';

/** The built program, in a process of its own. */
export interface Program {
  readonly url: string;
  readonly child: ChildProcess;
}

/** Programs that a test starts and kills, with the same settings each time. */
export class Programs {
  readonly #env: () => Readonly<Record<string, string>>;
  readonly #running = new Set<ChildProcess>();

  constructor(env: () => Readonly<Record<string, string>>) {
    this.#env = env;
  }

  /** Resolves when it is ready. */
  start(): Promise<Program> {
    return new Promise((resolve, reject) => {
      const child = spawn(process.execPath, [join(root, 'dist/src/main.js')], {
        env: { PATH: process.env['PATH'] ?? '', PORT: '0', LOG_LEVEL: 'error', ...this.#env() },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      this.#running.add(child);
      let out = '';
      const take = (chunk: Buffer): void => {
        out += chunk.toString();
        const url = /ready: (http:\S+)/.exec(out)?.[1];
        if (url !== undefined) resolve({ url, child });
      };
      child.stdout.on('data', take);
      child.stderr.on('data', take);
      child.once('exit', (code) => {
        this.#running.delete(child);
        reject(new Error(`ended with ${code}: ${out}`));
      });
    });
  }

  /** Resolves when it is gone. */
  kill({ child }: Program, signal: NodeJS.Signals): Promise<void> {
    return new Promise((resolve) => {
      child.once('exit', () => resolve());
      child.kill(signal);
    });
  }

  /** Whatever a failed test has left. */
  end(): void {
    for (const child of this.#running) child.kill('SIGKILL');
  }
}
