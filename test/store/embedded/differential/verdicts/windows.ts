import { type NumberType, equal, isDecimal, numberOf, same } from './json.js';
import { isAccumulated, isRight, pipelineOf } from './made.js';
import { allStages, docOf, stagesOf } from './request.js';
import { has, operator, type Seen, type Verdict } from './rule.js';

/** The types of number, the narrowest first. */
const WIDTH: readonly NumberType[] = ['Int', 'Long', 'Double', 'Decimal'];
const isTwice = (s: Seen): boolean =>
  stagesOf(pipelineOf(s)).some(
    ({ name, after }) => name === '$setWindowFields' && after.some((stage) => stage.name === '$setWindowFields'),
  );

/** Verdicts on $setWindowFields, each against the second server. */
export const windows: readonly Verdict[] = [
  {
    name: '$sum in a window keeps the type and the digits of a number that has left it',
    page: operator('aggregation/setWindowFields'),
    fact: (f, s) => {
      const [mine, other] = [numberOf(f.ours), numberOf(f.theirs)];
      return (
        has(s, '$setWindowFields') &&
        isAccumulated(f, s, '$sum') &&
        mine !== undefined &&
        other !== undefined &&
        equal(f.ours, f.theirs) &&
        (WIDTH.indexOf(mine.type) < WIDTH.indexOf(other.type) || (isDecimal(f.ours) && isDecimal(f.theirs))) &&
        isRight(f, s)
      );
    },
  },
  {
    name: '$sum, $avg, $linearFill and deviations of doubles have another last digit',
    page: operator('aggregation/sum'),
    fact: (f, s) =>
      has(s, '$sum', '$avg', '$stdDevPop', '$stdDevSamp', '$linearFill') &&
      numberOf(f.ours)?.type === 'Double' &&
      numberOf(f.theirs)?.type === 'Double' &&
      equal(f.ours, f.theirs),
  },
  {
    name: '$sum and $avg add 15 digits of a double to a decimal, not all of them',
    page: operator('aggregation/avg'),
    fact: (f, s) => has(s, '$sum', '$avg') && isDecimal(f.ours) && isDecimal(f.theirs) && equal(f.ours, f.theirs),
  },
  {
    name: '$shift gives nothing where it should give a value or its default',
    page: operator('aggregation/shift'),
    fact: (f, s) =>
      has(s, '$shift') && f.path[0] === 'w' && f.ours !== undefined && f.theirs === undefined && isRight(f, s),
  },
  {
    name: 'a field that two $setWindowFields set keeps what the first gave',
    page: operator('aggregation/setWindowFields'),
    fact: (f, s) => f.path[0] === 'w' && isTwice(s) && isRight(f, s),
  },
  {
    name: '$setWindowFields of a field that is there moves it to the end',
    page: operator('aggregation/setWindowFields'),
    fact: (f, s) =>
      f.kind === 'keys' &&
      f.path.length === 0 &&
      allStages(pipelineOf(s)).filter(({ name }) => name === '$setWindowFields').length > 1 &&
      same(
        Object.keys(docOf(f.ours)).filter((key) => key !== 'w'),
        Object.keys(docOf(f.theirs)).filter((key) => key !== 'w'),
      ),
  },
];
