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
/** What one connection may hold without a look at the others. */
const LITTLE = 1024 * 1024;

/**
 * One connection: its requests are answered one after the other. A broken frame closes it and nothing else. While a
 * request is answered at most one more chunk is read (64 kB), so a client costs what it has sent in one piece, whatever it sends after.
 * `heavy` is told when that is much.
 */
class Connection {
  readonly #socket: Socket;
  readonly #engine: Engine;
  readonly #id: number;
  readonly #heavy: () => void;
  readonly #framer = new Framer();
  readonly #waiting: Buffer[] = [];
  #working = false;

  constructor(socket: Socket, engine: Engine, id: number, heavy: () => void) {
    this.#socket = socket;
    this.#engine = engine;
    this.#id = id;
    this.#heavy = heavy;
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
    socket.on('error', () => socket.destroy());
    socket.on('close', () => engine.cursors.left(id));
  }

  /** Bytes of requests that are not yet whole, and of answers that are not yet taken. */
  get held(): number {
    return this.#framer.length + this.#socket.writableLength;
  }

  close(): void {
    this.#socket.destroy();
  }

  #look(): void {
    if (this.held > LITTLE) this.#heavy();
  }

  #take(chunk: Buffer): void {
    try {
      this.#waiting.push(...this.#framer.push(chunk));
    } catch {
      this.#socket.destroy();
      return;
    }
    this.#look();
    if (this.#working) this.#socket.pause();
    else if (this.#waiting.length > 0) void this.#work();
  }

  async #work(): Promise<void> {
    this.#working = true;
    try {
      for (let bytes = this.#waiting.shift(); bytes && !this.#socket.destroyed; bytes = this.#waiting.shift())
        await this.#run(parse(bytes));
      if (this.#socket.isPaused()) this.#socket.resume();
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
    const taken = this.#socket.write(answer(request, body));
    this.#look();
    if (!taken && !this.#socket.destroyed)
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

/**
 * Listens on a Unix socket, or on a loopback port. `connectionBytes`: what its connections together may hold.
 *
 * @throws the system's error (EADDRINUSE)
 */
export async function listen(
  engine: Engine,
  at: { path: string } | { port: number; host: string },
  connectionBytes: number,
): Promise<{ server: Server; stop(): Promise<void> }> {
  const connections = new Map<Socket, Connection>();
  let opened = 0;
  /** The one that holds the most, and of several the oldest, makes room for the others. */
  const relieve = (): void => {
    let total = 0;
    let most: Connection | undefined;
    for (const c of connections.values()) {
      total += c.held;
      if (!most || c.held > most.held) most = c;
    }
    if (total > connectionBytes) most?.close();
  };
  const server = createServer((socket) => {
    socket.setNoDelay(true);
    socket.on('close', () => connections.delete(socket));
    opened += 1;
    connections.set(socket, new Connection(socket, engine, opened, relieve));
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
        for (const socket of connections.keys()) socket.destroy();
      }),
  };
}
