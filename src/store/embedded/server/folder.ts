import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve as absolute } from 'node:path';

/** A longer path is cut silently when it is bound. */
const MAX_SOCKET_PATH = 103;

/** The folder is another process's. */
export class FolderInUse extends Error {
  override readonly name = 'FolderInUse';
}

const answers = (path: string): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });

/** A socket that only the process that serves the folder listens on tells whether it lives; a killed one's answers no more. */
export async function claim(folder: string): Promise<{ path: string; release: () => void }> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const pointer = join(folder, 'SOCKET');
  const holder = existsSync(pointer) ? readFileSync(pointer, 'utf8').split('\n') : [];
  const [path = '', pid = ''] = holder;
  const inUse = (): FolderInUse =>
    new FolderInUse(
      `The data folder ${folder} is in use by ${pid === '' ? 'another process' : `process ${pid}`}: stop it first, or set DATA_DIR to another folder.`,
    );
  const lock = await lockFolder(folder);
  if (lock === 'taken') throw inUse();
  if (path !== '' && (await answers(path))) {
    lock?.close();
    throw inUse();
  }
  if (path !== '') rmSync(path, { force: true });
  // A client may be run in another folder.
  const wanted = absolute(folder, 'store.sock');
  const fits = Buffer.byteLength(wanted) <= MAX_SOCKET_PATH && !wanted.includes('%');
  const socket = fits ? wanted : join(mkdtempSync(join(tmpdir(), 'gridmate-')), 'store.sock');
  rmSync(socket, { force: true });
  writeFileSync(pointer, `${socket}\n${process.pid}\n`, { mode: 0o600 });
  return {
    path: socket,
    release() {
      rmSync(pointer, { force: true });
      lock?.close();
    },
  };
}

/**
 * Where the system has sockets without a file (Linux), the name of one made from the folder is an exact lock: two that
 * start at the same moment can't both have it, and it ends with its process.
 */
function lockFolder(folder: string): Promise<Server | 'taken' | undefined> {
  if (process.platform !== 'linux') return Promise.resolve(undefined);
  const { dev, ino } = statSync(folder);
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' ? resolve('taken') : reject(error),
    );
    server.listen(`\0gridmate-store-${dev}-${ino}`, () => resolve(server.unref()));
  });
}
