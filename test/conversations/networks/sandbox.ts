import type { Handled } from '../../../src/bot/message.js';
import type { RunningApp } from '../../../src/app.js';
import type { SandboxChannel } from '../../../src/channels/sandbox/index.js';
import type { Network, Said } from './network.js';

/** The sandbox, driven below its API. */
export class SandboxNetwork implements Network {
  readonly name = 'sandbox';
  readonly hearsGroups = true;
  readonly hearsJoins = true;
  #app: RunningApp | undefined;

  prepare(): Promise<Readonly<Record<string, string>>> {
    return Promise.resolve({ SANDBOX: 'on' });
  }

  attach(app: RunningApp): Promise<void> {
    this.#app = app;
    return Promise.resolve();
  }

  roomId(room: string): string {
    return room;
  }

  /** What became of a message, as only the sandbox tells it. */
  async handled(said: Said): Promise<Handled> {
    const attachments = await Promise.all(
      said.pictures.map((name) =>
        this.#running().store.services.attachments.store(name, 'image/png', Buffer.from(name), said.at),
      ),
    );
    const { from, room, text, messageId, mentionsBot, at } = said;
    const message = { channel: this.name, messageId, room, from, text, mentionsBot, mentions: [], attachments, at };
    const handled = await this.channel().inbox().receive(message);
    await handled.delivered;
    return handled;
  }

  async say(said: Said): Promise<readonly string[]> {
    return (await this.handled(said)).replies.map((r) => r.text);
  }

  async told(person: string): Promise<readonly string[]> {
    const shown = await this.channel().conversations.list({ person }, undefined);
    return shown.filter((m) => m.from === 'bot').map((m) => m.text);
  }

  async shownIn(room: string): Promise<readonly string[]> {
    const shown = await this.channel().conversations.list({ room }, undefined);
    return shown.filter((m) => m.from === 'bot').map((m) => m.text);
  }

  takeInto(room: string, name: string, at: Date): Promise<void> {
    return this.channel().inbox().joined({ channel: this.name, room, name, at });
  }

  channel(): SandboxChannel {
    const { sandbox } = this.#running();
    if (!sandbox) throw new Error('the sandbox is off');
    return sandbox;
  }

  stop(): Promise<void> {
    return Promise.resolve();
  }

  #running(): RunningApp {
    if (!this.#app) throw new Error('nothing runs');
    return this.#app;
  }
}
