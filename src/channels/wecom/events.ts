import type { Logger } from 'pino';
import type { Handled } from '../../bot/message.js';
import type { Clock } from '../../clock.js';
import { pressedCard } from './cards.js';
import type { LongConnection } from './connection.js';
import type { BotEvent, FromBot, Received } from './received.js';
import type { Taking } from './taking.js';
import { Slot, type Ways } from './ways.js';

/** The id of an entrance: WeCom reports one a day and person. */
export const entranceId = (from: string, at: Date): string => `enter:${from}:${at.getTime()}`;

/** An entrance is answered as if the person had asked for help; a button as if they had typed what it says. */
export function eventReceiver(ways: Ways, taking: Taking) {
  return (event: BotEvent, id: string, slot?: Slot): Promise<Handled | undefined> => {
    if (event.is !== 'entered' && event.is !== 'pressed') return Promise.resolve(undefined);
    const entered = event.is === 'entered';
    const message: Received = {
      messageId: entered ? id : `card:${event.taskId}:${event.says}:${event.from}`,
      room: entered ? null : event.room,
      from: event.from,
      text: entered ? '帮助' : event.says,
      media: [],
    };
    ways.open(message.messageId, { room: message.room, person: message.from, ...(slot && { slot }) });
    return taking.receive(message, entered ? undefined : 'bot');
  };
}

interface Options {
  readonly ways: Ways;
  readonly taking: Taking;
  readonly clock: Clock;
  readonly log: Logger;
  readonly receiveEvent: ReturnType<typeof eventReceiver>;
}

/** Takes what the long connection brings. */
export function frameReceiver({ ways, taking, clock, log, receiveEvent }: Options) {
  const entered = (
    event: BotEvent & { is: 'entered' },
    at: Date,
    connection: LongConnection,
    request: string,
  ): void => {
    const slot = new Slot();
    taking.watch(receiveEvent(event, entranceId(event.from, at), slot));
    slot.filled
      .then((content) =>
        connection.answer(request, { msgtype: 'text', text: { content } }, 'aibot_respond_welcome_msg'),
      )
      .then(
        () => slot.settle(true),
        (err: unknown) => {
          log.warn({ err }, 'no welcome');
          slot.settle(false);
        },
      );
  };
  const pressed = (event: BotEvent & { is: 'pressed' }, connection: LongConnection, request: string): void => {
    connection
      .answer(request, pressedCard(event.taskId, event.says), 'aibot_respond_update_msg')
      .catch((err: unknown) => log.warn({ err }, 'card not updated'));
    taking.watch(receiveEvent(event, ''));
  };
  return (received: FromBot, requestId: string, connection: LongConnection): void => {
    switch (received.is) {
      case 'message': {
        const { message } = received;
        ways.open(message.messageId, { room: message.room, person: message.from, requestId });
        taking.insist(message, 'bot').catch((err: unknown) => {
          log.error({ messageId: message.messageId, err }, 'message lost');
        });
        return;
      }
      case 'event':
        if (received.event.is === 'entered') entered(received.event, received.at ?? clock.now(), connection, requestId);
        else if (received.event.is === 'pressed') pressed(received.event, connection, requestId);
        return;
      case 'refresh':
    }
  };
}
