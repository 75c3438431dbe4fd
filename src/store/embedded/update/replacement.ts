import type { Doc } from '../bson/value.js';
import { withTimestamps } from '../documents/timestamps.js';
import { EngineError } from '../errors.js';
import type { Update, UpdateOptions } from './apply.js';
import { failed } from './change.js';
import { assertSameId, withId } from './id.js';
import { base } from './upsert.js';
import { same } from './walk.js';

/** @throws {EngineError} 9: of several documents, or with arrayFilters; 52, of a document that is there: a field that begins with $ */
export function replacement(document: Doc, options: UpdateOptions): Update {
  if (options.multi) throw failed('multi update is not supported for replacement-style update');
  if (options.arrayFilters) throw failed('arrayFilters may not be specified for replacement-style updates');
  const dollar = Object.keys(document).find((k) => k.startsWith('$'));
  return {
    isReplacement: true,
    apply(doc) {
      // An upsert may insert it. https://www.mongodb.com/docs/manual/core/dot-dollar-considerations/dollar-prefix/
      if (dollar !== undefined)
        throw new EngineError(
          'DollarPrefixedFieldName',
          `The dollar ($) prefixed field '${dollar}' in '${dollar}' is not allowed in the context of an update's replacement document.`,
        );
      const after = withTimestamps({ _id: document['_id'] ?? doc['_id'], ...withoutId(document) });
      assertSameId(doc, after);
      return same(after, doc) ? doc : after;
    },
    insertFor(filter) {
      const id = base(filter, '_id')['_id'];
      if (id !== undefined && document['_id'] !== undefined) assertSameId({ _id: id }, document);
      return withId({ ...(id !== undefined && { _id: id }), ...document });
    },
  };
}

const withoutId = ({ _id, ...rest }: Doc): Doc => rest;
