/** Slots whose wording is free: one contains the other, spaces and marks aside. */
const FREE = new Set(['note', 'text', 'reason', 'topic', 'place', 'purpose']);
const letters = (text: string): string => text.replace(/[\s\p{P}\p{S}]/gu, '');

/** Are the slots that were meant those that were read? A free text more than the label has is no error. */
export function sameSlots(meant: unknown, got: unknown, name = ''): boolean {
  if (FREE.has(name) && typeof meant === 'string' && typeof got === 'string') {
    const [a, b] = [letters(meant), letters(got)];
    return b !== '' && (a.includes(b) || b.includes(a));
  }
  if (Array.isArray(meant))
    return Array.isArray(got) && meant.length === got.length && meant.every((v, i) => sameSlots(v, got[i], name));
  if (typeof meant === 'object' && meant !== null) {
    if (typeof got !== 'object' || got === null || Array.isArray(got)) return false;
    const [m, g] = [Object.entries(meant), new Map(Object.entries(got))];
    return (
      m.every(([k, v]) => g.has(k) && sameSlots(v, g.get(k), k)) &&
      [...g.keys()].every((k) => k in meant || FREE.has(k))
    );
  }
  return meant === got;
}
