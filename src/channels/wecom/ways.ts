import type { OutgoingMessage } from '../../bot/message.js';

/** The answer that an open callback waits for. */
export class Slot {
  #state: 'open' | 'filled' | 'closed' = 'open';
  #text: string | undefined;
  #fill: (text: string) => void = () => undefined;
  #settle: (delivered: boolean) => void = () => undefined;
  /** Resolves with what is to be answered. */
  readonly filled = new Promise<string>((resolve) => {
    this.#fill = resolve;
  });
  readonly #settled = new Promise<boolean>((resolve) => {
    this.#settle = resolve;
  });

  get isOpen(): boolean {
    return this.#state === 'open';
  }

  /** What was offered and waits to be taken: nobody else will say it. */
  get offered(): string | undefined {
    return this.#state === 'filled' ? this.#text : undefined;
  }

  /** Resolves whether the answer went out; false also where nobody waits for one. */
  offer(text: string): Promise<boolean> {
    if (this.#state !== 'open') return Promise.resolve(false);
    this.#state = 'filled';
    this.#text = text;
    this.#fill(text);
    return this.#settled;
  }

  /** Nobody waits any more. */
  close(): void {
    if (this.#state === 'open') this.settle(false);
  }

  settle(delivered: boolean): void {
    this.#state = 'closed';
    this.#settle(delivered);
  }
}

/** How one incoming message can be answered, beside what can be sent at any time. */
export interface Way {
  readonly room: string | null;
  readonly person: string;
  /** It was said to the app, and is answered there. */
  readonly toApp?: boolean;
  readonly slot?: Slot;
  /** An address that takes one answer within an hour. */
  readonly responseUrl?: string | undefined;
  /** What the long connection named the message by. */
  readonly requestId?: string;
}

const HOUR_MS = 3_600_000;
const MAX_WAYS = 5000;

/** The id of the message that a message comes of. */
const questionOf = (message: OutgoingMessage): string => message.interaction.slice(message.to.channel.length + 1);

/** The ways to answer the messages of the last hour, in memory: after a crash a redelivered or stored message opens its way again. */
export class Ways {
  readonly #ways = new Map<string, { way: Way; until: number }>();
  readonly #used = new Set<string>();

  open(messageId: string, way: Way): void {
    this.#ways.delete(messageId);
    this.#ways.set(messageId, { way, until: performance.now() + HOUR_MS });
    for (const [first, { until }] of this.#ways) {
      if (this.#ways.size <= MAX_WAYS && until > performance.now()) break;
      this.#ways.delete(first);
    }
  }

  /** The way back to where a message comes from, if that is where the answer goes. */
  of(message: OutgoingMessage): Way | undefined {
    const found = this.#ways.get(questionOf(message));
    if (!found || found.until < performance.now()) return undefined;
    const { way } = found;
    const same =
      'room' in message.to ? message.to.room === way.room : way.room === null && message.to.person === way.person;
    return same ? way : undefined;
  }

  /** Has the message that this one comes of been seen by this process? */
  knows(message: OutgoingMessage): boolean {
    return this.#ways.has(questionOf(message));
  }

  /** True once for each address. */
  use(responseUrl: string): boolean {
    if (this.#used.has(responseUrl)) return false;
    this.#used.add(responseUrl);
    if (this.#used.size > MAX_WAYS)
      for (const first of [...this.#used].slice(0, MAX_WAYS / 2)) this.#used.delete(first);
    return true;
  }

  isUsed(responseUrl: string): boolean {
    return this.#used.has(responseUrl);
  }
}
