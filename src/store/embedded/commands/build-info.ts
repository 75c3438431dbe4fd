import { MAX_DOCUMENT } from '../bson/value.js';
import { type Command, int } from './command.js';
import { VERSION } from './version.js';

export const buildInfo: Command = {
  help: 'The version whose behaviour is followed.',
  fields: {},
  run: () => ({
    version: VERSION,
    gitVersion: 'embedded',
    modules: [],
    javascriptEngine: 'none',
    storageEngines: ['lmdb'],
    versionArray: VERSION.split('.')
      .map((n) => int(Number(n)))
      .concat(int(0)),
    bits: int(64),
    debug: false,
    maxBsonObjectSize: int(MAX_DOCUMENT),
    openssl: { running: 'none', compiled: 'none' },
  }),
};
