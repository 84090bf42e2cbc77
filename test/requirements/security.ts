import { ALL, STATELESS, page } from './requirement.js';
import type { Requirement } from './requirement.js';

const TOOLS = page('2026-07-28', 'server/tools');
const RESOURCES = page('2026-07-28', 'server/resources');
const COMPLETION = page('2026-07-28', 'server/utilities/completion');
const CACHING = page('2026-07-28', 'server/utilities/caching');

/** Who may call what, and how often. The authorization framework itself is a manifest of its own. */
export const security: readonly Requirement[] = [
  {
    id: 'security/tool-access',
    ...ALL,
    level: 'MUST',
    clause: 'A tool that the caller may not use is neither listed nor run.',
    link: `${TOOLS}#security-considerations`,
    tests: [
      'test/e2e/policy/lists.spec.ts#%s shows each caller what he may use',
      'test/e2e/security/enumeration.spec.ts#whatever is asked about it',
      'test/e2e/security/enumeration.spec.ts#in every list',
      'test/e2e/security/tokens.spec.ts#reaches no handler when it is forged',
    ],
  },
  {
    id: 'security/tool-rate-limit',
    ...ALL,
    level: 'MUST',
    clause: 'Calls of tools are limited in rate.',
    link: `${TOOLS}#security-considerations`,
    tests: [
      'test/e2e/limits/rates.spec.ts#a tool may be called by one principal, and no other is affected',
      'test/e2e/limits/rates.spec.ts#is said before guards and handlers are reached, and before any stream',
      'test/e2e/limits/shared.spec.ts#let so many calls pass in all, in the %s era',
    ],
  },
  {
    id: 'security/resource-access',
    ...ALL,
    level: 'SHOULD',
    clause: 'A resource that the caller may not see is neither listed, read nor reported on.',
    link: `${RESOURCES}#security-considerations`,
    tests: [
      'test/e2e/policy/lists.spec.ts#%s shows each caller what he may use',
      'test/e2e/policy/resources.spec.ts#means to %s (%j) by %s: %s',
      'test/e2e/security/enumeration.spec.ts#whatever is asked about it',
      'test/e2e/security/enumeration.spec.ts#is not heard of through subscriptions/listen, which grants all alike',
      'test/e2e/security/enumeration.spec.ts#is not heard of on the stream of a session',
    ],
  },
  {
    id: 'security/completion-access',
    ...ALL,
    level: 'MUST',
    clause: 'Completions tell nothing about prompts and resources that the caller may not see.',
    link: `${COMPLETION}#security`,
    tests: [
      'test/e2e/policy/resources.spec.ts#are for those who may use what is completed',
      'test/e2e/policy/resources.spec.ts#may require more: without it they are as if there were none',
      'test/e2e/security/enumeration.spec.ts#whatever is asked about it',
    ],
  },
  {
    id: 'security/completion-rate-limit',
    ...ALL,
    level: 'MUST',
    clause: 'Completions are limited in rate.',
    link: `${COMPLETION}#security`,
    tests: [
      'test/e2e/limits/rates.spec.ts#completions may be asked for is a matter of their own, not of the prompt they belong to',
    ],
  },
  {
    id: 'security/cache-scope-guards-nothing',
    ...STATELESS,
    level: 'MUST',
    clause: 'Access is checked on every request, whatever cacheScope an earlier answer had.',
    link: `${CACHING}#security-considerations`,
    tests: [
      'test/e2e/policy/lists.spec.ts#of a list is public only if everyone is shown the same',
      'test/e2e/policy/policies.spec.ts#is asked of everything that is not public, now',
    ],
  },
];
