import { splitQuote } from '../../bot/language/normalise.js';

/**
 * Wechaty has no quotes (wechaty #2387); wechat4u turns one into `「name：text」`, a line of dashes, the answer. What is
 * quoted is no command: only the answer is what was said now.
 */
export function takeQuote(text: string): { readonly text: string; readonly quote?: { readonly text: string } } {
  const { quote, answer } = splitQuote(text);
  if (quote === undefined) return { text };
  return { text: answer, quote: { text: quote.replace(/^[^\n：:]{1,40}[：:]\s?/, '') } };
}
