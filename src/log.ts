import { type DestinationStream, type Logger, pino } from 'pino';

/**
 * Whole mobile and ID numbers in a line of JSON, but for those that stand there as numbers. WeCom lets an organisation make
 * phone numbers its members' ids, and ids are in every line.
 */
const MOBILE = /(?<!\d|":)1[3-9]\d{5}(\d{4})(?!\d)/g;
const IDENTITY = /(?<!\d|":)[1-9]\d{5}(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(\d{3}[\dXx])(?!\d)/g;

/** The program's log: one line an event, no secret in a field of that name, no whole number of a person. */
export const createLog = (level: string, destination: DestinationStream): Logger =>
  pino(
    {
      level,
      redact: ['*.password', '*.token', '*.secret', '*.text'],
      hooks: { streamWrite: (line) => line.replace(IDENTITY, '**************$1').replace(MOBILE, '*******$1') },
    },
    destination,
  );
