import { describe, expect, it } from '@jest/globals';
import { createLog } from '../src/log.js';

const line = (fields: object): unknown => {
  let written = '';
  createLog('trace', { write: (text: string) => void (written += text) }).info(fields, 'command');
  return JSON.parse(written);
};

describe('the log', () => {
  it('has no whole phone or identity number, not even where it is somebody’s id', () => {
    expect(line({ conversation: 'wecom||13812345678', err: new Error('no 110105194912310021 here') })).toMatchObject({
      conversation: 'wecom||*******5678',
      err: { message: 'no **************0021 here' },
    });
  });

  it('leaves other numbers as they are', () => {
    const fields = {
      ms: 13812345678,
      messageId: 'app:4561255354251345929',
      time2: '1764064800000',
      id: '123456789012345678',
    };
    expect(line(fields)).toMatchObject(fields);
  });

  it('has no secret of a field of that name', () => {
    expect(line({ of: { token: 'a', secret: 'b', password: 'c', text: 'd' } })).toMatchObject({
      of: { token: '[Redacted]', secret: '[Redacted]', password: '[Redacted]', text: '[Redacted]' },
    });
  });
});
