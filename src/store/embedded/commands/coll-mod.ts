import { Int32 } from 'bson';
import { equals } from '../bson/compare.js';
import { isDoc, isNumeric, toWhole } from '../bson/types.js';
import type { Doc } from '../bson/value.js';
import { EngineError } from '../errors.js';
import { idIndex } from '../storage/catalogue.js';
import { collectionOf } from './collection-of.js';
import { type Command, optionalBoolean, optionalDoc, collectionName } from './command.js';
import { assertOptions, CHANGEABLE, changedOptions } from './collection-options.js';
import { assertOne } from './drop-indexes.js';
import { checked, type Fields } from './fields.js';

const INDEX: Fields = {
  name: 'string',
  keyPattern: 'object',
  expireAfterSeconds: 'number',
  hidden: 'flag',
  unique: 'flag',
  prepareUnique: 'flag',
};

/** More than the most counts as the most. @throws {EngineError} 72: less than 0 */
function secondsOf({ expireAfterSeconds: given }: Doc): number | undefined {
  if (!isNumeric(given)) return undefined;
  const seconds = toWhole(given);
  if (seconds < 0)
    throw new EngineError('InvalidOptions', "TTL index 'expireAfterSeconds' option must be within an acceptable range");
  return Math.min(seconds, 2 ** 31 - 1);
}

/** https://www.mongodb.com/docs/manual/reference/command/collMod/ */
export const collMod: Command = {
  help: 'Changes a collection’s validator, size and expiry, a view, and of an index hidden and expireAfterSeconds.',
  fields: { index: 'object', dryRun: 'flag', timeseries: 'object', ...CHANGEABLE },
  writes: true,
  async run(context) {
    const { command, engine } = context;
    const collection = collectionOf(context, collectionName(command, 'collMod'));
    if (command['timeseries'] !== undefined)
      throw new EngineError('NotImplemented', "collMod with 'timeseries' is not supported by the embedded engine");
    const changed = changedOptions(collection, command);
    if (changed) {
      assertOptions(engine.catalogue, collection.db, collection.name, changed);
      await engine.transactions.run((tx) => engine.catalogue.changeOptions(tx, collection, changed), {
        alone: [collection.id],
      });
    }
    const given = optionalDoc(command, 'index');
    if (!given) return {};
    const change = checked(given, 'collMod.index', INDEX);
    const { name, keyPattern } = change;
    if (name === undefined && keyPattern === undefined)
      throw new EngineError('InvalidOptions', 'Must specify either index name or key pattern.');
    if (name !== undefined && keyPattern !== undefined)
      throw new EngineError('InvalidOptions', 'Cannot specify both key pattern and name.');
    if (change['unique'] !== undefined || change['prepareUnique'] !== undefined)
      throw new EngineError('NotImplemented', 'collMod of unique is not supported by the embedded engine');
    const found = collection.indexes.filter((i) =>
      typeof name === 'string' ? i.index.spec.name === name : isDoc(keyPattern) && equals(i.index.spec.key, keyPattern),
    );
    const seconds = secondsOf(change);
    const hidden = optionalBoolean(change, 'hidden', 'collMod.index');
    if (seconds === undefined && hidden === undefined)
      throw new EngineError('InvalidOptions', 'no expireAfterSeconds, hidden, unique, or prepareUnique field');
    if (name === '_id_' || (isDoc(keyPattern) && equals(keyPattern, idIndex.spec.key)))
      throw seconds === undefined
        ? new EngineError(
            collection.options.doc['clusteredIndex'] === undefined ? 'BadValue' : 6011800,
            "can't hide _id index",
          )
        : new EngineError('InvalidOptions', 'the _id field does not support TTL indexes');
    assertOne(found, keyPattern);
    const [index] = found;
    if (!index) throw new EngineError('IndexNotFound', `cannot find index for ns ${collection.db}.${collection.name}`);
    const { spec } = index.index;
    if (seconds !== undefined && Object.keys(spec.key).length > 1)
      throw new EngineError(
        'InvalidOptions',
        'TTL indexes are single-field indexes, compound indexes do not support TTL',
      );
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
