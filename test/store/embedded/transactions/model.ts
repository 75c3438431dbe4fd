/** One document of the model: a counter and a unique name, where it has one. */
export interface Row {
  readonly n: number;
  readonly u?: string | undefined;
}

type Rows = ReadonlyMap<string, Row>;

interface Open {
  readonly started: number;
  readonly view: Map<string, Row>;
  readonly locks: Set<string>;
  readonly changed: Map<string, Row | undefined>;
}

/** What a step is answered: done, or one of these codes. */
export type Outcome = 'done' | 112 | 11000 | 251;

/**
 * Snapshot isolation as it is written down: a transaction reads the moment of its first statement and its own writes; who
 * writes a key first holds it, and a key written since that moment can't be written again. A name is a key as well.
 */
export class Model {
  rows = new Map<string, Row>();
  readonly #written = new Map<string, number>();
  readonly #sessions = new Map<number, Open | 'aborted'>();
  #version = 0;

  state(session: number): 'none' | 'open' | 'aborted' {
    const s = this.#sessions.get(session);
    return s === undefined ? 'none' : s === 'aborted' ? 'aborted' : 'open';
  }

  /** What a session sees; undefined: its transaction is over. */
  view(session: number): Rows | undefined {
    const s = this.#begin(session);
    return s === 'aborted' ? undefined : s.view;
  }

  insert(session: number, key: string, row: Row): Outcome {
    return this.#statement(session, (s) => {
      if (!this.#lock(s, key)) return 112;
      if (s.view.has(key)) return 11000;
      return this.#name(s, row.u) ?? this.#put(s, key, row);
    });
  }

  update(session: number, key: string, change: (row: Row) => Row): Outcome {
    return this.#statement(session, (s) => {
      const before = s.view.get(key);
      if (!before) return 'done';
      if (!this.#lock(s, key)) return 112;
      const after = change(before);
      if (after.u === before.u && after.n === before.n) return 'done';
      if (after.u === before.u) return this.#put(s, key, after);
      if (before.u !== undefined && !this.#lock(s, `name ${before.u}`)) return 112;
      s.view.delete(key);
      return this.#name(s, after.u) ?? this.#put(s, key, after);
    });
  }

  remove(session: number, key: string): Outcome {
    return this.#statement(session, (s) => {
      const before = s.view.get(key);
      if (!before) return 'done';
      if (!this.#lock(s, key) || (before.u !== undefined && !this.#lock(s, `name ${before.u}`))) return 112;
      s.view.delete(key);
      s.changed.set(key, undefined);
      return 'done';
    });
  }

  commit(session: number): Outcome {
    const s = this.#sessions.get(session);
    this.#sessions.delete(session);
    if (s === undefined) return 'done';
    if (s === 'aborted') return 251;
    if (s.changed.size === 0) return 'done';
    this.#version += 1;
    for (const key of s.locks) this.#written.set(key, this.#version);
    for (const [key, row] of s.changed)
      if (row) this.rows.set(key, row);
      else this.rows.delete(key);
    return 'done';
  }

  abort(session: number): void {
    this.#sessions.delete(session);
  }

  /** A single write would wait for the transaction that holds one of its keys. */
  free(keys: readonly string[]): boolean {
    return ![...this.#sessions.values()].some((s) => s !== 'aborted' && keys.some((k) => s.locks.has(k)));
  }

  #begin(session: number): Open | 'aborted' {
    const there = this.#sessions.get(session);
    if (there) return there;
    const s: Open = { started: this.#version, view: new Map(this.rows), locks: new Set(), changed: new Map() };
    this.#sessions.set(session, s);
    return s;
  }

  #statement(session: number, run: (s: Open) => Outcome): Outcome {
    const s = this.#begin(session);
    if (s === 'aborted') return 251;
    const outcome = run(s);
    if (outcome !== 'done') this.#sessions.set(session, 'aborted');
    return outcome;
  }

  #lock(s: Open, key: string): boolean {
    const held = [...this.#sessions.values()].some((o) => o !== s && o !== 'aborted' && o.locks.has(key));
    if (held || (this.#written.get(key) ?? 0) > s.started) return false;
    s.locks.add(key);
    return true;
  }

  #name(s: Open, u: string | undefined): Outcome | undefined {
    if (u === undefined) return undefined;
    if (!this.#lock(s, `name ${u}`)) return 112;
    return [...s.view.values()].some((row) => row.u === u) ? 11000 : undefined;
  }

  #put(s: Open, key: string, row: Row): Outcome {
    s.view.set(key, row);
    s.changed.set(key, row);
    return 'done';
  }
}
