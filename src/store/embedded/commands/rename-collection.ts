import { EngineError } from '../errors.js';
import { checkName } from '../storage/catalogue.js';
import { collectionName, type Command, optionalBoolean, text } from './command.js';

export const renameCollection: Command = {
  help: 'Gives a collection another name.',
  fields: { to: 'string', dropTarget: 'flag' },
  adminOnly: true,
  writes: true,
  async run({ command, engine }) {
    const split = (ns: string): [string, string] => {
      const dot = ns.indexOf('.');
      if (dot <= 0) throw new EngineError('InvalidNamespace', `Invalid namespace specified '${ns}'`);
      return [ns.slice(0, dot), ns.slice(dot + 1)];
    };
    const [db, name] = split(collectionName(command, 'renameCollection'));
    const [toDb, toName] = split(text(command, 'to', 'renameCollection'));
    checkName(toDb, toName);
    const collection = engine.catalogue.find(db, name);
    if (!collection) throw new EngineError('NamespaceNotFound', `Source collection ${db}.${name} does not exist`);
    if (db === toDb && name === toName)
      throw new EngineError('IllegalOperation', "Can't rename a collection to itself");
    const target = engine.catalogue.find(toDb, toName);
    if (target && !optionalBoolean(command, 'dropTarget'))
      throw new EngineError('NamespaceExists', 'target namespace exists');
    await engine.transactions.run(
      (tx) => {
        if (collection.gone || engine.catalogue.find(toDb, toName) !== target)
          throw new EngineError('NamespaceNotFound', `${db}.${name} or ${toDb}.${toName} was changed meanwhile`);
        if (target) engine.catalogue.drop(tx, target);
        engine.catalogue.rename(tx, collection, toDb, toName);
      },
      { alone: target ? [collection.id, target.id] : [collection.id] },
    );
    return {};
  },
};
