import type { DenialKind } from '../../protocol/denial-rule.js';
import type { OperationEnd } from '../server-observer.port.js';

/** What each rule that denies stands for; see `DenialRule`. */
const REASONS = {
  authentication: 'authentication',
  forbidden: 'forbidden',
  policy: 'policy',
  roles: 'role',
  scopes: 'scope',
  session_not_found: 'session',
  undeclared: 'undeclared',
  unknown: 'unknown',
} as const satisfies Readonly<Record<DenialKind, string>>;

export type DenialReason = (typeof REASONS)[DenialKind];

/** All values of `reason`. */
export const DENIAL_REASONS: readonly DenialReason[] = Object.values(REASONS);

/** What denied an operation: a rule, or its handler or guard, which says no more than that. */
export function denialReason({ decision, rule }: Pick<OperationEnd, 'decision' | 'rule'>): DenialReason {
  const [kind = ''] = rule.split(':', 1);
  return decision === 'deny' && Object.hasOwn(REASONS, kind) ? REASONS[kind as DenialKind] : 'forbidden';
}

export interface LimitLabels {
  readonly limit: 'rate' | 'concurrency' | 'audit';
  readonly scope: string;
}

const SCOPES = ['principal', 'tenant', 'tool', 'resource', 'template', 'prompt', 'completion'];

/** All labels that `mcp_server_limited_total` can have. */
export const LIMITED: readonly LimitLabels[] = [
  ...SCOPES.map((scope): LimitLabels => ({ limit: 'rate', scope })),
  ...SCOPES.filter((scope) => scope !== 'tenant').map((scope): LimitLabels => ({ limit: 'concurrency', scope })),
  { limit: 'audit', scope: 'none' },
];

const BY_RULE: ReadonlyMap<string, LimitLabels> = new Map(
  LIMITED.map((labels) => [labels.limit === 'audit' ? 'audit' : `${labels.limit}:${labels.scope}`, labels]),
);

/** @param rule of the audit, such as `rate:tool` */
export function limitLabels(rule: string): { limit: LimitLabels['limit']; scope: string } {
  return { ...(BY_RULE.get(rule) ?? { limit: 'rate', scope: 'none' }) };
}
