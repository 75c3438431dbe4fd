import { z } from 'zod';

/** Whose invitations into a group are accepted. */
export const inviters = ['leaders', 'anyone', 'nobody'] as const;
export type Inviters = (typeof inviters)[number];

const Invitation = z.object({ inviterId: z.string().min(1), topic: z.string().nullish() });
export interface ReadInvitation {
  readonly inviter: string;
  readonly topic: string;
}
/** @throws Error it is no invitation */
export function parseInvitation(given: unknown): ReadInvitation {
  const { inviterId, topic } = Invitation.parse(given);
  return { inviter: inviterId, topic: topic ?? '' };
}

/** Accepted or not; a refusal says why, for the log. `role`: what the community knows of the inviter. */
export function judge(allowed: Inviters, role: string | undefined): { readonly accept: boolean; readonly why: string } {
  if (allowed === 'anyone') return { accept: true, why: 'anyone may invite' };
  if (allowed === 'nobody') return { accept: false, why: 'invitations are switched off' };
  if (role === undefined) return { accept: false, why: 'the inviter is not known' };
  return role === 'member'
    ? { accept: false, why: 'the inviter leads nothing' }
    : { accept: true, why: `the inviter is a ${role}` };
}
