import type { LoggerService } from '@nestjs/common';
import type { AccessChallenge } from '../protocol/access-challenge.js';
import type { AccessPolicy, AccessRequest } from '../protocol/access-policy.port.js';
import type { DenialRule } from '../protocol/denial-rule.js';
import { McpError } from '../protocol/errors.js';
import { type Principal, isAnonymous } from '../protocol/principal.js';
import type { PolicyUse } from '../registry/access-rule.js';
import type { AnyCapability, ListedCapability } from '../registry/capability.js';
import type { McpRegistry } from '../registry/mcp-registry.js';
import { EVERYTHING, type Visibility } from '../registry/visibility.js';
import type { AccessDefaults } from './access-defaults.js';
import type { Decision } from './decision.js';
import { inTime } from './in-time.js';

export interface AccessControlOptions extends AccessDefaults {
  /** What callers that nobody has asked who they are may use besides what is public. */
  readonly anonymousMayUse: 'all' | 'public';
  readonly challenge: AccessChallenge;
  readonly logger: Pick<LoggerService, 'error'>;
}

interface ListProfile {
  /** For each rule that says something else, a capability that has it. */
  readonly rules: ReadonlyMap<string, ListedCapability>;
  /** Those that policies are asked about. */
  readonly policed: readonly ListedCapability[];
}

type Lists = Pick<McpRegistry, 'tools' | 'resources' | 'templates' | 'prompts'>;
type Arguments = Readonly<Record<string, unknown>>;

/** Capabilities of one list that policies are asked about at a time. */
const ASKED_AT_ONCE = 16;

/**
 * Decides who may use what: the one place for every primitive, in lists, calls and subscriptions alike. Whatever a
 * caller may not see is treated by everyone as if it did not exist.
 */
export class AccessControl {
  private readonly missingScope: 'challenge' | 'advertise' | 'hide';
  /** Asked about everything that is not public. */
  private global: readonly PolicyUse[] = [];
  private readonly profiles = new WeakMap<readonly ListedCapability[], ListProfile>();

  constructor(private readonly options: AccessControlOptions) {
    this.missingScope = options.missingScope ?? 'challenge';
  }

  /** Has a policy asked about everything that is not public; to be said before anything is decided. */
  askAlso(policy: AccessPolicy): void {
    this.global = [...this.global, { name: policy.constructor.name, policy, options: undefined }];
  }

  /** Whether a decision may take its time, and cost something elsewhere. */
  asksPolicies(capability: AnyCapability): boolean {
    return this.policiesOf(capability).length > 0;
  }

  /**
   * Whether a caller may use something now. Answers at once unless a policy takes its time.
   * @param given arguments as sent
   */
  decide(capability: AnyCapability, principal: Principal, given: Arguments): Decision | Promise<Decision> {
    const fixed = this.byRole(capability, principal);
    if (fixed.effect !== 'allow' || capability.rules.access.kind === 'everyone') return fixed;
    const policies = this.policiesOf(capability);
    const scopes = this.byScope(capability, principal);
    if (policies.length === 0) return scopes ?? fixed;
    return this.byPolicies(policies, { capability, principal, given, scopes }, fixed.rule);
  }

  /** What to answer about something that does not exist: callers without a name learn not even that. */
  refuseUnknown(principal: Principal): McpError | undefined {
    return this.isStranger(principal) ? this.refuseStranger() : undefined;
  }

  /** Asks somebody nameless for a name. */
  refuseStranger(): McpError {
    return this.options.challenge.unauthorized();
  }

  /** What of a list a caller may see. */
  visibility(list: readonly ListedCapability[], principal: Principal): Visibility | Promise<Visibility> {
    const { rules, policed } = this.profileOf(list);
    const byRule = new Map([...rules].map(([key, capability]) => [key, this.seesByRule(capability, principal)]));
    const sees = (capability: ListedCapability): boolean => byRule.get(capability.rules.access.key) ?? false;
    const asked = policed.filter(sees);
    if (asked.length === 0) return visibilityOf(list, sees, [...byRule.values()]);
    return this.visibilityByPolicies(list, asked, { principal, sees, bits: [...byRule.values()] });
  }

  private async visibilityByPolicies(
    list: readonly ListedCapability[],
    asked: readonly ListedCapability[],
    { principal, sees, bits }: { principal: Principal; sees: (each: ListedCapability) => boolean; bits: boolean[] },
  ): Promise<Visibility> {
    const agreed: boolean[] = [];
    // A few at a time: one list must not be a flood for an engine elsewhere.
    for (let from = 0; from < asked.length; from += ASKED_AT_ONCE) {
      const some = asked.slice(from, from + ASKED_AT_ONCE);
      agreed.push(...(await Promise.all(some.map((capability) => this.agreeToSee(capability, principal)))));
    }
    const refused = new Set(asked.filter((_, index) => !agreed[index]));
    return visibilityOf(list, (each) => sees(each) && !refused.has(each), [...bits, ...agreed]);
  }

  /** Whether everyone may use all of these, whoever they are: only then may an answer be kept for others. */
  isSameForAll(capabilities: readonly AnyCapability[]): boolean {
    return capabilities.every(({ rules: { access } }) => access.kind === 'everyone' || this.isOpen(access.kind));
  }

  /** Whether somebody nameless is let in at all: where there is something that he may use, or see. */
  letsIn(principal: Principal, { tools, resources, templates, prompts }: Lists): boolean {
    if (!this.isStranger(principal)) return true;
    return [tools, resources, templates, prompts].some((list) =>
      [...this.profileOf(list.all()).rules.values()].some((capability) => this.seesByRule(capability, principal)),
    );
  }

  /** Whether everyone is served the same description of the server. */
  get isOpenToAll(): boolean {
    return this.isOpen('undeclared');
  }

