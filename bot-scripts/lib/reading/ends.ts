import { z } from 'zod';

/** What people write in their own words: as long as a message may be. */
export const ownWords = z.string().min(1).max(2000);

/** Particles that change nothing at the end of what is said. */
const PARTICLES = /(?:一下|[啊啦了哈呀嘞吧哦喔下噢嘛])+$/;
/** A question about a thing is not the thing. */
export const isQuestion = (text: string): boolean =>
  /[?]$|(?:吗|没|么|呢|没有)[?]?$|怎么|什么时候|几点|多久|为什么/.test(text);

/** Thanks after what was said. */
const THANKS = /(?<=[\s,])(?:大家)?(?:辛苦|谢谢|感谢|多谢|麻烦|拜托)(?:了|啦|您|你|大家|各位|书记|老师)*$/;

/** Without the thanks at the end. */
export const withoutThanks = (rest: string): string => rest.replace(/[\s,:;.]+$/, '').replace(THANKS, '');

/** Without marks at both ends. */
export const trimmed = (rest: string): string => rest.replace(/^[\s,:;.#()-]+|[\s,:;.?()-]+$/g, '');
/** Without marks, particles and thanks at both ends. */
export const bare = (rest: string): string => trimmed(trimmed(withoutThanks(rest)).replace(PARTICLES, ''));

/** The word is the whole message, particles aside. */
export const isAlone = (rest: string): boolean => bare(rest) === '';
/** What follows begins another word (`服务态度`): no mark, space or digit between. */
export const isGlued = (rest: string): boolean => /^\p{L}/u.test(rest);
