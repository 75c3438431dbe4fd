import { dayText, durationText } from '../../src/calendar.js';
import { masked, type Member } from '../../src/domain/member/schema.js';
import type { ServiceReport } from '../../src/domain/service/schema.js';

/** A person's name as this place may show it: whole in private, masked in a group. */
export const shownName = (name: string, place: 'group' | 'private'): string =>
  place === 'group' ? masked(name) : name;

/** `环境整治 2.5小时（11月25日 周三）`. */
export const reportText = (r: Pick<ServiceReport, 'item' | 'minutes' | 'day'>): string =>
  `${r.item} ${durationText(r.minutes)}（${dayText(r.day)}）`;

/** Who confirms, by post: `第三网格 周立新`. */
export const confirmerText = (leaders: readonly Member[], place: 'group' | 'private'): string =>
  leaders.length === 0
    ? '上级党组织'
    : leaders
        .slice(0, 2)
        .map((m) => `${m.posts[0] ?? '负责人'}${shownName(m.name, place)}`)
        .join('、');
