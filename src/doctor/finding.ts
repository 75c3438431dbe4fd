import type { Config } from '../config.js';

/** One thing that was looked at. */
export interface Finding {
  readonly level: 'ok' | 'warning' | 'problem';
  /** What was looked at, such as `磁盘`. */
  readonly what: string;
  readonly found: string;
  /** What to do; absent where nothing is to be done. */
  readonly todo?: string;
}

export const ok = (what: string, found: string): Finding => ({ level: 'ok', what, found });
export const warning = (what: string, found: string, todo: string): Finding => ({
  level: 'warning',
  what,
  found,
  todo,
});
export const problem = (what: string, found: string, todo: string): Finding => ({
  level: 'problem',
  what,
  found,
  todo,
});

/** Looks at one chat network's settings and credentials, where they turn it on. */
export interface ChannelCheck {
  readonly name: string;
  readonly on: (config: Config) => boolean;
  /** May ask the network; never rejects, never shows a secret. */
  readonly look: (config: Config) => Promise<readonly Finding[]>;
}

const words = { ok: '正常 ✓', warning: '注意 !', problem: '有问题 ✗' } as const;

export const textOf = ({ level, what, found, todo }: Finding): string =>
  `${words[level]} ${what}：${found}${todo === undefined ? '' : `\n    怎么办：${todo}`}`;
