import { describe, expect, it } from '@jest/globals';
import { sortBotError, sortSendError } from '../../../src/channels/wechaty/errors.js';
import { judge, parseInvitation } from '../../../src/channels/wechaty/invitations.js';
import { takeOwnMention } from '../../../src/channels/wechaty/mention.js';
import { takeQuote } from '../../../src/channels/wechaty/quote.js';

const NAMES = ['网格小助手', '小助手（三网格）', 'Grid Mate'];

describe('a mention of the bot in a text', () => {
  it.each([
    ['phones put U+2005 after it', '@网格小助手\u2005签到', '签到'],
    ['PC and Mac clients a plain space', '@网格小助手 签到', '签到'],
    ['some keyboards an ideographic space', '@网格小助手\u3000签到', '签到'],
    ['the at sign may be full-width', '＠网格小助手 签到', '签到'],
    ['it may stand alone', '@网格小助手', ''],
    ['or at the end', '签到 @网格小助手', '签到'],
    ['or in the middle', '签到 @网格小助手\u2005谢谢', '签到 谢谢'],
    ['the name in this group counts too', '@小助手（三网格）\u2005签到', '签到'],
    ['also a name with a space', '@Grid Mate\u2005签到', '签到'],
    ['twice is once', '@网格小助手\u2005@网格小助手\u2005签到', '签到'],
    ['lines are kept', '@网格小助手\u2005服务\n巡逻1小时', '服务\n巡逻1小时'],
  ])('%s', (_what, said, text) => {
    expect(takeOwnMention(said, NAMES)).toEqual({ found: true, text });
  });

  it.each([
    ['nobody is mentioned', '签到'],
    ['the name without an at sign', '网格小助手 签到'],
    ['another whose name begins like it', '@网格小助手2号\u2005签到'],
    ['a part of its name', '@网格 签到'],
    ['an address', 'a@网格小助手 签到'],
    ['everyone', '@所有人\u2005签到'],
  ])('is none: %s', (_what, said) => {
    expect(takeOwnMention(said, NAMES)).toEqual({ found: false, text: said });
  });

  it('a bot whose names are not known is not mentioned by every at sign', () => {
    expect(takeOwnMention('@ 签到', ['', ''])).toEqual({ found: false, text: '@ 签到' });
  });
});

describe('a quote as wechat4u writes it', () => {
  const line = '- - - - - - - - - - - - - - -';

  it('only the answer is said; what is quoted comes without the name', () => {
    expect(takeQuote(`「张三：服务 环境整治 2小时」\n${line}\n收到`)).toEqual({
      text: '收到',
      quote: { text: '服务 环境整治 2小时' },
    });
  });

  it('a quoted command of several lines is not said again', () => {
    expect(takeQuote(`「网格小助手：#231 王*\n通过 #231」\n${line}\n驳回 照片不清楚`).text).toBe('驳回 照片不清楚');
  });

  it('a text in brackets without a line of dashes is no quote', () => {
    expect(takeQuote('「收到」')).toEqual({ text: '「收到」' });
  });
});

describe('errors of the framework', () => {
  const grpc = (code: number, details: string): Error =>
    Object.assign(new Error(`${code} X: ${details}`), { code, details });

  it.each([
    ['the two that every group event brings (#2410)', new Error('no payload found for id g1@chatroom'), 'ignorable'],
    ['the same from WorkPro', new Error('wrong id: R:1234567'), 'ignorable'],
    ['a person that is not known', new Error('no payload found for id wxid_1'), 'other'],
    ['a dropped connection', grpc(14, 'Connection dropped'), 'connection'],
    ['a code that came over the wire as text', new Error('14 UNAVAILABLE: No connection established'), 'connection'],
    ['a refused token', grpc(16, 'Invalid Wechaty TOKEN "0.XXX"'), 'token'],
    ['a token without its prefix', new Error('Wechaty Puppet Service requires a SNI as prefix'), 'token'],
    ['the framework gave up', new Error('no grpc manager'), 'connection'],
    ['anything', 'text only', 'other'],
    ['nothing', undefined, 'other'],
  ] as const)('%s', (_what, error, sort) => {
    expect(sortBotError(error)).toBe(sort);
  });

  it.each([
    ['no connection: certainly not sent', grpc(14, 'No connection established. Last error: null'), 'notSent'],
    ['logged out: certainly not sent', grpc(2, 'not logged in'), 'notSent'],
    ['the connection dropped: nobody knows', grpc(14, 'Connection dropped'), 'unknown'],
    ['no answer in time: nobody knows', new Error('sending: no answer within 10000 ms'), 'unknown'],
    ['the far puppet failed somehow: nobody knows', grpc(2, 'socket hang up'), 'unknown'],
    ['too large: never', grpc(8, 'Received message larger than max'), 'never'],
    ['the web protocol refuses by number', grpc(2, 'send failed: ret 1205'), 'tooFrequent'],
    ['or in words', new Error('操作过于频繁，请稍后再试'), 'tooFrequent'],
  ] as const)('sending: %s', (_what, error, sort) => {
    expect(sortSendError(error)).toBe(sort);
  });
});

describe('invitations into groups', () => {
  it.each([
    ['leaders', 'secretary', true],
    ['leaders', 'leader', true],
    ['leaders', 'member', false],
    ['leaders', undefined, false],
    ['anyone', undefined, true],
    ['nobody', 'secretary', false],
  ] as const)('%s may invite: from a %s → %s', (allowed, role, accept) => {
    expect(judge(allowed, role).accept).toBe(accept);
  });

  it('one that names nobody is no invitation', () => {
    expect(() => parseInvitation({ topic: '二号楼' })).toThrow();
    expect(parseInvitation({ inviterId: 'a', topic: null })).toEqual({ inviter: 'a', topic: '' });
  });
});
