import { EngineError } from '../errors.js';
import { checkName } from '../storage/catalogue.js';
import { type Command, optionalBoolean, text } from './command.js';

export const renameCollection: Command = {
  help: 'Gives a collection another name.',
  fields: ['renameCollection', 'to', 'dropTarget'],
  async run({ command, engine, db: runOn }) {
    if (runOn !== 'admin')
      throw new EngineError('Unauthorized', 'renameCollection may only be run against the admin database.');
    const split = (ns: string): [string, string] => [ns.slice(0, ns.indexOf('.')), ns.slice(ns.indexOf('.') + 1)];
    const [db, name] = split(text(command, 'renameCollection'));
    const [toDb, toName] = split(text(command, 'to'));
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
        if (collection.gone || target?.gone)
          throw new EngineError('NamespaceNotFound', `${db}.${name} was dropped or renamed meanwhile`);
        if (target) engine.catalogue.drop(tx, target);
        engine.catalogue.rename(tx, collection, toDb, toName);
      },
      { alone: target ? [collection.id, target.id] : [collection.id] },
    );
    return {};
  },
};
