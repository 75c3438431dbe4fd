import { isNumeric, toNumber, typeName } from '../bson/types.js';
import { EngineError } from '../errors.js';
import { type Command } from './command.js';

/** https://www.mongodb.com/docs/manual/reference/command/dropDatabase/ @throws {EngineError} 20: a database that has to be there */
export const dropDatabase: Command = {
  help: 'Removes a database.',
  fields: {},
  writes: true,
  async run({ command, engine, db }) {
    const one = command['dropDatabase'];
    if (!isNumeric(one))
      throw new EngineError(
        'TypeMismatch',
        `BSON field 'dropDatabase.dropDatabase' is the wrong type '${typeName(one)}', expected type 'int'`,
      );
    if (toNumber(one) !== 1) throw new EngineError(5255100, "Have to pass 1 as 'dropDatabase' parameter");
    if (db === 'admin' || db === 'local')
      throw new EngineError('IllegalOperation', `Dropping the '${db}' database is prohibited.`);
    const all = engine.catalogue.list(db);
    await engine.transactions.run(
      (tx) => {
        for (const c of all) if (!c.gone) engine.catalogue.drop(tx, c);
      },
      { alone: all.map((c) => c.id) },
    );
    return all.length > 0 ? { dropped: db } : {};
  },
};
