import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

/** The program's figures, in Prometheus' form. No member and no group is a label. */
export function createMetrics() {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  return {
    registry,
    received: new Counter({
      name: 'gridmate_messages_received_total',
      help: 'Messages by channel and outcome.',
      labelNames: ['channel', 'outcome'],
      registers,
    }),
    replies: new Counter({
      name: 'gridmate_replies_total',
      help: 'Messages sent, by result.',
      labelNames: ['result'],
      registers,
    }),
    duplicates: new Counter({
      name: 'gridmate_duplicates_dropped_total',
      help: 'Messages that had been handled before.',
      registers,
    }),
    handling: new Histogram({
      name: 'gridmate_handler_duration_seconds',
      help: 'From arrival to commit.',
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5],
      registers,
    }),
    roads: new Counter({
      name: 'gridmate_wecom_sent_total',
      help: 'Messages that WeCom took, by the road they went.',
      labelNames: ['road'],
      registers,
    }),
    alerts: new Counter({
      name: 'gridmate_channel_alerts_total',
      help: 'Things about a channel that an operator must see to.',
      labelNames: ['channel', 'what'],
      registers,
    }),
    channelUp: new Gauge({
      name: 'gridmate_channel_up',
      help: '1: the channel works.',
      labelNames: ['channel'],
      registers,
    }),
    deafSince: new Gauge({
      name: 'gridmate_channel_deaf_since_seconds',
      help: 'Since when (seconds since 1970) the channel hears nothing; 0: it hears.',
      labelNames: ['channel'],
      registers,
    }),
    reconnects: new Counter({
      name: 'gridmate_channel_reconnects_total',
      help: 'Connections of a channel that came up again.',
      labelNames: ['channel'],
      registers,
    }),
    gaps: new Counter({
      name: 'gridmate_channel_gaps_total',
      help: 'Times in which a channel heard nothing.',
      labelNames: ['channel'],
      registers,
    }),
    gapSeconds: new Counter({
      name: 'gridmate_channel_gap_seconds_total',
      help: 'Their length in sum.',
      labelNames: ['channel'],
      registers,
    }),
    channelErrors: new Counter({
      name: 'gridmate_channel_errors_total',
      help: 'Errors that a channel met, by sort.',
      labelNames: ['channel', 'sort'],
      registers,
    }),
    lost: new Counter({
      name: 'gridmate_messages_lost_total',
      help: 'Messages that a channel heard of and could not bring to the bot.',
      labelNames: ['channel', 'reason'],
      registers,
    }),
  };
}
export type Metrics = ReturnType<typeof createMetrics>;
