let varying = 0;

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
