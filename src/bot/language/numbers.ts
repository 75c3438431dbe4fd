const DIGITS: Readonly<Record<string, number>> = {
  零: 0,
  〇: 0,
  一: 1,
  幺: 1,
  二: 2,
  两: 2,
  俩: 2,
  三: 3,
  仨: 3,
  四: 4,
  五: 5,
  六: 6,
  七: 7,
  八: 8,
  九: 9,
};
const SCALES: Readonly<Record<string, number>> = { 十: 10, 百: 100, 千: 1000 };

/** The characters that Chinese numbers are written with. */
export const HAN_DIGITS = '零〇一幺二两俩三仨四五六七八九十廿百千';

/** `二十三` → 23, `两百` → 200, `廿八` → 28, `231` → 231; undefined: no number. */
export function parseWhole(text: string): number | undefined {
  if (/^\d+$/.test(text)) return Number(text);
  const spelled = text.replace('廿', '二十');
  if (spelled === '' || [...spelled].some((c) => DIGITS[c] === undefined && SCALES[c] === undefined)) return undefined;
  if (![...spelled].some((c) => SCALES[c] !== undefined))
    return spelled.length === 1 ? DIGITS[spelled] : Number([...spelled].map((c) => DIGITS[c]).join(''));
  let sum = 0;
  let digit: number | undefined;
  for (const c of spelled) {
    const scale = SCALES[c];
    if (scale === undefined) digit = DIGITS[c];
    else {
      sum += (digit ?? 1) * scale;
      digit = undefined;
    }
  }
  return sum + (digit ?? 0);
}

/** Digits one by one: `八八二一` → `8821`. */
export const spelledDigits = (text: string): string | undefined =>
  [...text].every((c) => /\d/.test(c) || DIGITS[c] !== undefined)
    ? [...text].map((c) => (/\d/.test(c) ? c : String(DIGITS[c]))).join('')
    : undefined;
