export interface Figures {
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
}

export const median = (list: readonly number[]): number =>
  list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)] ?? 0;

const figures = (times: readonly number[], milliseconds: number): Figures => {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.min(Math.floor(sorted.length * share), sorted.length - 1)] ?? 0;
  return { perSecond: (times.length * 1000) / milliseconds, p50: at(0.5), p99: at(0.99) };
};

/** Runs `count` pieces of work, `width` at a time. */
export async function measure(count: number, width: number, work: (i: number) => Promise<unknown>): Promise<Figures> {
  let left = count;
  return run(width, work, () => (left -= 1) >= 0);
}

/** Runs work for a time, `width` pieces at once; each piece that was begun is counted with the time it took. */
export async function measureFor(
  milliseconds: number,
  width: number,
  work: (i: number, caller: number) => Promise<unknown>,
): Promise<Figures> {
  const until = performance.now() + milliseconds;
  return run(width, work, () => performance.now() < until);
}

async function run(
  width: number,
  work: (i: number, caller: number) => Promise<unknown>,
  more: () => boolean,
): Promise<Figures> {
  const times: number[] = [];
  let next = 0;
  const started = performance.now();
  await Promise.all(
    Array.from({ length: width }, async (_, caller) => {
      while (more()) {
        const from = performance.now();
        await work(next++, caller);
        times.push(performance.now() - from);
      }
    }),
  );
  return figures(times, performance.now() - started);
}
