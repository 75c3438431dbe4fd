/** Long work lets others have their turn this often; a command that waits then notices nothing. */
const SLICE_MS = 8;
/** Steps between two looks at the clock. */
const LOOK_EVERY = 32;

/** Measures a piece of long work. A generator of such work yields undefined where it may be interrupted. */
export class Slice {
  #ends = 0;
  #steps = 0;

  /** Asked at each step; true: others should have their turn now. The next slice begins with the next step. */
  over(): boolean {
    this.#steps += 1;
    if (this.#steps % LOOK_EVERY !== 0) return false;
    const now = performance.now();
    if (this.#ends === 0) this.#ends = now + SLICE_MS;
    if (now < this.#ends) return false;
    this.#ends = 0;
    return true;
  }
}

/** Runs work to its end, with a pause at each interruption. */
export async function inSlices<T>(work: Iterator<undefined, T>, pause: () => Promise<void>): Promise<T> {
  for (;;) {
    const step = work.next();
    if (step.done) return step.value;
    await pause();
  }
}

/** As `map`, in slices. */
export function* mapInSlices<T, U>(list: readonly T[], change: (item: T, at: number) => U): Generator<undefined, U[]> {
  const slice = new Slice();
  const out: U[] = [];
  for (let i = 0; i < list.length; i += 1) {
    out.push(change(list[i] as T, i));
    if (slice.over()) yield;
  }
  return out;
}

/** Runs sorted together at once, before they are merged. */
const RUN = 512;

/** As `toSorted`, stable, in slices. */
export function* sortInSlices<T>(list: readonly T[], compare: (a: T, b: T) => number): Generator<undefined, T[]> {
  const slice = new Slice();
  let runs: T[][] = [];
  for (let from = 0; from < list.length; from += RUN) {
    runs.push(list.slice(from, from + RUN).sort(compare));
    for (let i = 0; i < LOOK_EVERY; i += 1) if (slice.over()) yield;
  }
  while (runs.length > 1) {
    const merged: T[][] = [];
    for (let i = 0; i < runs.length; i += 2) {
      const [a, b] = [runs[i] as T[], runs[i + 1]];
      merged.push(b ? yield* merge(a, b, compare, slice) : a);
    }
    runs = merged;
  }
  return runs[0] ?? [];
}

function* merge<T>(
  a: readonly T[],
  b: readonly T[],
  compare: (a: T, b: T) => number,
  slice: Slice,
): Generator<undefined, T[]> {
  const out: T[] = [];
  let [i, k] = [0, 0];
  while (i < a.length && k < b.length) {
    if (compare(a[i] as T, b[k] as T) <= 0) out.push(a[i++] as T);
    else out.push(b[k++] as T);
    if (slice.over()) yield;
  }
  while (i < a.length) out.push(a[i++] as T);
  while (k < b.length) out.push(b[k++] as T);
  return out;
}
