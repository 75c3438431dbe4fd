import type { Connection } from 'mongoose';
import { attachmentModel } from './attachment/attachments.js';
import { auditModel } from './audit/audit.js';
import { directoryModel } from './directory/directory.js';
import { checkInAttemptsModel, checkInRequestModel } from './check-in/schema.js';
import { bindingCodeModel, groupModel } from './group/schema.js';
import { accountModel, ledgerModel } from './ledger/schema.js';
import { identityModel, memberModel } from './member/schema.js';
import { counterModel, numberedModel } from './numbers/numbers.js';
import { orgUnitModel } from './organisation/schema.js';
import { pasteModel } from './paste/schema.js';
import { dayLoadModel, pendingEvidenceModel, serviceReportModel } from './service/schema.js';

/** Every collection of the community on one connection. */
export const createModels = (c: Connection) => ({
  units: orgUnitModel(c),
  members: memberModel(c),
  identities: identityModel(c),
  groups: groupModel(c),
  bindingCodes: bindingCodeModel(c),
  checkInRequests: checkInRequestModel(c),
  checkInAttempts: checkInAttemptsModel(c),
  numbered: numberedModel(c),
  counters: counterModel(c),
  serviceReports: serviceReportModel(c),
  dayLoads: dayLoadModel(c),
  pendingEvidence: pendingEvidenceModel(c),
  pastes: pasteModel(c),
  ledgerEntries: ledgerModel(c),
  accounts: accountModel(c),
  auditEvents: auditModel(c),
  attachments: attachmentModel(c),
  directory: directoryModel(c),
});

export type Models = ReturnType<typeof createModels>;
