import { createHash } from 'node:crypto';
import type { OutgoingMessage } from '../../bot/message.js';

const MAX_BUTTONS = 6;
const MAX_TITLE = 26;

/** A card's id may hold few signs, and one bot may not use it twice. */
const taskIdOf = (messageId: string): string => createHash('sha256').update(messageId).digest('hex').slice(0, 40);

const firstLine = (text: string): string => [...(text.split('\n')[0] ?? '')].slice(0, MAX_TITLE).join('');

/**
 * The choices of a message as a card with buttons, beside its text. A button's key is what it says.
 *
 * Source: the types of @wecom/aibot-node-sdk (`button_interaction`; at most six buttons, ten signs each).
 */
export const choiceCard = (message: OutgoingMessage): object => ({
  card_type: 'button_interaction',
  main_title: { title: firstLine(message.text) },
  button_list: message.choices.slice(0, MAX_BUTTONS).map(({ label, says }, i) => ({
    text: [...label].slice(0, 10).join(''),
    style: i % 2 === 0 ? 1 : 2,
    key: says,
  })),
  task_id: taskIdOf(message.id),
});

/** What the card becomes once it was used: it says what was pressed, and presses no more. */
export const pressedCard = (taskId: string, says: string): object => ({
  response_type: 'update_template_card',
  template_card: {
    card_type: 'text_notice',
    main_title: { title: firstLine(says), desc: '已收到，结果见下面的消息' },
    task_id: taskId,
    card_action: { type: 0 },
  },
});
