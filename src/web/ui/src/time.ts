const zone = 'Asia/Shanghai';
const parts = (at: Date, options: Intl.DateTimeFormatOptions): string =>
  new Intl.DateTimeFormat('zh-CN', { timeZone: zone, ...options }).format(at);
const dayNumber = (at: Date): number => Math.floor((at.getTime() + 8 * 3_600_000) / 86_400_000);

/** `19:02`, `昨天 19:02`, `星期三 19:02`, `11月20日 19:02`: as chats show it. */
export function chatTime(iso: string, now: Date): string {
  const at = new Date(iso);
  const time = parts(at, { hour: '2-digit', minute: '2-digit', hour12: false });
  const days = dayNumber(now) - dayNumber(at);
  if (days === 0) return time;
  if (days === 1) return `昨天 ${time}`;
  if (days > 1 && days < 7) return `${parts(at, { weekday: 'long' })} ${time}`;
  return `${parts(at, { month: 'numeric', day: 'numeric' }).replace('/', '月')}日 ${time}`;
}

export const clockLabel = (at: Date): string =>
  parts(at, { month: 'long', day: 'numeric', weekday: 'short', hour: '2-digit', minute: '2-digit', hour12: false });

/** Tomorrow at 8:00, where the community is. */
export const tomorrowMorning = (now: Date): Date => new Date((dayNumber(now) + 1) * 86_400_000);

/** From and to the value of a date and time input, in the community's zone. */
export const toInput = (at: Date): string => new Date(at.getTime() + 8 * 3_600_000).toISOString().slice(0, 16);
export const fromInput = (value: string): Date => new Date(`${value}:00+08:00`);
