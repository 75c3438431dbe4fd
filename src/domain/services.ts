import { attachmentOperations } from './attachment/attachments.js';
import { auditOperations } from './audit/audit.js';
import { checkInOperations } from './check-in/operations.js';
import { directoryOperations } from './directory/directory.js';
import { groupOperations } from './group/operations.js';
import { ledgerOperations } from './ledger/operations.js';
import { MemberNames } from './member/names.js';
import { memberOperations } from './member/operations.js';
import type { Models } from './models.js';
import { numberOperations } from './numbers/numbers.js';
import { pasteOperations } from './paste/operations.js';
import type { PointRules } from './rules/point-rules.js';
import { serviceOperations } from './service/operations.js';

export interface DomainSettings {
  readonly zone: string;
  readonly maxReportAgeDays: number;
}

/** The community's operations, as handlers and routes have them at hand. */
export function createServices(models: Models, rules: PointRules, settings: DomainSettings) {
  const audit = auditOperations(models.auditEvents);
  const numbers = numberOperations(models);
  const ledger = ledgerOperations({ entries: models.ledgerEntries, accounts: models.accounts }, rules);
  const attachments = attachmentOperations(models.attachments);
  const services = serviceOperations(
    {
      reports: models.serviceReports,
      loads: models.dayLoads,
      pending: models.pendingEvidence,
      members: models.members,
    },
    { numbers, ledger, audit, rules, maxAgeDays: settings.maxReportAgeDays },
  );
  return {
    zone: settings.zone,
    rules,
    numbers,
    ledger,
    memberNames: new MemberNames(models.members),
    checkIns: checkInOperations(
      {
        members: models.members,
        identities: models.identities,
        requests: models.checkInRequests,
        attempts: models.checkInAttempts,
        units: models.units,
      },
      numbers,
      audit,
    ),
    groups: groupOperations(
      {
        groups: models.groups,
        codes: models.bindingCodes,
        units: models.units,
        members: models.members,
        identities: models.identities,
      },
      audit,
    ),
    services,
    pastes: pasteOperations({ pastes: models.pastes, members: models.members }, services),
    members: memberOperations(models.members),
    attachments,
    /** The same for handlers, where `attachments` are those of the message. */
    files: attachments,
    directory: directoryOperations(models.directory),
  };
}

export type DomainServices = ReturnType<typeof createServices>;
