let varying = 0;
let reading = 0;

/** Notes that an operand was compiled whose value a document, a variable or chance decides. */
export function noteVarying(): void {
  varying += 1;
}

/** What `compile` makes, and whether all its operands are constants. */
export function constancyOf<T>(compile: () => T): readonly [made: T, constant: boolean] {
  const before = varying;
  const made = compile();
  return [made, varying === before];
}

/** Notes that an operand was compiled whose value a document or chance decides. */
export function noteReading(): void {
  noteVarying();
  reading += 1;
}

/** What `compile` makes, and whether documents or chance decide on its value: variables of the request do not count. */
export function readingOf<T>(compile: () => T): readonly [made: T, reads: boolean] {
  const before = reading;
  const made = compile();
  return [made, reading !== before];
}
