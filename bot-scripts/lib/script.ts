import { scriptsFor } from '../../src/bot/script.js';
import type { Group } from '../../src/domain/group/schema.js';
import type { Member } from '../../src/domain/member/schema.js';
import type { DomainServices } from '../../src/domain/services.js';

/** The community's types: here the engine is bound to it, once. */
export interface GridCommunity {
  services: DomainServices;
  member: Member;
  group: Group;
  role: 'member' | 'leader' | 'secretary';
}

/** A capability: what people can say, and what comes of it. */
export const script = scriptsFor<GridCommunity>();
