import { parseArgs } from 'node:util';
import { start } from './embedded/index.js';

/** `npm run store -- --data DIR [--port N]`: the embedded engine alone, for tools and conformance suites. */
const given = (): { data?: string; port?: string } => {
  try {
    return parseArgs({ options: { data: { type: 'string' }, port: { type: 'string' } } }).values;
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    return {};
  }
};
const values = given();
if (values.data === undefined) {
  process.stderr.write('usage: npm run store -- --data DIR [--port N]\n');
  process.exit(2);
}
const port = values.port === undefined ? undefined : Number(values.port);
if (port !== undefined && !(Number.isInteger(port) && port >= 0 && port < 65536)) {
  process.stderr.write(`--port takes a number from 0 to 65535, not ${values.port}\n`);
  process.exit(2);
}
const engine = await start({ folder: values.data, ...(port !== undefined && { port }) }).catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
});
process.stdout.write(`${engine.uri}\n`);
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => {
    void engine.stop().then(() => process.exit(0));
  });
