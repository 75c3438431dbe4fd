const DIGITS: Readonly<Record<string, number>> = {
  零: 0,
  〇: 0,
  一: 1,
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
  幺: 1,
};
const UNITS: Readonly<Record<string, number>> = { 十: 10, 百: 100, 千: 1000 };

/** The characters of Chinese numbers up to thousands, for use inside a character class. */
export const NUMERALS = '零〇一二两俩三四五六七八九十百千廿卅';
/** A whole number in digits or Chinese, as the source of a regular expression. */
export const NUMBER = `(?:\\d{1,6}|[${NUMERALS}]{1,9})`;
/** As NUMBER, or a decimal fraction: `2.5`, `两点五`. */
export const DECIMAL = `(?:\\d{0,4}\\.\\d{1,2}|[${NUMERALS}]{1,6}点[零一二三四五六七八九]{1,2}|${NUMBER})`;

/** Digits said one by one, as in phone numbers and codes: `二二零八`, `幺幺三五`. Undefined where anything else occurs. */
export function spokenDigits(text: string): string | undefined {
  let digits = '';
  for (const char of text) {
    const digit = /\d/.test(char) ? Number(char) : char === '俩' || char === '仨' ? undefined : DIGITS[char];
    if (digit === undefined) return undefined;
    digits += digit;
  }
  return digits === '' ? undefined : digits;
}

/** A whole number up to 9999 in digits or Chinese (`两百三十一`, `廿二`, `二三一`); undefined: it is none. */
export function wholeNumber(text: string): number | undefined {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  const plain = text.replace(/廿/g, '二十').replace(/卅/g, '三十');
  if (plain === '') return undefined;
  if (!/[十百千]/.test(plain)) {
    const digits = spokenDigits(plain);
    return digits === undefined || digits.length > 6 ? undefined : Number(digits);
  }
  let total = 0;
  let digit: number | undefined;
  let lastUnit = 10_000;
  for (const char of plain) {
    const unit = UNITS[char];
    if (unit === undefined) {
      const value = DIGITS[char];
      if (value === undefined || (digit !== undefined && digit !== 0)) return undefined;
      digit = value;
    } else {
      if (unit >= lastUnit) return undefined;
      total += (digit ?? 1) * unit;
      digit = undefined;
      lastUnit = unit;
    }
  }
  return total + (digit ?? 0);
}

/** As wholeNumber, and fractions: `2.5`, `.5`, `两点五`. */
export function decimalNumber(text: string): number | undefined {
  if (/^\d*\.\d+$/.test(text)) return Number(text);
  const [whole = '', part] = text.split('点');
  const value = wholeNumber(whole);
  if (part === undefined) return value;
  const digits = spokenDigits(part);
  return value === undefined || digits === undefined ? undefined : Number(`${value}.${digits}`);
}
