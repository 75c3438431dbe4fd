import { parentPort, workerData } from 'node:worker_threads';
import { type EngineOptions, startEngine } from './server/engine.js';

/** The engine's thread: started by index.ts, which asks it to back up and to stop. */
const running = await startEngine(workerData as EngineOptions);
parentPort?.postMessage({ uri: running.uri });
parentPort?.on('message', (message: { id: number; backup?: string; stop?: true }) => {
  const work = message.stop ? running.stop() : running.backup(message.backup ?? '');
  work.then(
    () => parentPort?.postMessage({ id: message.id }),
    (error: unknown) =>
      parentPort?.postMessage({ id: message.id, error: error instanceof Error ? error.message : String(error) }),
  );
});
