import { type Fact, sameItems } from './facts.js';
import { isDoc, isHollow, isList, numberOf, same, some } from './json.js';
import { isAccumulated, isRight, pipelineOf } from './made.js';
import { docOf, listOf, projectedPaths, stagesOf } from './request.js';
import { has, operator, page, type Seen, type Verdict } from './rule.js';

/** The first field of a fact's path; `value` is where findAndModify answers. */
const headOf = (f: Fact): string | undefined => f.path.find((step) => !/^\d+$/.test(step) && step !== 'value');
/** Whether a projection names a path into the field of a fact. */
const isProjectedInto = (f: Fact, s: Seen): boolean =>
  projectedPaths(s.operation).some((path) => path.includes('.') && path.split('.')[0] === headOf(f));

/** Verdicts on projections, $unset and $set, each against the second server. */
export const projections: readonly Verdict[] = [
  {
    name: 'documents that a projection leaves empty are lost in $facet',
    page: operator('aggregation/facet'),
    fact: (f, s) => {
      if (isList(f.ours) && isList(f.theirs))
        return (
          has(s, '$facet') &&
          f.ours.some(isHollow) &&
          !f.theirs.some(isHollow) &&
          sameItems(
            f.ours.filter((item) => !isHollow(item)),
            f.theirs,
          )
        );
      return (
        isHollow(f.ours) &&
        f.theirs === undefined &&
        f.path.length === 1 &&
        stagesOf(pipelineOf(s)).some(
          ({ name, spec, after }) =>
            name === '$facet' &&
            f.path.every((field) => field in docOf(spec)) &&
            after.some((later) => later.name === '$unwind' && docOf(later.spec)['path'] === `$${f.path.join('.')}`),
        )
      );
    },
  },
  {
    name: 'a projection into what is missing or no document leaves an empty document, or takes the field along',
    page: operator('aggregation/unset'),
    fact: (f, s) => {
      if (f.kind === 'keys')
        return projectedPaths(s.operation).some((path) => isHollow(docOf(f.theirs)[path.split('.')[0] ?? '']));
      return (
        f.kind === 'value' &&
        isProjectedInto(f, s) &&
        !isDoc(f.ours) &&
        (isHollow(f.theirs) || f.theirs === undefined) &&
        (f.ours === undefined || some([...s.before], (part) => same(part, f.ours)))
      );
    },
  },
  {
    name: 'an empty document that a projection left names a group',
    page: operator('aggregation/unset'),
    fact: (f, s) =>
      has(s, '$unset', '$project') &&
      has(s, '$group') &&
      f.path.includes('_id') &&
      !isDoc(f.ours) &&
      isHollow(f.theirs) &&
      isRight(f, s),
  },
  {
    name: 'an empty document that a projection left is the greatest, the least, the first or the last',
    page: operator('aggregation/unset'),
    fact: (f, s) =>
      has(s, '$unset', '$project') &&
      isAccumulated(f, s, '$max', '$min', '$first', '$last') &&
      !isDoc(f.ours) &&
      isHollow(f.theirs) &&
      isRight(f, s),
  },
  {
    name: 'a projection into an array makes its values empty documents',
    page: operator('aggregation/unset'),
    fact: (f, s) =>
      isProjectedInto(f, s) &&
      isList(f.theirs) &&
      f.theirs.some(isHollow) &&
      sameItems(
        listOf(f.ours),
        f.theirs.filter((v) => !isHollow(v)),
      ),
  },
  {
    name: 'a field that was unset is still read by a later stage',
    page: operator('aggregation/unset'),
    fact: (f, s) => {
      if (!s.alike.parted) return false;
      return stagesOf(pipelineOf(s)).some(({ name, spec, after }) => {
        const gone = name === '$unset' && typeof spec === 'string' ? [spec] : [];
        const excluded =
          name === '$project'
            ? Object.entries(docOf(spec))
                .filter(([, v]) => numberOf(v)?.value === 0)
                .map(([k]) => k)
            : [];
        return [...gone, ...excluded].some((path) => {
          const head = path.split('.')[0] ?? '';
          return after.some(
            (later) =>
              ['$set', '$addFields', '$project'].includes(later.name) &&
              f.path[0] !== undefined &&
              f.path[0] in docOf(later.spec) &&
              some(
                later.spec,
                (part) => typeof part === 'string' && (part === `$${head}` || part.startsWith(`$${head}.`)),
              ),
          );
        });
      });
    },
  },
  {
    name: '$set of a field by a document of expressions moves it to the end',
    page: operator('aggregation/addFields'),
    fact: (f, s) =>
      f.kind === 'keys' &&
      stagesOf(pipelineOf(s)).some(
        ({ name, spec }) =>
          ['$set', '$addFields'].includes(name) &&
          Object.entries(docOf(spec)).some(([path, v]) => {
            const steps = path.split('.');
            const at = [...f.path, steps.at(-1) ?? ''].join('.');
            return (
              isDoc(v) &&
              !Object.keys(v).some((key) => key.startsWith('$')) &&
              path === at &&
              Object.keys(docOf(f.theirs)).at(-1) === steps.at(-1)
            );
          }),
      ),
  },
  {
    name: 'of a wrong projection and a wrong value the value is told',
    page: page('reference/method/db.collection.find/#projection'),
    refusal: (s) => (s.code === 31249 || s.code === 31250) && s.ours === undefined && s.theirs === undefined,
  },
  {
    name: 'a projection whose fields no later stage reads is not checked',
    page: operator('aggregation/project'),
    refusal: (s) => (s.code === 31249 || s.code === 31250) && s.theirs !== undefined && s.refusedEarlier,
  },
  {
    name: 'a projection is checked only when a document comes',
    page: page('reference/method/db.collection.find/#projection'),
    refusal: (s) =>
      (s.code === 31249 || s.code === 31250) &&
      ((isList(s.theirs) && s.theirs.length === 0) || (isDoc(s.theirs) && s.theirs['value'] === null)),
  },
];
