import { Int32 } from 'bson';
import { equals } from '../bson/compare.js';
import { isDoc, toInteger } from '../bson/types.js';
import type { Doc } from '../bson/value.js';
import { EngineError } from '../errors.js';
import { readOptions } from '../storage/options.js';
import { collectionOf } from './collection-of.js';
import { type Command, optionalBoolean, optionalDoc, text } from './command.js';

/** Options of the collection itself that can be changed. */
const OPTIONS = ['validator', 'validationLevel', 'validationAction', 'expireAfterSeconds'];

/** https://www.mongodb.com/docs/manual/reference/command/collMod/ */
export const collMod: Command = {
  help: 'Changes a collection’s validator and expiry, and of an index hidden and expireAfterSeconds.',
  fields: ['collMod', 'index', 'dryRun', ...OPTIONS],
  async run(context) {
    const { command, engine } = context;
    const collection = collectionOf(context, text(command, 'collMod'));
    const options = Object.fromEntries(OPTIONS.flatMap((k) => (command[k] === undefined ? [] : [[k, command[k]]])));
    if (Object.keys(options).length > 0) {
      const changed = readOptions({ ...collection.options.doc, ...options });
      await engine.transactions.run((tx) => engine.catalogue.changeOptions(tx, collection, changed), {
        alone: [collection.id],
      });
    }
    const change = optionalDoc(command, 'index');
    if (!change) return {};
    const { name, keyPattern } = change;
    const found = collection.indexes.filter((i) =>
      typeof name === 'string' ? i.index.spec.name === name : isDoc(keyPattern) && equals(i.index.spec.key, keyPattern),
    );
    const [index] = found;
    if (!index) throw new EngineError('IndexNotFound', `cannot find index for ns ${collection.db}.${collection.name}`);
    const seconds = change['expireAfterSeconds'] === undefined ? undefined : toInteger(change['expireAfterSeconds']);
    const hidden = optionalBoolean(change, 'hidden', 'collMod.index');
    if (seconds === undefined && hidden === undefined)
      throw new EngineError('InvalidOptions', 'no expireAfterSeconds, hidden, unique, or prepareUnique field');
    const { spec } = index.index;
    const { hidden: wasHidden = false, expireAfterSeconds, ...rest } = spec;
    const isHidden = hidden ?? wasHidden;
    const after = seconds ?? expireAfterSeconds;
    await engine.transactions.run(
      (tx) =>
        engine.catalogue.changeIndex(tx, collection, index, {
          ...rest,
          ...(isHidden && { hidden: true }),
          ...(after !== undefined && { expireAfterSeconds: after }),
        }),
      { alone: [collection.id] },
    );
    const told: Doc = {};
    if (seconds !== undefined) {
      if (expireAfterSeconds !== undefined) told['expireAfterSeconds_old'] = new Int32(expireAfterSeconds);
      told['expireAfterSeconds_new'] = new Int32(seconds);
    }
    if (hidden !== undefined) {
      told['hidden_old'] = wasHidden;
      told['hidden_new'] = hidden;
    }
    return told;
  },
};
