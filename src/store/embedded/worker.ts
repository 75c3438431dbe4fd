import { parentPort, workerData } from 'node:worker_threads';
import { type EngineOptions, type RunningEngine, startEngine } from './server/engine.js';
import { FolderInUse } from './server/folder.js';

/** The engine's thread: started by index.ts, which asks it to back up and to stop. */
const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

function obey(running: RunningEngine): void {
  parentPort?.postMessage({ uri: running.uri });
  parentPort?.on('message', (message: { id: number; backup?: string; stop?: true }) => {
    const work = message.stop ? running.stop() : running.backup(message.backup ?? '');
    work.then(
      () => parentPort?.postMessage({ id: message.id }),
      (error: unknown) => parentPort?.postMessage({ id: message.id, error: textOf(error) }),
    );
  });
}

const report = (error: Error): void => parentPort?.postMessage({ trouble: `${error.message}: ${textOf(error.cause)}` });

await startEngine(workerData as EngineOptions, report).then(obey, (error: unknown) =>
  parentPort?.postMessage({ refused: textOf(error), inUse: error instanceof FolderInUse }),
);
