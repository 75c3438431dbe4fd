import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { root } from '../../../../src/paths.js';

/** The engine as a process of its own, to be killed. */
export interface Program {
  readonly uri: string;
  kill(): Promise<void>;
}

const living = new Set<ChildProcess>();

/** Starts the built engine on a folder. @throws Error it ended before it was ready: what it said */
export function startProgram(folder: string): Promise<Program> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(root, 'dist/src/store/serve.js'), '--data', folder], {
      env: { PATH: process.env['PATH'] ?? '' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    living.add(child);
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
    const ended = new Promise<void>((done) => child.once('exit', () => done()));
    child.once('exit', (code) => {
      living.delete(child);
      reject(new Error(`ended with ${code}: ${said}`));
    });
    createInterface({ input: child.stdout }).once('line', (uri) =>
      resolve({
        uri,
        async kill() {
          child.kill('SIGKILL');
          await ended;
        },
      }),
    );
  });
}

/** Ends what a failed test left. */
export function killAll(): void {
  for (const child of living) child.kill('SIGKILL');
}
