import { mkdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { helpers, type impls } from 'wechaty-puppet';
import { PuppetService } from 'wechaty-puppet-service';

export type Puppet = impls.PuppetInterface;
export type PuppetName = `wechaty-puppet-${string}` | `@${string}/wechaty-puppet-${string}`;

/** Which puppet, and how to reach it. Everything is passed on explicitly: nothing is left to wechaty's own variables. */
export interface PuppetSettings {
  /** The npm package of the puppet. */
  readonly name: PuppetName;
  /** A secret; of a puppet service or of a puppet of another name that wants one. */
  readonly token: string | undefined;
  /** `host:port` of a puppet service. */
  readonly endpoint: string | undefined;
  /** The PEM of the authority that signed the service's certificate; undefined: no TLS. */
  readonly caCert: string | undefined;
  /** Where a puppet that logs in by itself keeps its login. */
  readonly folder: string;
}

export const SERVICE = 'wechaty-puppet-service';
/** Long: the framework's own watchdog tries once and never again, so that it must not come before ours. */
const WATCHDOG_SECONDS = 600;
const REACH_MS = 3_000;

/** Puppets of the web protocol: persons and groups have other ids after each login. */
const UNSTABLE = new Set(['wechaty-puppet-wechat4u', 'wechaty-puppet-wechat']);
/** Web ids: `@` or `@@` and hex digits. A gateway may serve a web puppet under any name, so the login's own id decides too. */
const WEB_ID = /^@{1,2}[0-9a-f]{16,}$/;

export const idsLast = (puppetName: string, ownId: string | undefined): boolean =>
  !UNSTABLE.has(puppetName) && !(ownId !== undefined && WEB_ID.test(ownId));

/**
 * Without the disk cache: names in it are stale after a restart, the token is part of its path, and a connection that
 * comes soon after another dies of the other's lock, uncatchably.
 */
class UncachedPuppetService extends PuppetService {
  protected override hookPayloadStore(): void {}

  /** A start that failed, or a stop that is never answered, leaves a client behind that goes on connecting for ever. */
  close(): void {
    try {
      this._grpcManager?.client.close();
    } catch {
      // It has none any more: there is nothing to close.
    }
  }
}

/** Cuts off whatever a puppet that was stopped, or would not stop, still holds. */
export function abandon(puppet: Puppet): void {
  if (puppet instanceof UncachedPuppetService) puppet.close();
}

export async function createPuppet(settings: PuppetSettings): Promise<Puppet> {
  const { name, token, endpoint, caCert } = settings;
  if (name === SERVICE)
    return new UncachedPuppetService({
      ...(token !== undefined && { token }),
      ...(endpoint !== undefined && { endpoint }),
      timeoutSeconds: WATCHDOG_SECONDS,
      tls: caCert === undefined ? { disable: true } : { disable: false, caCert },
    });
  return helpers.resolvePuppet({
    puppet: name,
    puppetOptions: { ...(token !== undefined && { token }), timeoutSeconds: WATCHDOG_SECONDS },
  });
}

/** Where the login of a puppet that logs in by itself is kept: a secret, in a folder of ours only. A service keeps none. */
export async function memoryOf({ name, folder }: PuppetSettings): Promise<string | undefined> {
  if (name === SERVICE) return undefined;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  return join(folder, name.replaceAll('/', '-'));
}

/**
 * Resolves when the endpoint takes a TCP connection: starting a client against a dead server takes five seconds and
 * then claims to have worked.
 *
 * @throws Error nobody listens there, or the host does not answer within three seconds
 */
export function reach(endpoint: string): Promise<void> {
  const at = endpoint.lastIndexOf(':');
  const host = endpoint.slice(0, at).replace(/^\[|\]$/g, '');
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port: Number(endpoint.slice(at + 1)) });
    socket.setTimeout(REACH_MS, () => socket.destroy(new Error(`no answer within ${REACH_MS} ms`)));
    socket.once('connect', () => {
      socket.destroy();
      resolve();
    });
    socket.once('error', reject);
  });
}
