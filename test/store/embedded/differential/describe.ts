import { type Outcome, shown } from './perform.js';
import type { Difference } from './verdicts.js';

/** The items of a list in JSON, each as text; other text as it is. */
const items = (text: string): string[] => {
  if (!text.startsWith('[')) return [text];
  const v = JSON.parse(text) as unknown;
  return Array.isArray(v) ? v.map((item) => JSON.stringify(item)) : [text];
};

/** Only what differs of two lists. */
const parted = (a: string, b: string): [string, string] => {
  const [x, y] = [items(a), items(b)];
  const pick = (mine: string[], other: string[]): string =>
    mine
      .filter((v) => !other.includes(v))
      .slice(0, 2)
      .join('\n          ')
      .slice(0, 500);
  const [p, q] = [pick(x, y), pick(y, x)];
  return p === '' && q === '' ? [`same documents: ${a.slice(0, 300)}`, b.slice(0, 300)] : [p, q];
};

const idsOf = (text: string): string[] => [...text.matchAll(/"_id":\{"\$numberInt":"(\d+)"\}/g)].map((m) => m[0]);

/** A difference in a few lines; numbers with a letter for their type (1.5d, 2L, 0m). */
export function describe({ operation, ours, theirs, before, stateOurs, stateTheirs }: Difference): string {
  const text = (o: Outcome): string => ('result' in o ? o.result : `error ${o.code} ${o.message.slice(0, 200)}`);
  const [a, b] = parted(text(ours), text(theirs));
  const lines = [shown(operation).slice(0, 700)];
  const ids = idsOf(a + b + (stateOurs === stateTheirs ? '' : parted(stateOurs, stateTheirs).join('')));
  const touched = items(before).filter((doc) => ids.some((id) => doc.includes(id)));
  lines.push(`before ${touched.slice(0, 2).join(' ').slice(0, 600)}`);
  lines.push(`ours   ${a}`, `theirs ${b}`);
  if (stateOurs !== stateTheirs) {
    const [x, y] = parted(stateOurs, stateTheirs);
    lines.push(`state ours   ${x}`, `state theirs ${y}`);
  }
  return lines
    .join('\n   ')
    .replaceAll(/\{"\$number(Int|Double|Long|Decimal)":"([^"]*)"\}/g, (_all, t: string, n: string) =>
      t === 'Int' ? n : `${n}${t === 'Double' ? 'd' : t === 'Long' ? 'L' : 'm'}`,
    );
}

/** Differences of one kind are likely of one cause: the first is shown, the rest counted. */
export const kindOf = ({ operation, ours, theirs }: Difference): string => {
  const detail =
    operation.kind === 'aggregate'
      ? operation.pipeline
          .flatMap((p) => Object.keys(p))
          .slice(1)
          .join(' ')
      : operation.kind === 'update'
        ? Object.keys(operation.update).join(' ')
        : '';
  return `${operation.kind} ${detail} | ${'code' in ours ? ours.code : 'ok'} / ${'code' in theirs ? theirs.code : 'ok'}`;
};
