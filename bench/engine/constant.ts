import { createServer } from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';
import { Double, Int32, Long, serialize } from 'bson';

/** A server that answers a constant to everything: what the driver and the socket cost by themselves. A worker, as the engine is. */
const { path } = workerData as { path: string };
const OP_QUERY = 2004;

const hello = serialize({
  helloOk: true,
  ismaster: true,
  isWritablePrimary: true,
  setName: 'constant',
  hosts: [path],
  maxBsonObjectSize: new Int32(16 * 1024 * 1024),
  maxMessageSizeBytes: new Int32(48_000_000),
  maxWriteBatchSize: new Int32(100_000),
  logicalSessionTimeoutMinutes: new Int32(30),
  minWireVersion: new Int32(0),
  maxWireVersion: new Int32(25),
  ok: new Double(1),
});
const found = serialize({
  cursor: {
    firstBatch: [{ _id: new Int32(1), k: 'k1', name: 'a name', text: 'x'.repeat(100), n: new Int32(0) }],
    id: Long.ZERO,
    ns: 'bench.rows',
  },
  ok: new Double(1),
});

function answer(request: Buffer): Buffer {
  const legacy = request.readInt32LE(12) === OP_QUERY;
  const body = legacy || request.includes('hello') || request.includes('ismaster') ? hello : found;
  const head = Buffer.alloc(legacy ? 36 : 21);
  head.writeInt32LE(head.length + body.length, 0);
  head.writeInt32LE(request.readInt32LE(4), 8);
  head.writeInt32LE(legacy ? 1 : 2013, 12);
  if (legacy) head.writeInt32LE(1, 32);
  return Buffer.concat([head, body]);
}

createServer((socket) => {
  let rest: Buffer = Buffer.alloc(0);
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk: Buffer) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    while (rest.length >= 4 && rest.length >= rest.readInt32LE(0)) {
      const request = rest.subarray(0, rest.readInt32LE(0));
      rest = rest.subarray(request.length);
      socket.write(answer(request));
    }
  });
}).listen(path, () => parentPort?.postMessage('ready'));
