import { EngineError } from '../errors.js';
import { type Collection } from '../storage/catalogue.js';
import { type Context } from './command.js';

export const collectionOf = (context: Context, name: string): Collection => {
  const c = context.engine.catalogue.find(context.db, name);
  if (!c) throw new EngineError('NamespaceNotFound', `ns does not exist: ${context.db}.${name}`);
  return c;
};
