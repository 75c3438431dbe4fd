import type { CommunityBinding } from '../../src/bot/community.js';
import { maskNumbers } from '../../src/bot/language/normalise.js';
import type { Group } from '../../src/domain/group/schema.js';
import { identityKey, type Member, strongestRole } from '../../src/domain/member/schema.js';
import type { Models } from '../../src/domain/models.js';
import type { DomainServices } from '../../src/domain/services.js';
import type { GridCommunity } from './script.js';
import { sentences } from './sentences.js';

/** How the engine knows this community's people and groups. */
export function communityBinding(
  models: Models,
  services: DomainServices,
  botNames: readonly string[],
): CommunityBinding<GridCommunity> {
  const members = models.members.collection.collectionName;
  return {
    services,
    zone: services.zone,
    botNames,
    ranks: ['member', 'leader', 'secretary'],
    sentences,
    names: services.memberNames,
    mask: maskNumbers,
    lookups: (person, room) => ({
      member: {
        collection: models.identities.collection.collectionName,
        pipeline: [
          { $match: { _id: identityKey(person) } },
          { $lookup: { from: members, localField: 'member', foreignField: '_id', as: 'member' } },
          { $unwind: '$member' },
          { $replaceRoot: { newRoot: '$member' } },
        ],
      },
      ...(room !== null && {
        group: {
          collection: models.groups.collection.collectionName,
          pipeline: [{ $match: { _id: `${person.channel}:${room}` } }],
        },
      }),
    }),
    known(found) {
      const member = found['member']?.[0] as Member | undefined;
      return { member, group: found['group']?.[0] as Group | undefined, role: member && strongestRole(member) };
    },
  };
}
