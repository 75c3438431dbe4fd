import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import type { Config } from '../config.js';
import { type ChannelCheck, type Finding, ok, problem, warning } from './finding.js';

const WHAT = '通道 微信（Wechaty）';
const REACH_MS = 3000;

const reachable = (endpoint: string): Promise<boolean> =>
  new Promise((resolve) => {
    const at = endpoint.lastIndexOf(':');
    const host = endpoint.slice(0, at).replace(/^\[|\]$/g, '');
    const socket = connect({ host, port: Number(endpoint.slice(at + 1)), timeout: REACH_MS });
    const done = (is: boolean) => () => {
      socket.destroy();
      resolve(is);
    };
    socket.once('connect', done(true)).once('error', done(false)).once('timeout', done(false));
  });

function installed(puppet: string): boolean {
  try {
    import.meta.resolve(puppet);
    return true;
  } catch {
    return false;
  }
}

function authority(file: string, now: Date): Finding {
  try {
    const certificate = new X509Certificate(readFileSync(file));
    return new Date(certificate.validTo) < now
      ? problem(WHAT, `证书 ${file} 已在 ${certificate.validTo} 过期`, '换一份没有过期的，填到 WECHATY_GATEWAY_CA_FILE')
      : ok(WHAT, `网关的证书机构有效到 ${certificate.validTo}`);
  } catch {
    return problem(WHAT, `证书 ${file} 读不了`, '核对 WECHATY_GATEWAY_CA_FILE 的路径、权限，内容要是 PEM 格式');
  }
}

async function gateway(config: Config): Promise<Finding[]> {
  const { WECHATY_GATEWAY_ENDPOINT: endpoint, WECHATY_GATEWAY_CA_FILE: file } = config;
  if (endpoint === undefined) return [];
  return [
    ...(config.WECHATY_GATEWAY_TLS && file !== undefined ? [authority(file, new Date())] : []),
    (await reachable(endpoint))
      ? ok(WHAT, `网关 ${endpoint} 连得上；有没有登录请看 /wechaty`)
      : problem(WHAT, `网关 ${endpoint} 连不上`, '看看网关有没有启动、地址和端口对不对、防火墙有没有放行'),
  ];
}

export const wechatyCheck: ChannelCheck = {
  name: 'wechaty',
  on: (config) => config.WECHATY,
  async look(config) {
    const puppet = config.WECHATY_PUPPET_NAME;
    return [
      warning(WHAT, '个人微信没有官方的机器人接口，账号可能被限制', '用不怕丢的账号；能用企业微信时请用企业微信'),
      installed(puppet)
        ? ok(WHAT, `${puppet} 已安装`)
        : problem(WHAT, `${puppet} 没有安装`, `在程序的文件夹里运行 npm install ${puppet}`),
      ...(await gateway(config)),
    ];
  },
};
