import { Writable } from 'node:stream';
import { type Logger, pino } from 'pino';

/** A log at the finest level, and all that was written to it. */
export class LogLines {
  text = '';
  readonly log: Logger = pino(
    { level: 'trace' },
    new Writable({
      write: (chunk, _encoding, done) => {
        this.text += String(chunk);
        done();
      },
    }),
  );
}
