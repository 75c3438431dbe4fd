import { expect, it } from '@jest/globals';
import { Int32 } from 'bson';
import type { Doc } from '../../../../src/store/embedded/bson/value.js';
import { compileIndex } from '../../../../src/store/embedded/query/indexes.js';

it('a document that an index does not take can be removed, where it lies already', () => {
  const one = new Int32(1);
  for (const [key, doc, code] of [
    [{ a: 'hashed', b: one }, { b: [one] }, 16766],
    [{ a: 'text', b: one }, { a: 'x', b: [one] }, 201],
    [{ a: 'text' }, { a: 'x', language: 'none of these' }, 17262],
    [{ a: '2dsphere' }, { a: 'x' }, 16755],
    [{ a: one, '$**': one }, { a: [one] }, 7246301],
  ] as [Doc, Doc, number][]) {
    const index = compileIndex({
      name: 'i',
      key,
      ...('$**' in key && { ofKind: { wildcardProjection: { a: new Int32(0) } } }),
    });
    expect(() => {
      index.assertTakes(doc);
    }).toThrow(expect.objectContaining({ code }));
    expect(index.covers(doc)).toBe(true);
    expect(() => index.keys(doc)).not.toThrow();
  }
});
