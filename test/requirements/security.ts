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
    tests: [],
  },
  {
    id: 'security/tool-rate-limit',
    ...ALL,
    level: 'MUST',
    clause: 'Calls of tools are limited in rate.',
    link: `${TOOLS}#security-considerations`,
    tests: [],
  },
  {
    id: 'security/resource-access',
    ...ALL,
    level: 'SHOULD',
    clause: 'A resource that the caller may not see is neither listed, read nor reported on.',
    link: `${RESOURCES}#security-considerations`,
    tests: [],
  },
  {
    id: 'security/completion-access',
    ...ALL,
    level: 'MUST',
    clause: 'Completions tell nothing about prompts and resources that the caller may not see.',
    link: `${COMPLETION}#security`,
    tests: [],
  },
  {
    id: 'security/completion-rate-limit',
    ...ALL,
    level: 'MUST',
    clause: 'Completions are limited in rate.',
    link: `${COMPLETION}#security`,
    tests: [],
  },
  {
    id: 'security/cache-scope-guards-nothing',
    ...STATELESS,
    level: 'MUST',
    clause: 'Access is checked on every request, whatever cacheScope an earlier answer had.',
    link: `${CACHING}#security-considerations`,
    tests: [],
  },
];
