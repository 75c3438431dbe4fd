import { createServer, type Server, type Socket } from 'node:net';
import type { Engine } from '../commands/command.js';
import { encode } from '../bson/value.js';
import { EngineError } from '../errors.js';
import { answer, errorReply, Framer, parse, type Request } from '../wire/message.js';
import { dispatch } from './dispatch.js';

/** OP_QUERY is for the first hello alone. https://www.mongodb.com/docs/manual/legacy-opcodes/ */
const HANDSHAKE = new Set(['hello', 'isMaster', 'ismaster']);
/** Connections at once; the driver's pool has 100. */
const MAX_CONNECTIONS = 1000;

/**
 * One connection: its requests are answered one after the other. A broken frame closes it and nothing else. While a
 * request is answered nothing more is read, so a client costs what it has sent in one piece, whatever it sends after.
 */
class Connection {
  readonly #socket: Socket;
  readonly #engine: Engine;
  readonly #id: number;
  readonly #framer = new Framer();
  readonly #waiting: Buffer[] = [];
  #working = false;

  constructor(socket: Socket, engine: Engine, id: number) {
    this.#socket = socket;
    this.#engine = engine;
    this.#id = id;
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
    socket.on('error', () => socket.destroy());
  }

  #take(chunk: Buffer): void {
    try {
      this.#waiting.push(...this.#framer.push(chunk));
    } catch {
      this.#socket.destroy();
      return;
    }
    if (this.#waiting.length > 0 && !this.#working) void this.#work();
  }

  async #work(): Promise<void> {
    this.#working = true;
    this.#socket.pause();
    try {
      for (let bytes = this.#waiting.shift(); bytes && !this.#socket.destroyed; bytes = this.#waiting.shift())
        await this.#run(parse(bytes));
      this.#socket.resume();
    } catch {
      // Only what is no message comes here: what a command throws is its answer.
      this.#socket.destroy();
    }
    this.#working = false;
  }

  async #run(request: Request): Promise<void> {
    let body: Uint8Array;
    try {
      const [name = ''] = Object.keys(request.command);
      if (request.legacy && !HANDSHAKE.has(name))
        throw new EngineError(
          'UnsupportedOpQueryCommand',
          `Unsupported OP_QUERY command: ${name}. The client driver may require an upgrade.`,
        );
      const reply = await dispatch(this.#engine, request.command, this.#id);
      body = reply instanceof Uint8Array ? reply : encode(reply);
    } catch (error) {
      body = encode(errorReply(error));
    }
    if (request.silent || !this.#socket.writable) return;
    // A client that does not read its answers gets no further ones made.
    if (!this.#socket.write(answer(request, body)))
      await new Promise<void>((resolve) => {
        const go = (): void => {
          this.#socket.off('drain', go).off('close', go);
          resolve();
        };
        this.#socket.once('drain', go).once('close', go);
      });
  }
}

export interface Listener {
  stop(): Promise<void>;
}

/** Listens on a Unix socket, or on a loopback port. @throws the system's error (EADDRINUSE) */
export async function listen(
  engine: Engine,
  at: { path: string } | { port: number; host: string },
): Promise<{ server: Server; stop(): Promise<void> }> {
  const sockets = new Set<Socket>();
  let connections = 0;
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.on('close', () => sockets.delete(socket));
    connections += 1;
    void new Connection(socket, engine, connections);
  });
  server.maxConnections = MAX_CONNECTIONS;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(at, () => resolve());
  });
  return {
    server,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}
