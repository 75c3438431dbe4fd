import { describe, expect, it } from '@jest/globals';
import { toRegExp } from '../../../../src/store/embedded/query/regex.js';

/**
 * What PCRE's manual says of each construct: https://www.pcre.org/current/doc/html/pcre2pattern.html. MongoDB searches by it:
 * https://www.mongodb.com/docs/manual/reference/operator/query/regex/#pcre-regular-expressions
 */
describe('a regular expression', () => {
  it.each<[about: string, pattern: string, flags: string, found: string[], not: string[]]>([
    ['$ stands before a last line feed', '^a$', '', ['a', 'a\n'], ['a\nb', 'a\r', 'a\n\n']],
    ['^ and $ of lines know line feeds alone', '^b$', 'm', ['b', 'a\nb\nc'], ['a\rb', 'a\u2028b']],
    ['no line begins after the last line feed', '^$', 'm', ['', 'a\n\nb'], ['a\n']],
    ['the ends of a text', '\\Aa\\z', 'm', ['a'], ['a\n', 'b\na']],
    ['the end of a text or of its last line', 'a\\Z', '', ['a', 'a\n'], ['ab']],
    ['. is all but a line feed', '^a.c', '', ['a\rc', 'a\u2028c'], ['a\nc']],
    ['. with s is all', '^a.c', 's', ['a\nc'], ['ac']],
    ['\\N is all but a line feed', 'a\\N', 's', ['ab'], ['a\n']],
    ['\\s knows the spaces of ASCII', '^\\s$', '', [' ', '\t', '\v'], ['\u3000', '\u00a0', 'a']],
    ['\\S in a class', '^[\\Sx]$', '', ['\u3000', 'a'], [' ']],
    ['\\h, \\H, \\v and \\R', '^\\h\\H\\v\\R$', '', ['\u3000a\n\r\n'], ['\na\n\r\n', '\u3000\t\n\n']],
    ['\\w and \\d know ASCII', '^\\w\\d$', '', ['a1', '_0'], ['é1', 'a１']],
    ['classes of POSIX', '^[[:alpha:]][[:^digit:]_][^[:space:]]$', '', ['aba', 'a_1'], ['1ba', 'a1a', 'ab ']],
    ['a class that begins with ]', '^[]a]$', '', [']', 'a'], ['b']],
    ['a class without ]', '^[^]a]$', '', ['b'], [']', 'a']],
    ['- where it is no range', '^[a\\-z][\\w-.][0-9-x]$', '', ['-.x', 'z--'], ['b-x', 'a,x']],
    ['ranges by numbers', '^[\\x41-\\x{43}][\\060-\\o{71}][\\b]$', '', ['B5\b'], ['D5\b', 'B\u00605']],
    ['quoted', '^\\Qa.b\\E.[\\Qa-c\\E]$', '', ['a.b!-'], ['axb!-', 'a.b!b']],
    ['escapes of what needs none', '^\\_\\-\\@\\"\\ \\/\\社$', '', ['_-@" /社'], []],
    ['control characters', '^\\e\\a\\cJ\\012\\0$', '', ['\u001b\u0007\n\n\0'], []],
    ['scripts and categories', '^\\p{Han}+\\pL\\P{L}\\p{^Lu}[\\p{Nd}]$', '', ['社区é1a5'], ['ab1a5', '社é1A5']],
    ['names', "(?P<n>a)(?P=n)(?'q'b)\\k{q}\\g{-1}\\g{n}", '', ['aabbba'], ['aabb']],
    ['a reference before a digit', '^(a)\\g{1}0$', '', ['aa0'], ['a0']],
    ['comments', '^a(?#b)c$', '', ['ac'], ['abc']],
    ['x leaves out blanks and comments', '^a b # c\n [ ] \\  $', 'x', ['ab  '], ['ab']],
    ['flags before all', '(?i)(?m)^É$', '', ['b\né'], ['b']],
    ['flags of a part', '^(?s:.).(?x) a b$', '', ['\n1ab'], ['\n\nab', '1']],
    ['flags end with their group', '^((?s).).$', '', ['\n1'], ['\n\n1']],
    ['what only looks like a quantifier', '^a{,2}b{x}c{1$', '', ['a{,2}b{x}c{1'], ['aab']],
    ['lazy quantifiers', '^a{2}?b+?c*?d??$', '', ['aab'], ['ab']],
    ['characters beyond 16 bits', '^[😀-😂]{2}.$', '', ['😁😂😀'], ['😁']],
    ['case in all of Unicode', '^É\\x{e9}$', 'i', ['éÉ'], ['ee']],
    ['what looks or names a place is repeated', '^\\b+a(?=b)*(?!c){1}\\B?', '', ['a', 'ab'], ['ac']],
    ['a place before a comment', '^ *a \\b + # x\n $', 'x', ['a'], ['ab']],
    ['flags of several lines', '(?im)^B', '', ['a\nb'], ['ab']],
    ['a reference before its like', '(a|b)\\g1\\1', '', ['aaa', 'bbb'], ['aba']],
    ['a prefix for UTF', '(*UTF8)^é', '', ['é'], ['e']],
  ])('%s', (_about, pattern, flags, found, not) => {
    const regex = toRegExp(pattern, flags);
    for (const text of found) expect([text, regex.test(text)]).toEqual([text, true]);
    for (const text of not) expect([text, regex.test(text)]).toEqual([text, false]);
  });

  it.each(['$', '\\z', '\\Z'])('%j is no place within a character', (pattern) =>
    expect(['', 'm'].map((flags) => toRegExp(pattern, flags).exec('🎉a')?.index)).toEqual([3, 3]),
  );

  it.each([
    '[a',
    '(a',
    'a)',
    '(?<=a+)b',
    '(?<!a{1,2})b',
    '*a',
    '\\y',
    '[[:no:]]',
    '[b-a]',
    '\\2(a)',
    'a\\',
    '\\u0041',
    'a**',
    '[]',
    '\\p{Foo}',
  ])('%j is none', (pattern) =>
    expect(() => toRegExp(pattern, '', 51111)).toThrow(expect.objectContaining({ code: 51111 })),
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
    '(*UCP)a',
    '(?1)(a)',
    '(?&n)',
    'a{2}+',
    '\\g<1>(a)',
  ])('%j is refused', (pattern) => expect(() => toRegExp(pattern, '')).toThrow(expect.objectContaining({ code: 238 })));
});
