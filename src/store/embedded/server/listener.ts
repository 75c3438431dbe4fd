import { createServer, type Server, type Socket } from 'node:net';
import type { Engine } from '../commands/command.js';
import { encode } from '../bson/value.js';
import { answer, BrokenFrame, errorReply, Framer, parse, type Request } from '../wire/message.js';
import { dispatch } from './dispatch.js';

/** Requests that one connection may have waiting; the driver never has more than one. */
const MAX_WAITING = 64;

/** One connection: its requests are answered one after the other. A broken frame closes it and nothing else. */
class Connection {
  readonly #socket: Socket;
  readonly #engine: Engine;
  readonly #id: number;
  readonly #framer = new Framer();
  #tail: Promise<void> = Promise.resolve();
  #waiting = 0;

  constructor(socket: Socket, engine: Engine, id: number) {
    this.#socket = socket;
    this.#engine = engine;
    this.#id = id;
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
    socket.on('error', () => socket.destroy());
  }

  #take(chunk: Buffer): void {
    try {
      for (const bytes of this.#framer.push(chunk)) {
        const request = parse(bytes);
        if (this.#waiting >= MAX_WAITING) throw new BrokenFrame('too many requests at once');
        this.#waiting += 1;
        this.#tail = this.#tail.then(() => this.#run(request));
      }
    } catch (error) {
      if (!(error instanceof BrokenFrame)) throw error;
      this.#socket.destroy();
    }
  }

  async #run(request: Request): Promise<void> {
    let body: Uint8Array;
    try {
      const reply = await dispatch(this.#engine, request.command, this.#id);
      body = reply instanceof Uint8Array ? reply : encode(reply);
    } catch (error) {
      body = encode(errorReply(error));
    }
    this.#waiting -= 1;
    if (!request.silent && this.#socket.writable) this.#socket.write(answer(request, body));
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
