import { after } from '../bson/key.js';
import { type Collection, documentsOf } from '../storage/catalogue.js';
import { type Reading } from './command.js';

export function sizes(context: Reading, collections: readonly Collection[]): { objects: number; bytes: number } {
  const { tx, release } = context.snapshot();
  let objects = 0;
  let bytes = 0;
  try {
    for (const c of collections)
      for (const { value } of tx.range(documentsOf(c), after(documentsOf(c)))) {
        objects += 1;
        bytes += value.length;
      }
  } finally {
    release();
  }
  return { objects, bytes };
}
