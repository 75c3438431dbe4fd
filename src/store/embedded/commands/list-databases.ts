import { Long } from 'bson';
import { type Doc } from '../bson/value.js';
import { compileFilter } from '../query/match.js';
import { SYSTEM_DATABASES } from '../storage/catalogue.js';
import { type Command, optionalBoolean, optionalDoc } from './command.js';

export const listDatabases: Command = {
  help: 'The databases.',
  fields: { filter: 'object', nameOnly: 'flag', authorizedDatabases: 'flag' },
  adminOnly: true,
  run({ command, engine }) {
    const filter = compileFilter(optionalDoc(command, 'filter') ?? {});
    const filled = new Set(engine.catalogue.list().map((c) => c.db));
    const names = [...new Set([...SYSTEM_DATABASES, ...filled])].toSorted();
    const { bytes } = engine.storage.stats();
    const nameOnly = optionalBoolean(command, 'nameOnly') ?? false;
    const databases = names
      .map((name): Doc =>
        nameOnly
          ? { name }
          : { name, sizeOnDisk: Long.fromNumber(filled.has(name) ? bytes : 0), empty: !filled.has(name) },
      )
      .filter((doc) => filter.test(doc));
    return nameOnly
      ? { databases }
      : { databases, totalSize: Long.fromNumber(bytes), totalSizeMb: Long.fromNumber(Math.ceil(bytes / 2 ** 20)) };
  },
};
