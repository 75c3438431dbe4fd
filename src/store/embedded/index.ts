import { Worker } from 'node:worker_threads';
import type { EngineOptions, Report, RunningEngine } from './server/engine.js';
import { FolderInUse } from './server/folder.js';

export { FolderInUse, type RunningEngine };
export { type Served, servedAt } from './server/served.js';
export { putInPlace } from './storage/replace.js';

export interface StartOptions extends EngineOptions {
  /** `worker`: long reads do not hold up the caller's event loop. `same`: where a worker can't load the source (tests). */
  readonly thread?: 'worker' | 'same';
  /** Is told what failed in the background (removing what has expired); without it the process is warned. */
  readonly report?: Report;
}

/**
 * Starts the embedded engine on a folder; `uri` is what the official driver and Mongoose connect to.
 *
 * @throws {FolderInUse} another process serves the folder
 * @throws Error another format, or a damaged file: says what to do
 */
export async function start({
  thread = 'worker',
  report = (error) => process.emitWarning(error),
  ...options
}: StartOptions): Promise<RunningEngine> {
  // A worker does not load TypeScript: run from source, the engine shares the thread.
  if (thread === 'same' || import.meta.url.endsWith('.ts')) {
    const { startEngine } = await import('./server/engine.js');
    return startEngine(options, report);
  }
  const worker = new Worker(new URL('./worker.js', import.meta.url), { workerData: options });
  const uri = await new Promise<string>((resolve, reject) => {
    worker.once('message', (message: { uri: string } | { refused: string; inUse: boolean }) => {
      if ('uri' in message) resolve(message.uri);
      else reject(message.inUse ? new FolderInUse(message.refused) : new Error(message.refused));
    });
    worker.once('error', reject);
  });
  // A defect that ends the thread ends the program: a store that is silently gone would be worse.
  worker.on('error', (error) => {
    throw error;
  });
  let asked = 0;
  const waiting = new Map<number, { resolve: () => void; reject: (error: Error) => void }>();
  worker.on('message', ({ id, error, trouble }: { id: number; error?: string; trouble?: string }) => {
    if (trouble !== undefined) return report(new Error(trouble));
    const w = waiting.get(id);
    waiting.delete(id);
    if (error === undefined) w?.resolve();
    else w?.reject(new Error(error));
  });
  const ask = (message: object): Promise<void> =>
    new Promise((resolve, reject) => {
      asked += 1;
      waiting.set(asked, { resolve, reject });
      worker.postMessage({ id: asked, ...message });
    });
  return {
    uri,
    backup: (folder) => ask({ backup: folder }),
    async stop() {
      await ask({ stop: true });
      await worker.terminate();
    },
  };
}
