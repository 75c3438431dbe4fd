import type { Model } from 'mongoose';
import { z } from 'zod';
import { type Interaction, interactionKey } from '../bot/interaction.js';
import type { OutboxMessage } from '../bot/outbox.js';
import { SANDBOX } from '../channels/sandbox/index.js';
import type { Models } from '../domain/models.js';

export interface InspectedModels extends Pick<
  Models,
  'numbered' | 'serviceReports' | 'checkInRequests' | 'ledgerEntries'
> {
  readonly interactions: Model<Interaction>;
  readonly outbox: Model<OutboxMessage>;
}

const Numbers = z.object({ numbers: z.array(z.number()) });
const Settled = z.object({ undone: z.array(z.object({ data: Numbers })) });

/** The numbers of the things that a command made or settled: what 撤回 would take back. */
function numbersOf(undo: Interaction['undo']): number[] {
  const settled = Settled.safeParse(undo);
  if (settled.success) return settled.data.undone.flatMap((u) => u.data.numbers);
  return Numbers.safeParse(undo).data?.numbers ?? [];
}

/** What the bot made of a message: reading, records, points, answers, time. */
export async function inspect(models: InspectedModels, messageId: string): Promise<object> {
  const found = await models.interactions.findById(interactionKey({ channel: SANDBOX, messageId })).lean<Interaction>();
  if (!found) return { messageId, outcome: 'ignored' };
  const numbers = numbersOf(found.undo);
  const [sent, reports, requests, ledger] = await Promise.all([
    models.outbox.find({ interaction: found._id }).sort({ _id: 1 }).lean<OutboxMessage[]>(),
    models.serviceReports.find({ _id: { $in: numbers } }).lean(),
    models.checkInRequests.find({ _id: { $in: numbers } }).lean(),
    models.ledgerEntries.find({ source: { $in: numbers.map((n) => `serviceReport:${n}`) } }).lean(),
  ]);
  return {
    messageId,
    outcome: found.outcome,
    intent: found.intent,
    slots: found.slots,
    records: [
      ...reports.map((r) => ({
        no: r._id,
        kind: 'serviceReport',
        status: r.status,
        text: `${r.memberName} ${r.item}`,
      })),
      ...requests.map((r) => ({ no: r._id, kind: 'checkInRequest', status: r.status, text: r.name })),
    ],
    ledger: ledger.map((e) => ({ points: e.points, rule: e.rule, source: e.source })),
    outbox: sent.map((o) => ({ id: o._id, to: o.person ?? o.room, status: o.status, attempts: o.attempts })),
    timings: { handledMs: found.handledMs },
  };
}
