import schedule from 'node-schedule';
import type { Logger } from 'pino';
import type { Clock } from '../clock.js';

/** Something that falls due at times which the store knows. */
export interface Job {
  readonly name: string;
  /** When it is due next; undefined: nothing waits. */
  next(): Promise<Date | undefined>;
  /** Does what is due at this moment; afterwards `next` is later. */
  run(at: Date): Promise<void>;
}

/** A job that is due again at once after each run would hold the clock for ever. */
const MAX_RUNS = 10_000;

/** Runs jobs in the order in which they fall due, by the program's clock. */
export class Schedule {
  readonly #jobs: readonly Job[];
  readonly #clock: Clock;
  readonly #log: Logger;
  #running: Promise<void> = Promise.resolve();
  #timer: schedule.Job | undefined;

  constructor({ jobs, clock, log }: { jobs: readonly Job[]; clock: Clock; log: Logger }) {
    this.#jobs = jobs;
    this.#clock = clock;
    this.#log = log;
  }

  /** Looks every ten seconds; what fell due while the program was down runs first. */
  start(): void {
    this.#timer = schedule.scheduleJob('*/10 * * * * *', () => {
      this.runDue(this.#clock.now()).catch((err: unknown) => this.#log.error({ err }, 'job failed'));
    });
  }

  async stop(): Promise<void> {
    this.#timer?.cancel();
    await this.#running.catch(() => undefined);
  }

  /** Resolves when everything due until then has run, in order. */
  runDue(until: Date): Promise<void> {
    this.#running = this.#running.catch(() => undefined).then(() => this.#run(until));
    return this.#running;
  }

  async #run(until: Date): Promise<void> {
    for (let runs = 0; runs < MAX_RUNS; runs += 1) {
      let first: { job: Job; at: Date } | undefined;
      for (const job of this.#jobs) {
        const at = await job.next();
        if (at && at <= until && (!first || at < first.at)) first = { job, at };
      }
      if (!first) return;
      await first.job.run(first.at);
      this.#log.debug({ job: first.job.name, at: first.at }, 'job done');
    }
  }
}
