import { abortTransaction } from './abort-transaction.js';
import { aggregate } from './aggregate.js';
import { buildInfo } from './build-info.js';
import { bulkWrite } from './bulk-write.js';
import { collMod } from './coll-mod.js';
import { collStats } from './coll-stats.js';
import type { Command } from './command.js';
import { commitTransaction } from './commit-transaction.js';
import { connectionStatus } from './connection-status.js';
import { count } from './count.js';
import { createIndexes } from './create-indexes.js';
import { create } from './create.js';
import { dataSize } from './data-size.js';
import { dbStats } from './db-stats.js';
import { deleteCommand } from './delete.js';
import { distinct } from './distinct.js';
import { dropDatabase } from './drop-database.js';
import { dropIndexes } from './drop-indexes.js';
import { drop } from './drop.js';
import { endSessions, killAllSessions, killSessions, refreshSessions } from './end-sessions.js';
import { explainOf } from './explain.js';
import { findAndModify } from './find-and-modify.js';
import { find } from './find.js';
import { getCmdLineOpts } from './get-cmd-line-opts.js';
import { getLog } from './get-log.js';
import { getMore } from './get-more.js';
import { getParameter } from './get-parameter.js';
import { hello } from './hello.js';
import { hostInfo } from './host-info.js';
import { insert } from './insert.js';
import { killCursors } from './kill-cursors.js';
import { listCollections } from './list-collections.js';
import { listCommandsOf } from './list-commands.js';
import { listDatabases } from './list-databases.js';
import { listIndexes } from './list-indexes.js';
import { ping } from './ping.js';
import { renameCollection } from './rename-collection.js';
import { searchIndexes } from './search-indexes.js';
import { serverStatus } from './server-status.js';
import { startSession } from './start-session.js';
import { update } from './update.js';

/** Every command that is answered, by the name a client sends; all else is CommandNotFound. */
export const commands: ReadonlyMap<string, Command> = new Map<string, Command>([
  ['abortTransaction', abortTransaction],
  ['aggregate', aggregate],
  ['buildInfo', buildInfo],
  ['buildinfo', buildInfo],
  ['bulkWrite', bulkWrite],
  ['collMod', collMod],
  ['collStats', collStats],
  ['collstats', collStats],
  ['commitTransaction', commitTransaction],
  ['connectionStatus', connectionStatus],
  ['count', count],
  ['create', create],
  ['createIndexes', createIndexes],
  ['createSearchIndexes', searchIndexes],
  ['dataSize', dataSize],
  ['datasize', dataSize],
  ['dbStats', dbStats],
  ['dbstats', dbStats],
  ['delete', deleteCommand],
  ['distinct', distinct],
  ['drop', drop],
  ['dropDatabase', dropDatabase],
  ['dropIndexes', dropIndexes],
  ['dropSearchIndex', searchIndexes],
  ['endSessions', endSessions],
  ['explain', explainOf(() => commands)],
  ['find', find],
  ['findAndModify', findAndModify],
  ['findandmodify', findAndModify],
  ['getCmdLineOpts', getCmdLineOpts],
  ['getLog', getLog],
  ['getMore', getMore],
  ['getParameter', getParameter],
  ['hello', hello],
  ['hostInfo', hostInfo],
  ['insert', insert],
  ['isMaster', hello],
  ['ismaster', hello],
  ['killCursors', killCursors],
  ['killAllSessions', killAllSessions],
  ['killSessions', killSessions],
  ['listCollections', listCollections],
  ['listCommands', listCommandsOf(() => commands)],
  ['listDatabases', listDatabases],
  ['listIndexes', listIndexes],
  ['ping', ping],
  ['refreshSessions', refreshSessions],
  ['renameCollection', renameCollection],
  ['serverStatus', serverStatus],
  ['startSession', startSession],
  ['update', update],
  ['updateSearchIndex', searchIndexes],
]);
