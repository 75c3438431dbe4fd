import { Decimal128, Int32 } from 'bson';
import { EngineError } from '../errors.js';
import { compareStrings } from './compare.js';
import { isDoc, isNumeric, type Numeric, toNumber, typeName } from './types.js';
import type { Doc, Value } from './value.js';

/** How texts are compared; where there is none, by their bytes. */
export interface Collation {
  /** Every field, as listCollections and listIndexes show it. */
  readonly doc: Doc;
  compare(a: string, b: string): number;
  /** Texts that are equal have one form; for keys, where `compare` can not be asked. */
  fold(text: string): string;
}

/** https://www.mongodb.com/docs/manual/reference/collation/#collation-document */
const defaults = {
  caseLevel: false,
  caseFirst: 'off',
  strength: new Int32(3),
  numericOrdering: false,
  alternate: 'non-ignorable',
  maxVariable: 'punct',
  normalization: false,
  backwards: false,
} as const satisfies Doc;

const allowed: Readonly<Record<string, readonly Value[]>> = {
  caseLevel: [true, false],
  caseFirst: ['upper', 'lower', 'off'],
  numericOrdering: [true, false],
  alternate: ['non-ignorable', 'shifted'],
  maxVariable: ['punct', 'space'],
  normalization: [true, false],
  backwards: [true, false],
};

/** Those of https://www.mongodb.com/docs/manual/reference/collation-locales-defaults/; ICU knows more. */
const locales = new Set(
  (
    'af am ar as az be bg bn bo bs bs_Cyrl ca chr cs cy da de de_AT dsb dz ee el en en_US en_US_POSIX eo es et fa ' +
    'fa_AF fi fil fo fr fr_CA ga gl gu ha haw he hi hr hsb hu hy id ig is it ja ka kk kl km kn ko kok ky lb lkt ln ' +
    'lo lt lv mk ml mn mr ms mt my nb ne nl nn om or pa pl ps pt ro ru se si sk sl smn sq sr sr_Latn sv sw ta te ' +
    'th to tr ug uk ur vi wae yi yo zh zh_Hant zu'
  ).split(' '),
);
const variants =
  /^(?:big5han|compat|dictionary|eor|gb2312han|phonebook|phonetic|reformed|search|searchjl|standard|stroke|traditional|unihan|zhuyin)$/;

/** `de@collation=phonebook` and `en_US` as JavaScript names them. @throws {EngineError} 2: no such locale */
function localeOf(locale: string): string {
  const [name = '', variant] = locale.split('@collation=');
  if (!locales.has(name) || (variant !== undefined && !variants.test(variant)))
    throw new EngineError('BadValue', `Field 'locale' is invalid in: { locale: ${JSON.stringify(locale)} }`);
  const co = variant?.replace('phonebook', 'phonebk').replace('traditional', 'trad').replace('dictionary', 'dict');
  return `${name.replaceAll('_', '-')}${co ? `-u-co-${co}` : ''}`;
}

/** A number as an integer of 32 bits: a double loses its places, a decimal is rounded half to even. */
function strengthOf(v: Numeric): number {
  const n = toNumber(v);
  if (!(v instanceof Decimal128)) return Math.trunc(n);
  return n % 1 === 0.5 ? 2 * Math.round(n / 2) : Math.round(n);
}

function sensitivityOf(strength: number, caseLevel: boolean): 'base' | 'accent' | 'case' | 'variant' {
  if (strength === 1) return caseLevel ? 'case' : 'base';
  return strength === 2 && !caseLevel ? 'accent' : 'variant';
}

/**
 * Reads a collation document; none, an empty one and `simple` are undefined. The order is ICU's, as JavaScript has it.
 *
 * @throws {EngineError} 2, 14, 40414, 40415: a field or value that is not known; 238: one that JavaScript's ICU can not do
 */
