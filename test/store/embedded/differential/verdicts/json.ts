/** A BSON value as canonical Extended JSON: numbers, dates and the like are objects with one key that starts with $. */
export type Json = null | boolean | number | string | readonly Json[] | JsonDoc;
export interface JsonDoc {
  readonly [key: string]: Json;
}

export const parse = (text: string): Json => JSON.parse(text) as Json;
export const text = (v: Json | undefined): string => (v === undefined ? 'missing' : JSON.stringify(v));
export const same = (a: Json | undefined, b: Json | undefined): boolean => text(a) === text(b);

export const isList = (v: Json | undefined): v is readonly Json[] => Array.isArray(v);
/** Any object, a wrapped scalar too. */
export const isObject = (v: Json | undefined): v is JsonDoc => typeof v === 'object' && v !== null && !isList(v);
const WRAPPED = /^\$(number\w+|date|oid|binary)$/;
/** A document or a part of a request; no wrapped scalar. */
export const isDoc = (v: Json | undefined): v is JsonDoc =>
  isObject(v) && !(Object.keys(v).length === 1 && WRAPPED.test(Object.keys(v)[0] ?? ''));

export type NumberType = 'Int' | 'Double' | 'Long' | 'Decimal';
/** The number and its type, or undefined. */
export function numberOf(v: Json | undefined): { readonly type: NumberType; readonly value: number } | undefined {
  if (!isObject(v)) return undefined;
  for (const type of ['Int', 'Double', 'Long', 'Decimal'] as const) {
    const digits = v[`$number${type}`];
    if (typeof digits === 'string') return { type, value: Number(digits) };
  }
  return undefined;
}
export const isDecimal = (v: Json | undefined): boolean => numberOf(v)?.type === 'Decimal';
export const isWhole = (v: Json | undefined): boolean => Number.isInteger(numberOf(v)?.value);

/** The value with each part rewritten, from the leaves up. */
export function rewritten(v: Json, change: (part: Json) => Json): Json {
  if (isList(v)) return change(v.map((item) => rewritten(item, change)));
  if (isDoc(v)) return change(Object.fromEntries(Object.entries(v).map(([k, item]) => [k, rewritten(item, change)])));
  return change(v);
}

/** Digits to which numbers of different types are held equal: a double's 15 less what adding in another order costs. */
const DIGITS = 14;
const plainNumber = (v: Json): Json => {
  const n = numberOf(v);
  if (n === undefined) return v;
  return Number.isFinite(n.value) ? Number(n.value.toPrecision(DIGITS)) : String(n.value);
};
/** The text of a value in which all types of number are one. */
export const plain = (v: Json | undefined): string => (v === undefined ? 'missing' : text(rewritten(v, plainNumber)));
export const equal = (a: Json | undefined, b: Json | undefined): boolean => plain(a) === plain(b);

/** Equal by value, and not once decimals are held apart. */
export const decimalApart = (a: Json, b: Json): boolean => {
  const marked = (v: Json): string =>
    text(
      rewritten(v, (part) =>
        isDecimal(part) ? { $decimal: numberOf(part)?.value ?? null } : (numberOf(part)?.value ?? part),
      ),
    );
  return equal(a, b) && marked(a) !== marked(b);
};

/** Whether some part of a value, itself included, is as wanted. */
export function some(v: Json | undefined, wanted: (part: Json) => boolean): boolean {
  if (v === undefined) return false;
  if (wanted(v)) return true;
  return (isList(v) ? v : isDoc(v) ? Object.values(v) : []).some((part) => some(part, wanted));
}

/** Nothing but documents without values. */
export const isHollow = (v: Json | undefined): boolean => isDoc(v) && Object.values(v).every(isHollow);

/** What stands at a path, through arrays and their places; nothing where it is missing. */
export function valuesAt(v: Json | undefined, path: readonly string[]): readonly Json[] {
  const [head, ...rest] = path;
  if (v === undefined) return [];
  if (head === undefined) return [v];
  if (isList(v))
    return [...valuesAt(v[Number(head)], rest), ...v.filter(isDoc).flatMap((item) => valuesAt(item, path))];
  return isDoc(v) ? valuesAt(v[head], rest) : [];
}
/** The same, and the items of the arrays that stand there. */
export const candidates = (doc: Json, path: string): readonly Json[] =>
  valuesAt(doc, path.split('.')).flatMap((v) => (isList(v) ? [v, ...v] : [v]));
