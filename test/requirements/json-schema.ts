import { ALL_2025_11_25_ON, STATELESS, page } from './requirement.js';
import type { Requirement } from './requirement.js';

const BASE = page('2026-07-28', 'basic/index');

/** How schemas of tools are read, at boot and against arguments. */
export const jsonSchema: readonly Requirement[] = [
  {
    id: 'json-schema/default-2020-12',
    ...ALL_2025_11_25_ON,
    level: 'MUST',
    clause: 'A schema without $schema is applied as JSON Schema 2020-12.',
    link: `${BASE}#implementation-requirements`,
    tests: ['test/e2e/stateless/json-schema.spec.ts#are applied in the dialect they declare, or 2020-12: %s'],
  },
  {
    id: 'json-schema/declared-dialect',
    ...ALL_2025_11_25_ON,
    level: 'MUST',
    clause: 'A schema that names a dialect is applied as that dialect.',
    link: `${BASE}#implementation-requirements`,
    tests: ['test/e2e/stateless/json-schema.spec.ts#are applied in the dialect they declare, or 2020-12: %s'],
  },
  {
    id: 'json-schema/unsupported-dialect',
    ...ALL_2025_11_25_ON,
    level: 'MUST',
    clause: 'A dialect that is not supported is refused with an error that says so.',
    link: `${BASE}#implementation-requirements`,
    tests: [
      'test/e2e/stateless/json-schema.spec.ts#%s stop the boot, naming the tool and the reason',
      'test/e2e/stateless/json-schema.spec.ts#%s are refused at runtime, and never published',
    ],
  },
  {
    id: 'json-schema/invalid-schema-refused',
    ...ALL_2025_11_25_ON,
    level: 'MUST',
    clause: 'A schema that is not valid in its dialect is never published.',
    link: `${BASE}#schema-validation`,
    tests: [
      'test/e2e/stateless/json-schema.spec.ts#%s stop the boot, naming the tool and the reason',
      'test/e2e/stateless/json-schema.spec.ts#%s are refused at runtime, and never published',
    ],
  },
  {
    id: 'json-schema/no-network-refs',
    ...STATELESS,
    level: 'MUST',
    clause: 'A $ref to a network address is not fetched.',
    link: `${BASE}#ref-resolution`,
    tests: [
      'test/e2e/stateless/json-schema.spec.ts#are refused with a $ref to a network address, which is not fetched',
    ],
  },
  {
    id: 'json-schema/unresolved-ref-refused',
    ...STATELESS,
    level: 'SHOULD',
    clause: 'A schema with an external $ref that does not resolve is refused rather than taken for permissive.',
    link: `${BASE}#ref-resolution`,
    tests: [
      'test/e2e/stateless/json-schema.spec.ts#are refused with a $ref to a network address, which is not fetched',
    ],
  },
  {
    id: 'json-schema/bounded-composition',
    ...STATELESS,
    level: 'SHOULD',
    clause: 'Depth and number of subschemas are bounded, so that no schema ties up the validator.',
    link: `${BASE}#composition-keyword-resource-use`,
    tests: ['test/e2e/stateless/json-schema.spec.ts#%s stop the boot, naming the tool and the reason'],
  },
];
