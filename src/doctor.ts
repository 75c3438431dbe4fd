import { systemClock } from './clock.js';
import { diagnose } from './doctor/diagnose.js';
import { textOf } from './doctor/finding.js';
import { environment } from './environment.js';

/** `npm run doctor`: looks at settings, store, clock, channels and machine, also while the program runs. Exit code 1: something must be done. */
const findings = await diagnose(environment(), { now: systemClock.now() });
const count = (level: string): number => findings.filter((f) => f.level === level).length;
for (const finding of findings) process.stdout.write(`${textOf(finding)}\n`);
process.stdout.write(`共 ${findings.length} 项：有问题 ${count('problem')}，注意 ${count('warning')}\n`);
process.exitCode = count('problem') > 0 ? 1 : 0;
