import type { Model } from 'mongoose';
import type { Interaction } from '../../bot/interaction.js';
import { type OutboxMessage, outgoingOf } from '../../bot/outbox.js';
import type { History, Message } from './conversations.js';
import { fileUrl, SANDBOX } from './index.js';

/** What the store still has of a sandbox chat: commands and the answers to them. */
export function historyOf({
  interactions,
  outbox,
}: {
  interactions: Model<Interaction>;
  outbox: Model<OutboxMessage>;
}): History {
  return {
    async before(place) {
      const where = 'room' in place ? { room: place.room } : { room: null, person: place.person };
      const said = await interactions
        .find({ channel: SANDBOX, ...where, messageId: { $not: /^joined:/ } })
        .sort({ at: 1 })
        .lean();
      const sent = await outbox
        .find({
          channel: SANDBOX,
          ...('room' in place ? { room: place.room, person: null } : { person: place.person }),
          status: 'sent',
        })
        .sort({ at: 1, _id: 1 })
        .lean();
      const theirs = said.map((i): Message => ({
        id: i.messageId,
        room: i.room,
        from: i.person,
        text: i.text,
        mentions: i.mentions,
        attachments: i.attachments.map((a) => ({ name: a.name, type: a.type, url: fileUrl(a.id) })),
        at: i.at.toISOString(),
      }));
      const ours = sent.map((o): Message => {
        const m = outgoingOf(o);
        return {
          id: m.id,
          room: o.room,
          from: 'bot',
          ...(o.person !== null && { to: o.person }),
          text: m.text,
          mentions: m.mentions,
          attachments: m.attachments.map((a) => ({ name: a.name, type: a.type, url: fileUrl(a.id) })),
          at: m.at.toISOString(),
        };
      });
      return [...theirs, ...ours].toSorted((a, b) =>
        a.at === b.at ? Number(a.from === 'bot') - Number(b.from === 'bot') : a.at < b.at ? -1 : 1,
      );
    },
  };
}