export function readCollation(given: Value): Collation | undefined {
  if (given === undefined) return undefined;
  if (!isDoc(given)) throw new EngineError('TypeMismatch', "BSON field 'collation' must be an object");
  if (Object.keys(given).length === 0) return undefined;
  // A null is as none, but that of `backwards`.
  const fields = Object.entries(given).filter(([name, v]) => v !== null || name === 'backwards');
  const { locale, version = '57.1', ...options } = Object.fromEntries(fields) as Record<string, Value>;
  if (locale === undefined)
    throw new EngineError(40414, "BSON field 'collation.locale' is missing but a required field");
  if (typeof locale !== 'string' || typeof version !== 'string')
    throw new EngineError('TypeMismatch', "BSON fields 'collation.locale' and 'collation.version' must be strings");
  for (const [name, v] of Object.entries(options)) {
    const values = Object.hasOwn(allowed, name) ? allowed[name] : undefined;
    if (!values && name !== 'strength')
      throw new EngineError(40415, `BSON field 'collation.${name}' is an unknown field.`);
    if (values ? typeof v !== typeof values[0] : !isNumeric(v))
      throw new EngineError('TypeMismatch', `BSON field 'collation.${name}' is the wrong type '${typeName(v)}'`);
    if (values?.includes(v) === false)
      throw new EngineError('BadValue', `Enumeration value for field 'collation.${name}' is not a valid value.`);
  }
  if (locale === 'simple') {
    if (Object.keys(options).length > 0)
      throw new EngineError('BadValue', "If 'locale' is 'simple', no other fields should be present");
    return undefined;
  }
  const {
    strength = defaults.strength,
    caseLevel,
    caseFirst,
    numericOrdering,
    alternate,
    maxVariable,
    backwards,
  } = options;
  const tag = localeOf(locale);
  const level = strengthOf(strength as Numeric);
  if (!(level >= 1 && level <= 5)) throw new EngineError('BadValue', "Field 'strength' must be an integer 1 through 5");
  if (backwards === true && level === 1)
    throw new EngineError('BadValue', "'backwards' is invalid with 'strength' of 1");
  if ((caseFirst === 'upper' || caseFirst === 'lower') && caseLevel !== true && level < 3)
    throw new EngineError(
      'BadValue',
      "'caseFirst' is invalid unless 'caseLevel' is on or 'strength' is greater than 2",
    );
  const shifted = alternate === 'shifted';
  if (backwards === true || (shifted && maxVariable === 'space'))
    throw new EngineError(
      'NotImplemented',
      `a collation with ${backwards === true ? 'backwards' : "maxVariable 'space'"} is not supported by the embedded engine`,
    );
  const collator = new Intl.Collator(tag, {
    sensitivity: sensitivityOf(level, caseLevel === true),
    numeric: numericOrdering === true,
    caseFirst: caseFirst === 'upper' || caseFirst === 'lower' ? caseFirst : 'false',
    ignorePunctuation: shifted && level < 4,
  });
  return {
    doc: { locale, ...defaults, ...options, strength: new Int32(level), version: '57.1' },
    compare: (a, b) => Math.sign(collator.compare(a, b)) || (level === 5 ? compareStrings(a, b) : 0),
    fold(text) {
      let t = text.normalize(level < 3 ? 'NFKD' : 'NFD');
      if (level === 1) t = t.replace(/\p{M}/gu, '');
      if (level < 3 && caseLevel !== true) t = t.toUpperCase().toLowerCase();
      if (shifted && level < 4) t = t.replace(/[\p{P}\p{Z}]/gu, '');
      return numericOrdering === true
        ? t.replace(/0+(?=\d)/g, (zeros, at: number) => (/\d/.test(t[at - 1] ?? '') ? zeros : ''))
        : t;
    },
  };
}

/** A value with every text in it folded. */
export function foldValue(v: Value, collation: Collation): Value {
  if (typeof v === 'string') return collation.fold(v);
  if (Array.isArray(v)) return v.map((item) => foldValue(item, collation));
  if (!isDoc(v)) return v;
  return Object.fromEntries(Object.entries(v).map(([name, inner]) => [name, foldValue(inner, collation)]));
}

/** Is there a text in it, which a collation would compare? */
export const hasText = (v: Value): boolean =>
  typeof v === 'string' || (Array.isArray(v) ? v.some(hasText) : isDoc(v) && Object.values(v).some(hasText));
