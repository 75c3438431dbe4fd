import { filterOptions, find as findDocuments } from '../query/execute.js';
import { isDoc } from '../bson/types.js';
import { type Doc } from '../bson/value.js';
import type { Writer } from '../documents/write.js';
import { EngineError } from '../errors.js';
import { compileFilter } from '../query/match.js';
import { compileProjection } from '../query/projection.js';
import type { Transaction } from '../transactions/transactions.js';
import { compileUpdate } from '../update/apply.js';
import { collationFor } from './collation.js';
import {
  variablesOf,
  type Command,
  ensureCollection,
  hintOf,
  int,
  optionalBoolean,
  optionalDoc,
  collectionName,
} from './command.js';

export const findAndModify: Command = {
  help: 'Changes or removes one document and returns it.',
  fields: {
    query: 'object',
    sort: 'object',
    remove: 'flag',
    update: 'own',
    new: 'flag',
    fields: 'object',
    upsert: 'flag',
    bypassDocumentValidation: 'flag',
    bypassEmptyTsReplacement: 'flag',
    arrayFilters: 'documents',
    hint: 'hint',
    let: 'object',
    collation: 'object',
  },
  writes: true,
  inTransaction: true,
  retryable: true,
  async run(context) {
    const { command, engine, db, own } = context;
    const name = collectionName(command, 'findAndModify' in command ? 'findAndModify' : 'findandmodify');
    const remove = optionalBoolean(command, 'remove') ?? false;
    const upsert = optionalBoolean(command, 'upsert') ?? false;
    const after = optionalBoolean(command, 'new') ?? false;
    const change = command['update'];
    if (Array.isArray(change) && command['arrayFilters'] !== undefined)
      throw new EngineError('FailedToParse', 'Cannot specify arrayFilters and a pipeline update');
    if (remove && command['arrayFilters'] !== undefined)
      throw new EngineError('FailedToParse', 'Cannot specify arrayFilters and remove=true');
    if (!remove && change === undefined)
      throw new EngineError('FailedToParse', 'Either an update or remove=true must be specified');
    if (remove && change !== undefined)
      throw new EngineError('FailedToParse', 'Cannot specify both an update and remove=true');
    if (remove && (upsert || after))
      throw new EngineError(
        'FailedToParse',
        remove && upsert
          ? 'Cannot specify both upsert=true and remove=true'
          : 'Cannot specify both new=true and remove=true; the remove always returns the deleted document',
      );
    const collection = upsert ? await ensureCollection(context, db, name) : engine.catalogue.find(db, name, own);
    const filterDoc = optionalDoc(command, 'query') ?? {};
    const variables = variablesOf(command);
    const fields = optionalDoc(command, 'fields');
    const collation = collationFor(command, collection);
    const run = (tx: Transaction, writer: Writer): Doc => {
      const request = {
        filter: filterDoc,
        collation,
        sort: optionalDoc(command, 'sort'),
        hint: hintOf(command['hint']),
        limit: 1,
        let: variables,
        upsert,
      };
      const filter = compileFilter(filterDoc, filterOptions(request, collection));
      const [found] = [...findDocuments(tx, collection, request, filter)];
      const project = fields && compileProjection(fields, { filter, collation });
      const show = (doc: Doc): Doc =>
        project ? project(doc, { now: new Date(), let: variables ?? {}, collation }) : doc;
      if (remove) {
        if (found && collection) writer.remove(collection, found.doc);
        return { lastErrorObject: { n: int(found ? 1 : 0) }, value: found ? show(found.doc) : null };
      }
      if (!isDoc(change) && !Array.isArray(change))
        throw new EngineError('FailedToParse', 'Update argument must be either an object or an array');
      const filters = command['arrayFilters'];
      const compiled = compileUpdate(change, {
        multi: false,
        now: new Date(),
        collation,
        ...(variables && { let: variables }),
        ...(Array.isArray(filters) && { arrayFilters: filters.filter(isDoc) }),
      });
      if (!found || !collection) {
        if (!upsert || !collection) return { lastErrorObject: { n: int(0), updatedExisting: false }, value: null };
        const inserted = writer.insert(collection, compiled.insertFor(filterDoc));
        return {
          lastErrorObject: { n: int(1), updatedExisting: false, upserted: inserted['_id'] },
          value: after ? show(inserted) : null,
        };
      }
      const changed = compiled.apply(found.doc, filter.positional(found.doc));
      const before = show(found.doc);
      if (changed !== found.doc) writer.replace(collection, found.doc, changed);
      return { lastErrorObject: { n: int(1), updatedExisting: true }, value: after ? show(changed) : before };
    };
    return context.write((tx, writer, retry) => {
      const before = retry?.known(0);
      if (before) return before;
      const answer = run(tx, writer);
      retry?.done(0, answer);
      return answer;
    });
  },
};
