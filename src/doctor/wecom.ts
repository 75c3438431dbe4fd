import { z } from 'zod';
import { BAD_CREDENTIALS, NotSent, Refused } from '../channels/wecom/errors.js';
import { request } from '../channels/wecom/http.js';
import { wecomIsOn } from '../channels/wecom/settings.js';
import type { Config } from '../config.js';
import { type ChannelCheck, type Finding, ok, problem } from './finding.js';

const WHAT = '通道 企业微信';

/** The app's secret is tried for real: WeCom gives the token that is in use once more. Source: document/path/91039. */
async function application({ WECOM_API_URL: api, WECOM_CORP_ID, WECOM_APP_SECRET }: Config): Promise<Finding> {
  const query = new URLSearchParams({ corpid: WECOM_CORP_ID ?? '', corpsecret: WECOM_APP_SECRET ?? '' });
  try {
    await request('gettoken', `${api}/cgi-bin/gettoken?${query}`, {}, z.object({ access_token: z.string() }));
    return ok(WHAT, '自建应用的凭证有效');
  } catch (error) {
    if (error instanceof Refused && BAD_CREDENTIALS.has(error.code))
      return problem(
        WHAT,
        `自建应用的凭证不对（错误码 ${error.code}）`,
        '在企业微信管理后台核对企业ID和应用Secret，填到 WECOM_CORP_ID、WECOM_APP_SECRET',
      );
    if (error instanceof Refused)
      return problem(
        WHAT,
        `企业微信没有给凭证（错误码 ${error.code}）`,
        '按错误码查企业微信的说明；60020 是要把本机的出口IP加进应用的可信IP',
      );
    const { host } = new URL(api);
    return problem(
      WHAT,
      error instanceof NotSent ? `连不上 ${host}` : `${host} 没有正常回答`,
      '检查本机能不能上网、域名能不能解析、要不要经过代理',
    );
  }
}

export const wecomCheck: ChannelCheck = {
  name: 'wecom',
  on: wecomIsOn,
  async look(config) {
    const findings: Finding[] = [];
    if (config.WECOM_BOT_ID !== undefined)
      // A second connection would push out the one that is in use.
      findings.push(ok(WHAT, '智能机器人长连接已配置；体检不连接，免得挤掉正在用的，连上没有请看 /readyz'));
    const scenes = [
      ...(config.WECOM_BOT_TOKEN === undefined ? [] : ['bot']),
      ...(config.WECOM_APP_TOKEN === undefined ? [] : ['app']),
    ];
    for (const scene of scenes)
      findings.push(
        ok(
          WHAT,
          `接收回调的地址是 ${config.PUBLIC_URL ?? 'https://您的域名'}/callbacks/wecom/${scene}，要能从公网打开`,
        ),
      );
    if (config.WECOM_APP_SECRET !== undefined) findings.push(await application(config));
    return findings;
  },
};
