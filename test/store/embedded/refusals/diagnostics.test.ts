import { describe } from '@jest/globals';
import { Decimal128, type Document, Double, Long, MinKey } from 'bson';
import { type Case, refuses } from './refused.js';

const admin = (command: Document, code: number): Case => [JSON.stringify(command), command, code, 'admin'];
const here = (command: Document, code: number): Case => [JSON.stringify(command), command, code];

// https://github.com/documentdb/functional-tests: compatibility/tests/system/diagnostic, each by its command
describe('a command that tells of the server', () => {
  refuses('knows its own fields alone; those that end sessions or begin one take any', [
    ...['buildInfo', 'connectionStatus', 'getCmdLineOpts', 'hostInfo', 'listCommands', 'ping'].flatMap((name) => [
      admin({ [name]: 1, foo: 1 }, 40415),
      admin({ [name]: 'anything', comment: 1 }, 0),
    ]),
    ...['killSessions', 'killAllSessions'].flatMap((name) => [
      here({ [name]: [], foo: 1 }, 0),
      here({ [name]: [null] }, 0),
      here({ [name]: null }, 40414),
      here({ [name]: 5 }, 14),
      here({ [name]: [5] }, 14),
    ]),
    here({ startSession: 1, foo: 1 }, 0),
    here({ startSession: 1, readConcern: 1 }, 14),
    here({ endSessions: [], foo: 1 }, 40415),
    here({ refreshSessions: [null] }, 0),
  ]);

  // https://www.mongodb.com/docs/manual/reference/command/nav-diagnostic/
  refuses('takes what its page says', [
    ...['x', [1], {}, new MinKey()].map((showPrivileges) => admin({ connectionStatus: 1, showPrivileges }, 14)),
    ...[true, 1, new Double(0), null].map((showPrivileges) => admin({ connectionStatus: 1, showPrivileges }, 0)),
    ...['global', 'startupWarnings', '*'].map((getLog) => admin({ getLog }, 0)),
    ...['rs', '', 'Global'].map((getLog) => admin({ getLog }, 96)),
    ...[1, {}, true].map((getLog) => admin({ getLog }, 14)),
    admin({ getLog: null }, 40414),
    admin({ getLog: 'global', foo: 1 }, 40415),
    here({ getLog: 'global' }, 13),
    ...[0, -1, new Double(0.5), new Double(-1.5), Decimal128.fromString('0.5'), Long.fromNumber(-5)].flatMap(
      (scale) => [here({ dbStats: 1, scale }, 2), here({ collStats: 'c', scale }, 51024)],
    ),
    ...[true, false, 0, new Double(1), null].map((freeStorage) => here({ dbStats: 1, freeStorage }, 0)),
    here({ dbStats: 1, freeStorage: 'x' }, 14),
    ['a view', { create: 'v', viewOn: 'c', pipeline: [] }, 0],
    here({ dataSize: 'test.v' }, 166),
    here({ dataSize: 'test.c', keyPattern: { x: 1 } }, 0),
    here({ dataSize: 'test.c', keyPattern: { x: 1 }, min: null, max: null }, 0),
    here({ dataSize: 'test.c', keyPattern: { x: 1 }, min: { x: 1 }, max: { x: 2 } }, 238),
  ]);
});

const explained = (rows: readonly (readonly [explain: Document, code: number])[]): Case[] =>
  rows.flatMap(([explain, code]) =>
    ['queryPlanner', 'executionStats'].map((verbosity) => here({ explain, verbosity }, code)),
  );

// https://www.mongodb.com/docs/manual/reference/command/explain/
refuses('explain refuses what the command itself refuses, and commands that search nothing', [
  here({ explain: { find: 'c' }, verbosity: 'loud' }, 2),
  ...explained([
    [{}, 59],
    [{ unknown: 'c' }, 59],
    [{ insert: 'c', documents: [{}] }, 20],
    [{ ping: 1 }, 20],
    [{ explain: { find: 'c' } }, 20],
    [{ bulkWrite: 1, ops: [], nsInfo: [] }, 238],
    [{ find: 'c', foo: 1 }, 40415],
    [{ find: 'c', limit: -1 }, 51024],
    [{ find: 'c', tailable: true }, 2],
    [{ find: 'c', min: { a: 1 } }, 238],
    [{ find: 'c', filter: { $foo: 1 } }, 2],
    [{ find: 'none', filter: { $foo: 1 } }, 2],
    [{ find: 'c', projection: { a: 1, b: 0 } }, 31254],
    [{ count: 'c', query: 5 }, 14],
    [{ count: 'c', skip: -1 }, 51024],
    [{ distinct: 'c' }, 40414],
    [{ update: 'c', updates: [] }, 16],
    [{ update: 'c', updates: [{ q: {}, u: { $foo: 1 } }] }, 9],
    [{ update: 'c', updates: [{ u: { $set: { a: 1 } } }] }, 40414],
    [{ update: 'c', updates: [{ q: {}, u: { $set: { a: 1 } }, foo: 1 }] }, 40415],
    [{ delete: 'c', deletes: [{ q: {} }] }, 40414],
    [{ delete: 'c', deletes: [{ q: {}, limit: 2 }] }, 9],
    [{ findAndModify: 'c', query: {} }, 9],
    [{ findAndModify: 'c', remove: true, update: {} }, 9],
    [{ findandmodify: 'c', remove: true }, 0],
    [{ aggregate: 'c', pipeline: [], cursor: {}, foo: 1 }, 40415],
  ]),
]);

// https://www.mongodb.com/docs/manual/reference/operator/query/nearSphere/, and its canonical_query.cpp for the natural order
const near = { loc: { $nearSphere: { $geometry: { type: 'Point', coordinates: [0, 0] } } } };
const hinted = (hint: string | Document, code: number): Case[] =>
  [
    { find: 'c', filter: near, hint },
    { explain: { find: 'c', filter: near, hint } },
    { findAndModify: 'c', query: near, update: { $set: { a: 1 } }, hint },
  ].map((command) => here(command, code));
const index = (key: Document, more: Document = {}): Case => [
  'an index',
  { createIndexes: 'c', indexes: [{ key, name: Object.keys(key).join(), ...more }] },
  0,
];
refuses('$near goes by an index that the hint names, and by none that is hidden', [
  index({ loc: '2dsphere' }),
  index({ x: 1 }),
  ...hinted('loc', 0),
  ...hinted({ loc: '2dsphere' }, 0),
  ...hinted('x', 291),
  ...hinted({ x: 1 }, 291),
  ...hinted('none', 2),
  ...hinted({ $natural: 1 }, 2),
  here({ find: 'c', filter: near, sort: { $natural: 1 } }, 2),
  here({ collMod: 'c', index: { name: 'loc', hidden: true } }, 0),
  here({ find: 'c', filter: near }, 291),
]);
