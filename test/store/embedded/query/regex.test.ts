import { describe, expect, it } from '@jest/globals';
import { toRegExp } from '../../../../src/store/embedded/query/regex.js';

/** What PCRE says of a pattern. https://www.pcre.org/current/doc/html/pcre2pattern.html */
describe('a regular expression', () => {
  it.each<[pattern: string, flags: string, fits: readonly string[], not: readonly string[]]>([
    // The end: also before a last line feed; of a line only at a line feed.
    ['foo$', '', ['foo', 'foo\n', 'a\nfoo'], ['foo\nbar', 'foo\r', 'foo\n\n']],
    ['^bar$', 'm', ['foo\nbar\nx', 'bar'], ['foo\rbar', 'foo\u2028bar', 'bar\r']],
    ['\\Afoo\\Z', 'm', ['foo', 'foo\n'], ['x\nfoo']],
    ['foo\\z', '', ['foo'], ['foo\n']],
    // What looks or names a place may be repeated.
    ['^\\b+a(?=b)*(?!c){1}\\B?', '', ['a', 'ab'], ['ac']],
    ['^ *a \\b + # x\n $', 'x', ['a'], ['ab']],
    // A dot is all but a line feed; white space and words are those of ASCII.
    ['^a.b$', '', ['a\rb', 'a\u2028b', 'a🎉b'], ['a\nb']],
    ['^a.b$', 's', ['a\nb'], ['ab']],
    ['\\s', '', [' ', '\t', '\v', '\r'], ['\u00A0', '\u2003', '\uFEFF']],
    ['^[\\S]$', '', ['\u00A0', 'x'], [' ', '\n']],
    ['\\h\\v\\R', '', ['\u00A0\u2028\r\n'], [' \n']],
    ['^\\w\\d\\N$', '', ['a1\r'], ['é1x', 'a٣x', 'a1\n']],
    // Words of PCRE's that JavaScript has not.
    ['^\\Qa.b*\\E+$', '', ['a.b*', 'a.b***'], ['axb*']],
    ['^[[:digit:][:^alpha:]]+$', '', ['1-_'], ['1a']],
    ['^[]a]+$', '', [']a]'], ['b']],
    ['^[^]a]$', '', ['b'], [']', 'a']],
    ['^[a\\-z.-]+$', '', ['a-z.'], ['b']],
    ['^[\\w-.]+$', '', ['a-.'], [',']],
    ['a(?#a comment)b', '', ['ab'], ['a']],
    ['(?P<x>a|b)(?P=x)\\k{x}\\g1\\1', '', ['aaaaa', 'bbbbb'], ['aabaa']],
    ['^(a)\\g{-1}$', '', ['aa'], ['a']],
    ['^\\x{1F389}\\x41\\101\\e?$', '', ['🎉AA'], ['🎉A']],
    ['^a{,2}{b}$', '', ['a{,2}{b}'], ['aa']],
    ['^\\pL\\p{Lu}\\P{L}\\p{Greek}\\p{^N}$', '', ['aA1αx'], ['aa1αx']],
    ['^a b # c\n\\ c[ #]$', 'x', ['ab c#', 'ab c '], ['a b c#']],
    ['(?i)ABC', '', ['abc'], ['ab']],
    ['(?im)^B', '', ['a\nb'], ['ab']],
    ['a(?s:.)b.c', '', ['a\nbxc'], ['a\nb\nc']],
    ['a(?s).b|c.d', '', ['a\nb', 'c\nd'], ['ab']],
    ['(*UTF8)ä', 'i', ['Ä'], ['a']],
  ])('%j with %j', (pattern, flags, fits, not) => {
    const expression = toRegExp(pattern, flags);
    expect(fits.filter((text) => !expression.test(text))).toEqual([]);
    expect(not.filter((text) => expression.test(text))).toEqual([]);
  });

  it.each(['$', '\\z', '\\Z'])('%j is no place within a character', (pattern) =>
    expect(['', 'm'].map((flags) => toRegExp(pattern, flags).exec('🎉a')?.index)).toEqual([3, 3]),
  );

  it.each(['[a', '(a', 'a)', '(?<=a+)b', '(?<!a{1,2})b', '*a', '\\y', '[[:no:]]', '[b-a]', '\\2(a)', 'a\\'])(
    '%j is none',
    (pattern) => expect(() => toRegExp(pattern, '', 51111)).toThrow(expect.objectContaining({ code: 51111 })),
  );

  it.each([
    'a++',
    '(?>a)',
    '(?(1)a)',
    '(?R)',
    '\\Ga',
    'a\\K',
    '\\X',
    'a(?i)b',
    '(?i:a)',
    '(?|a)',
    '(*ACCEPT)',
    '\\g<1>(a)',
  ])('%j is refused', (pattern) => expect(() => toRegExp(pattern, '')).toThrow(expect.objectContaining({ code: 238 })));
});
