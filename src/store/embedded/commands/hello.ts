import { MAX_DOCUMENT } from '../bson/value.js';
import { SESSION_MINUTES } from '../server/sessions.js';
import { MAX_MESSAGE } from '../wire/message.js';
import { type Command, int } from './command.js';

const WIRE_VERSION = 25;

const SET_NAME = 'gridmate';

export const hello: Command = {
  help: 'What the server is: the primary of a replica set of one.',
  run({ engine, connectionId }) {
    const address = engine.address();
    return {
      helloOk: true,
      ismaster: true,
      isWritablePrimary: true,
      secondary: false,
      setName: SET_NAME,
      hosts: [address],
      me: address,
      primary: address,
      maxBsonObjectSize: int(MAX_DOCUMENT),
      maxMessageSizeBytes: int(MAX_MESSAGE),
      maxWriteBatchSize: int(100_000),
      localTime: new Date(),
      logicalSessionTimeoutMinutes: int(SESSION_MINUTES),
      connectionId: int(connectionId),
      minWireVersion: int(0),
      maxWireVersion: int(WIRE_VERSION),
      readOnly: false,
    };
  },
};
