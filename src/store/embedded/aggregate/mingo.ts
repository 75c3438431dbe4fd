import { BSONRegExp, BSONSymbol, Decimal128, Double, Int32, Long, Timestamp } from 'bson';
import { Aggregator } from 'mingo/aggregator';
import { Context, ProcessingMode } from 'mingo/core';
import * as accumulator from 'mingo/operators/accumulator';
import * as expression from 'mingo/operators/expression';
import * as pipeline from 'mingo/operators/pipeline';
import * as projection from 'mingo/operators/projection';
import * as query from 'mingo/operators/query';
import * as window from 'mingo/operators/window';
import { fromNumber, isDoc } from '../bson/types.js';
import type { Doc, Value } from '../bson/value.js';
import { EngineError } from '../errors.js';

/**
 * The one door to mingo: it computes on plain JavaScript values, so numbers lose their BSON type on the way in and come
 * out as the smallest type that holds them. A Decimal128 or a Long beyond 2^53 would be rounded: it is refused.
 */
const context = Context.init({ accumulator, expression, pipeline, projection, query, window } as Parameters<
  typeof Context.init
>[0]);
const options = {
  idKey: '_id',
  context,
  useStrictMode: true,
  scriptEnabled: false,
  failOnError: true,
  processingMode: ProcessingMode.CLONE_OFF,
};

/** @throws {EngineError} NotImplemented: a number that plain arithmetic would round */
export function toPlain(v: Value): unknown {
  if (v instanceof Int32 || v instanceof Double) return v.value;
  if (v instanceof Timestamp) return v;
  if (v instanceof Long) {
    const n = v.toNumber();
    if (!Number.isSafeInteger(n))
      throw new EngineError(
        'NotImplemented',
        'an integer beyond 2^53 in this expression is not supported by the embedded engine',
      );
    return n;
  }
  if (v instanceof Decimal128)
    throw new EngineError('NotImplemented', 'Decimal128 in this expression is not supported by the embedded engine');
  if (v instanceof BSONRegExp) return new RegExp(v.pattern, v.options.replace(/[^ims]/g, ''));
  if (v instanceof BSONSymbol) return v.value;
  if (Array.isArray(v)) return v.map(toPlain);
  if (isDoc(v)) return Object.fromEntries(Object.entries(v).map(([k, x]) => [k, toPlain(x)]));
  return v;
}

export function fromPlain(v: unknown): Value {
  if (typeof v === 'number') return fromNumber(v);
  if (typeof v === 'bigint') return Long.fromBigInt(v);
  if (v instanceof RegExp) return new BSONRegExp(v.source, v.flags.replace(/[^ims]/g, ''));
  if (Array.isArray(v)) return v.map((item) => fromPlain(item) ?? null);
  const value = v as Value;
  if (isDoc(value)) return Object.fromEntries(Object.entries(value).map(([k, x]) => [k, fromPlain(x)]));
  return value;
}

/** Operators that run code, or that mingo answers otherwise than MongoDB. */
const REFUSED = new Set(['$function', '$accumulator', '$where', '$toHashedIndexKey']);

function refuseUnknown(v: unknown): void {
  if (Array.isArray(v)) v.forEach(refuseUnknown);
  else if (typeof v === 'object' && v !== null && Object.getPrototypeOf(v) === Object.prototype)
    for (const [key, inner] of Object.entries(v)) {
      if (REFUSED.has(key)) throw new EngineError('NotImplemented', `${key} is not supported by the embedded engine`);
      refuseUnknown(inner);
    }
}

const wrap = <T>(work: () => T): T => {
  try {
    return work();
  } catch (error) {
    if (error instanceof EngineError) throw error;
    throw new EngineError('BadValue', error instanceof Error ? error.message : String(error));
  }
};

/** Runs stages that need all documents at once. */
export function runStages(stages: readonly Doc[], docs: readonly Doc[], variables: Doc): Doc[] {
  const plain = stages.map((s) => toPlain(s) as Record<string, unknown>);
  refuseUnknown(plain);
  return wrap(() => {
    const aggregator = new Aggregator(plain, { ...options, variables: toPlain(variables) as Record<string, unknown> });
    return aggregator.run(docs.map((d) => toPlain(d) as Record<string, unknown>)).map((d) => fromPlain(d) as Doc);
  });
}