  private isOpen(kind: string): boolean {
    return kind === 'undeclared' && this.options.anonymousMayUse === 'all' && this.global.length === 0;
  }

  /** Somebody nameless, where names are asked for. */
  private isStranger(principal: Principal): boolean {
    return this.options.anonymousMayUse === 'public' && isAnonymous(principal);
  }

  private byRole({ rules: { access } }: AnyCapability, principal: Principal): Decision {
    if (access.kind === 'everyone') return { effect: 'allow', rule: 'public' };
    // Not refused: what there is besides must not be told from what there is not; see `refuseUnknown()`.
    if (this.isStranger(principal)) return { effect: 'hide', rule: 'authentication' };
    if (access.kind === 'undeclared') {
      if (this.options.anonymousMayUse === 'all') return { effect: 'allow', rule: 'open' };
      if (this.options.undeclared === 'nobody') return { effect: 'hide', rule: 'undeclared' };
      return { effect: 'allow', rule: 'authenticated' };
    }
    const missing = access.roles.find((anyOf) => !anyOf.some((role) => principal.roles?.has(role)));
    if (missing) return { effect: 'hide', rule: `roles:${missing.join('|')}` };
    return { effect: 'allow', rule: ruleName(access) };
  }

  /** The decision, if a scope is missing. */
  private byScope({ rules: { access } }: AnyCapability, principal: Principal): Decision | undefined {
    if (access.scopes.every((scope) => principal.scopes.has(scope))) return undefined;
    const rule: DenialRule = `scopes:${access.scopes.join(' ')}`;
    if (this.missingScope === 'hide') return { effect: 'hide', rule };
    const { challenge } = this.options;
    const error = isAnonymous(principal) ? challenge.unauthorized() : challenge.insufficientScope(access.scopes);
    return { effect: 'refuse', rule, error };
  }

  private async byPolicies(
    policies: readonly PolicyUse[],
    use: { capability: AnyCapability; principal: Principal; given: Arguments; scopes: Decision | undefined },
    rule: string,
  ): Promise<Decision> {
    const { capability, principal, given, scopes } = use;
    const hiding = await this.dissenter(policies, requestOf(capability, principal, 'see'));
    if (hiding) return { effect: 'hide', rule: `policy:${hiding.name}` };
    if (scopes) return scopes;
    const refusing = await this.dissenter(policies, { ...requestOf(capability, principal, 'use'), arguments: given });
    if (!refusing) return { effect: 'allow', rule };
    return {
      effect: 'refuse',
      rule: `policy:${refusing.name}`,
      error: new McpError('FORBIDDEN', 'This is not allowed.', undefined, { headers: {} }),
    };
  }

  /** The first policy that says no. One that fails, or does not answer, says no. */
  private async dissenter(
    policies: readonly PolicyUse[],
    request: Omit<AccessRequest, 'options'>,
  ): Promise<PolicyUse | undefined> {
    for (const use of policies) {
      try {
        if ((await inTime(use.policy.allows({ ...request, options: use.options }))) !== true) return use;
      } catch (error) {
        this.options.logger.error(
          `The policy ${use.name} failed on ${request.kind} ${request.name}, so access was denied.`,
          error instanceof Error ? error.stack : String(error),
        );
        return use;
      }
    }
    return undefined;
  }

  /** What there is to decide about a list; a list that has changed is another array. */
  private profileOf(list: readonly ListedCapability[]): ListProfile {
    const known = this.profiles.get(list);
    if (known) return known;
    const profile = {
      rules: new Map(list.map((capability) => [capability.rules.access.key, capability])),
      policed: list.filter((capability) => this.policiesOf(capability).length > 0),
    };
    this.profiles.set(list, profile);
    return profile;
  }

  private seesByRule(capability: AnyCapability, principal: Principal): boolean {
    // What a name and a consent are enough for is shown to those who can still get both.
    const { kind, roles } = capability.rules.access;
    if (this.missingScope === 'advertise' && this.isStranger(principal)) {
      return (
        roles.length === 0 &&
        this.policiesOf(capability).length === 0 &&
        !(kind === 'undeclared' && this.options.undeclared === 'nobody')
      );
    }
    if (this.byRole(capability, principal).effect !== 'allow') return false;
    return this.missingScope === 'advertise' || this.byScope(capability, principal) === undefined;
  }

  private async agreeToSee(capability: AnyCapability, principal: Principal): Promise<boolean> {
    const policies = this.policiesOf(capability);
    return (await this.dissenter(policies, requestOf(capability, principal, 'see'))) === undefined;
  }

  private policiesOf({ rules: { access } }: AnyCapability): readonly PolicyUse[] {
    if (access.kind === 'everyone' || this.global.length === 0) return access.policies;
    return [...this.global, ...access.policies];
  }
}

function requestOf(
  { kind, key }: AnyCapability,
  principal: Principal,
  action: 'see' | 'use',
): Omit<AccessRequest, 'options'> {
  return { principal, action, kind, name: key };
}

function visibilityOf(
  list: readonly ListedCapability[],
  sees: (capability: ListedCapability) => boolean,
  bits: readonly boolean[],
): Visibility {
  if (bits.every(Boolean)) return EVERYTHING;
  const visible = new Set(list.filter(sees));
  return { key: bits.map((bit) => (bit ? '1' : '0')).join(''), sees: (capability) => visible.has(capability) };
}

function ruleName({ scopes, roles, policies }: AnyCapability['rules']['access']): string {
  const parts = [
    ...roles.map((anyOf) => `roles:${anyOf.join('|')}`),
    ...(scopes.length > 0 ? [`scopes:${scopes.join(' ')}`] : []),
    ...policies.map(({ name }) => `policy:${name}`),
  ];
  return parts.join(',');
}
