import type { RunningApp } from '../../../src/app.js';
import type { Shown } from '../../channels/wecom/simulator/phones.js';
import { AGENT, APP_SECRET, CORP } from '../../channels/wecom/simulator/api.js';
import { WecomSimulator, type Written } from '../../channels/wecom/simulator/index.js';
import { BOT, BOT_SECRET } from '../../channels/wecom/simulator/socket.js';
import type { Network, Said } from './network.js';

/** One message that the bot is not done with, and what its writer was shown for it. */
interface Open {
  readonly said: Said;
  readonly here: string[];
  readonly inPrivate: string[];
}

/** WeCom, from its far side; how a message reaches the program is the mode's. */
abstract class WecomNetwork implements Network {
  readonly name = 'wecom';
  readonly hearsGroups = false;
  readonly hearsJoins = false;
  readonly simulator = new WecomSimulator();
  readonly #open = new Set<Open>();
  #app: RunningApp | undefined;

  async prepare(): Promise<Readonly<Record<string, string>>> {
    await this.simulator.start();
    this.simulator.phones.onShown((shown) => this.#assign(shown));
    return {
      WECOM_API_URL: this.simulator.api.url,
      WECOM_WS_URL: this.simulator.wsUrl,
      WECOM_CORP_ID: CORP,
      WECOM_APP_AGENT_ID: String(AGENT),
      WECOM_APP_SECRET: APP_SECRET,
      // A conversation of days passes in seconds here.
      WECOM_PER_MINUTE: '10000',
      WECOM_PER_HOUR: '100000',
      ...this.settings(),
    };
  }

  async attach(app: RunningApp): Promise<void> {
    this.#app = app;
    this.simulator.target = app.url;
    await this.ready();
  }

  roomId(room: string): string {
    return room;
  }

  async say(said: Said): Promise<readonly string[]> {
    if (said.room !== null && !said.mentionsBot) return [];
    const open: Open = { said, here: [], inPrivate: [] };
    this.#open.add(open);
    await this.write({ ...said, pictures: said.pictures.map((name) => Buffer.from(name)) });
    await this.#app?.wecom?.idle();
    this.#open.delete(open);
    return [...open.here, ...open.inPrivate];
  }

  told(person: string): Promise<readonly string[]> {
    return Promise.resolve(this.simulator.phones.withPerson(person));
  }

  shownIn(room: string): Promise<readonly string[]> {
    return Promise.resolve(this.simulator.phones.inRoom(room));
  }

  takeInto(): Promise<void> {
    return Promise.reject(new Error('WeCom tells a bot of no group that it is taken into'));
  }

  stop(): Promise<void> {
    return this.simulator.stop();
  }

  protected abstract settings(): Readonly<Record<string, string>>;
  protected abstract ready(): Promise<void>;
  protected abstract write(written: Written): Promise<unknown>;

  /** To the message that it answers; a push to whom it is for, before all to what they said in private. */
  #assign({ to, text, answers, card }: Shown): void {
    if (card) return;
    const asked = [...this.#open].filter((o) => o.said.messageId === answers);
    if (asked.length > 0) {
      for (const o of asked) o.here.push(text);
      return;
    }
    const theirs = [...this.#open].filter((o) => ('room' in to ? o.said.room === to.room : o.said.from === to.person));
    const best = theirs.find((o) => o.said.room === null) ?? theirs[0];
    if (!best) return;
    ('room' in to || best.said.room === null ? best.here : best.inPrivate).push(text);
  }
}

/** The AI bot by its long connection; the app writes to whoever has not written to the bot yet. */
export class WecomConnectionNetwork extends WecomNetwork {
  protected settings(): Readonly<Record<string, string>> {
    return { WECOM_BOT_ID: BOT, WECOM_BOT_SECRET: BOT_SECRET };
  }
  protected ready(): Promise<void> {
    return this.simulator.socket.live();
  }
  protected write(written: Written): Promise<unknown> {
    return this.simulator.writeByConnection(written);
  }
}

/** The AI bot by callbacks in groups, the app by callbacks in private: everything over HTTP, encrypted. */
export class WecomCallbackNetwork extends WecomNetwork {
  protected settings(): Readonly<Record<string, string>> {
    const { botKeys, appKeys } = this.simulator;
    return {
      WECOM_BOT_TOKEN: botKeys.token,
      WECOM_BOT_AES_KEY: botKeys.aesKey,
      WECOM_APP_TOKEN: appKeys.token,
      WECOM_APP_AES_KEY: appKeys.aesKey,
    };
  }
  protected ready(): Promise<void> {
    return Promise.resolve();
  }
  protected write(written: Written): Promise<unknown> {
    return written.room === null ? this.simulator.writeToApp(written) : this.simulator.writeByCallback(written);
  }
}
