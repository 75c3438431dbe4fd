import { Int32, Long } from 'bson';
import { EngineError } from '../errors.js';
import { type Command, text } from './command.js';
import { sizes } from './sizes.js';
import { assertNotView } from './views.js';

/** Without them a `keyPattern` says nothing. */
const RANGE = ['min', 'max'];

/** https://www.mongodb.com/docs/manual/reference/command/dataSize/ */
export const dataSize: Command = {
  help: 'The bytes of a collection’s documents.',
  fields: { keyPattern: 'object', min: 'object', max: 'object', estimate: 'flag' },
  async run(context) {
    const { command, engine } = context;
    const namespace = text(command, 'dataSize', 'dataSize');
    const dot = namespace.indexOf('.');
    if (dot <= 0) throw new EngineError('InvalidNamespace', `Invalid namespace specified '${namespace}'`);
    const range = RANGE.find((field) => command[field] !== undefined);
    if (range !== undefined)
      throw new EngineError('NotImplemented', `dataSize with '${range}' is not supported by the embedded engine`);
    const started = Date.now();
    const c = engine.catalogue.find(namespace.slice(0, dot), namespace.slice(dot + 1));
    if (c?.options.timeField !== undefined)
      throw new EngineError('CommandNotSupportedOnView', `Namespace ${namespace} is a timeseries collection`);
    if (c) assertNotView(engine.catalogue, c.db, 'dataSize', c.name);
    const { objects, bytes } = await sizes(context, c);
    return {
      size: Long.fromNumber(bytes),
      numObjects: Long.fromNumber(objects),
      millis: new Int32(Date.now() - started),
      estimate: false,
    };
  },
};
