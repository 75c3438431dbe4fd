import { isDoc, isNumeric, toNumber, typeName } from '../../bson/types.js';
import type { Doc, Value } from '../../bson/value.js';
import { EngineError } from '../../errors.js';
import { fieldsOf, type Language, languageOf, type Text, textsIn } from './language.js';
import { stem } from './stem.js';

/** What a text index says. */
export interface TextIndex {
  /** The paths before the words: a search has to hold each equal to a value. */
  readonly prefix: readonly string[];
  readonly language: Language;
  /** The texts of a document. @throws {EngineError} 17261, 17262, 238: it says a language that can not be */
  texts(doc: Doc): readonly Text[];
  /** It is kept, but no search may use it. */
  readonly hidden?: boolean | undefined;
}

/** An index that there is not: nothing is searched. */
export const NO_TEXT: TextIndex = { prefix: [], language: 'english', texts: () => [] };

/** How an index of words is to be read. `weights`: by path; `$**` is every text there is. */
export function textIndexOf(key: Doc, options: Doc, hidden: boolean | undefined): TextIndex {
  const {
    weights,
    default_language: name,
    language_override: override = 'language',
  } = options as Record<string, Value>;
  const given = Object.entries(isDoc(weights) ? weights : {}).map(
    ([path, w]) => [path, isNumeric(w) ? toNumber(w) : 1] as const,
  );
  const everything = given.find(([path]) => path === '$**')?.[1];
  const fields = fieldsOf(given.filter(([path]) => path !== '$**'));
  const language = typeof name === 'string' ? languageOf(name, 'CannotCreateIndex') : 'english';
  const paths = Object.keys(key);
  return {
    prefix: paths.slice(0, paths.indexOf('_fts')),
    language,
    texts: (doc) => textsIn(doc, fields, language, { override: String(override), everything }),
    hidden,
  };
}

/** English words that are not searched for. https://snowballstem.org/algorithms/english/stop.txt */
const stopWords = new Set(
  "i me my myself we our ours ourselves you your yours yourself yourselves he him his himself she her hers herself it its itself they them their theirs themselves what which who whom this that these those am is are was were be been being have has had having do does did doing would should could ought i'm you're he's she's it's we're they're i've you've we've they've i'd you'd he'd she'd we'd they'd i'll you'll he'll she'll we'll they'll isn't aren't wasn't weren't hasn't haven't hadn't doesn't don't didn't won't wouldn't shan't shouldn't can't cannot couldn't mustn't let's that's who's what's here's there's when's where's why's how's a an the and but if or because as until while of at by for with about against between into through during before after above below to from up down in out on off over under again further then once here there when where why how all any both each few more most other some such no nor not only own same so than too very".split(
    ' ',
  ),
);

interface Folding {
  readonly keepsCase: boolean;
  readonly keepsMarks: boolean;
}

function fold(text: string, { keepsCase, keepsMarks }: Folding): string {
  const plain = keepsMarks ? text : text.normalize('NFD').replace(/\p{M}/gu, '');
  return keepsCase ? plain : plain.toLowerCase();
}

/** The words of a text as they are compared: stems, without stop words. */
function termsOf(text: string, language: Language, folding: Folding): string[] {
  const words = text.match(/[\p{L}\p{N}\p{M}_]+(?:'[\p{L}]+)*/gu) ?? [];
  return words.flatMap((word) => {
    if (language !== 'none' && stopWords.has(word.toLowerCase())) return [];
    const folded = fold(word, folding);
    return [language === 'none' ? folded : stem(folded)];
  });
}

/** How much each word of a text counts: the more often it stands there, and the fewer others beside it, the more. */
function scoresIn(text: string, terms: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const term of terms) counts.set(term, (counts.get(term) ?? 0) + 1);
  return new Map(
    [...counts].map(([term, count]) => {
      // Each further time counts half as much as the one before.
      const often = 2 - 2 ** (1 - count);
      const whole = text.toLowerCase() === term ? 1.1 : 1;
      return [term, often * ((0.5 * count) / terms.length + 0.5) * whole];
    }),
  );
}

/**
 * Compiles `$text`. A document's score, or undefined where it does not match: any word is enough, each phrase has to stand
 * there, and nothing that is negated may. https://www.mongodb.com/docs/manual/reference/operator/query/text/
 *
 * @throws {EngineError} 27: the collection has no text index; 291: it is hidden; 2, 9, 14: what is no search
 */
export function compileText(operand: Value, index: TextIndex | undefined): (doc: Doc) => number | undefined {
  if (!isDoc(operand)) throw new EngineError('TypeMismatch', '$text expects an object');
  if (!index) throw new EngineError('IndexNotFound', 'text index required for $text query');
  if (index.hidden)
    throw new EngineError('NoQueryExecutionPlans', 'failed to use text index to satisfy $text query: it is hidden');
  const {
    $search: search,
    $language: given = index.language,
    $caseSensitive: keepsCase = false,
    $diacriticSensitive: keepsMarks = false,
    ...rest
  } = operand as Record<string, Value>;
  const [odd] = Object.keys(rest);
  if (odd !== undefined) throw new EngineError('BadValue', `extra fields in $text: ${odd}`);
  if (typeof search !== 'string') throw new EngineError('TypeMismatch', '$search had the wrong type. Expected string');
  if (typeof given !== 'string') throw new EngineError('TypeMismatch', '$language had the wrong type. Expected string');
  for (const [option, v] of Object.entries({ $caseSensitive: keepsCase, $diacriticSensitive: keepsMarks }))
    if (typeof v !== 'boolean')
      throw new EngineError('TypeMismatch', `${option} had the wrong type. Expected bool, found ${typeName(v)}`);
  const language = languageOf(given, 'BadValue');
  const folding = { keepsCase: keepsCase === true, keepsMarks: keepsMarks === true };
  const phrases = [...search.matchAll(/(-?)"([^"]*)"/g)].map(([, minus, text = '']) => ({
    not: minus === '-',
    text: fold(text, folding),
  }));
  const words = search
    .replace(/-"[^"]*"/g, ' ')
    .replaceAll('"', ' ')
    .split(/\s+/);
  const wanted = new Set(words.filter((w) => !/^-\S/.test(w)).flatMap((w) => termsOf(w, language, folding)));
  const unwanted = words.filter((w) => /^-\S/.test(w)).flatMap((w) => termsOf(w.slice(1), language, folding));
  return (doc) => {
    let score = 0;
    const texts = index.texts(doc);
    for (const { text, weight, language: spoken } of texts) {
      const scores = scoresIn(text, termsOf(text, spoken, folding));
      if (unwanted.some((term) => scores.has(term))) return undefined;
      for (const term of wanted) score += weight * (scores.get(term) ?? 0);
    }
    const holds = (phrase: string): boolean => texts.some(({ text }) => fold(text, folding).includes(phrase));
    return score > 0 && phrases.every(({ not, text }) => holds(text) !== not) ? score : undefined;
  };
}

/** Scores of documents that a `$text` found, for `$meta`. */
const found = new WeakMap<Doc, number>();
export const keepScore = (doc: Doc, score: number | undefined): void => {
  if (score !== undefined) found.set(doc, score);
};
export const hasScore = (doc: Doc): boolean => found.has(doc);

/** @throws {EngineError} 40218: nothing was searched for */
export function scoreOf(doc: Doc): number {
  const score = found.get(doc);
  if (score === undefined) throw new EngineError(40218, 'query requires text score metadata, but it is not available');
  return score;
}
