import { isDoc } from '../../bson/types.js';
import type { Doc, Value } from '../../bson/value.js';
import { type CodeName, EngineError } from '../../errors.js';
import { field } from '../path.js';

/** What words are stemmed by. */
export type Language = 'english' | 'none';

/** https://www.mongodb.com/docs/manual/reference/text-search-languages/ */
const KNOWN = new Set([
  'danish', 'da', 'dutch', 'nl', 'english', 'en', 'finnish', 'fi', 'french', 'fr', 'german', 'de', 'hungarian', 'hu', 'italian',
  'it', 'norwegian', 'nb', 'portuguese', 'pt', 'romanian', 'ro', 'russian', 'ru', 'spanish', 'es', 'swedish', 'sv', 'turkish', 'tr',
  'none',
]); // prettier-ignore

/** The language of a name. @throws {EngineError} `code`: MongoDB has no such language; 238: the engine has not */
export function languageOf(name: string, code: CodeName | number): Language {
  const given = name.toLowerCase();
  if (given === 'none') return 'none';
  if (given === 'english' || given === 'en') return 'english';
  if (!KNOWN.has(given)) throw new EngineError(code, `unsupported language: "${name}" for text index version 3`);
  throw new EngineError('NotImplemented', `text in ${name} is not supported by the embedded engine`);
}

/**
 * The language that a document, or one within it, says it is in; undefined: that of what it lies in.
 *
 * @throws {EngineError} 17261, 17262: none that can be; 238: one that the engine has not
 */
export function saidBy(doc: Doc, override: string): Language | undefined {
  const said = field(doc, override);
  if (said === undefined) return undefined;
  if (typeof said !== 'string')
    throw new EngineError(17261, `found language override field in document with non-string type: ${override}`);
  return languageOf(said, 17262);
}

/** The texts of a document that an index is of, each with its weight and the language it is in. */
export interface Text {
  readonly text: string;
  readonly weight: number;
  readonly language: Language;
}

/** The fields that an index is of, as a tree of names. */
export interface Fields {
  weight: number | undefined;
  readonly inner: Map<string, Fields>;
}

export function fieldsOf(weights: Iterable<readonly [path: string, weight: number]>): Fields {
  const root: Fields = { weight: undefined, inner: new Map() };
  for (const [path, weight] of weights) {
    let at = root;
    for (const name of path.split('.')) {
      const there: Fields = at.inner.get(name) ?? { weight: undefined, inner: new Map() };
      at.inner.set(name, there);
      at = there;
    }
    at.weight = weight;
  }
  return root;
}

interface Asked {
  readonly override: string;
  /** The weight of every text that is not named; undefined: only those that are named are asked for. */
  readonly everything: number | undefined;
}

/** A name with a dot or a dollar is no name of a field that can be searched. */
const isPlain = (name: string): boolean => !name.includes('.') && !name.startsWith('$');

/** @throws {EngineError} 17261, 17262, 238: what a document says of its language can not be */
export function textsIn(doc: Doc, fields: Fields, language: Language, asked: Asked): Text[] {
  const texts: Text[] = [];
  const visit = (v: Value, at: Fields | undefined, spoken: Language): void => {
    if (typeof v === 'string') {
      const weight = at?.weight ?? asked.everything;
      if (weight !== undefined) texts.push({ text: v, weight, language: spoken });
    } else if (Array.isArray(v)) for (const item of v) visit(item, at, spoken);
    else if (isDoc(v)) within(v, at, spoken);
  };
  const within = (d: Doc, at: Fields | undefined, outer: Language): void => {
    const spoken = saidBy(d, asked.override) ?? outer;
    if (asked.everything === undefined)
      for (const [name, inner] of at?.inner ?? []) visit(field(d, name), inner, spoken);
    else
      for (const [name, v] of Object.entries(d))
        if (isPlain(name) && name !== asked.override) visit(v, at?.inner.get(name), spoken);
  };
  within(doc, fields, language);
  return texts;
}
