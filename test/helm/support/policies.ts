import { OBJECT_POLICIES } from './object-policies.js';
import { POD_POLICIES } from './pod-policies.js';
import type { Policy } from './policy.js';

/** Everything that rendered objects must keep, by what it asks for. */
export const POLICIES: Readonly<Record<string, Policy>> = { ...POD_POLICIES, ...OBJECT_POLICIES };
