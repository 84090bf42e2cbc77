import type { LoggerService } from '@nestjs/common';
import type { AccessChallenge } from '../protocol/access-challenge.js';
import type { AccessPolicy, AccessRequest } from '../protocol/access-policy.port.js';
import type { DenialRule } from '../protocol/denial-rule.js';
import { McpError } from '../protocol/errors.js';
import { hasAll } from '../protocol/has-all.js';
import { ANONYMOUS, type Principal, isAnonymous } from '../protocol/principal.js';
import { isThenable } from '../protocol/thenable.js';
import { goOn } from '../protocol/now-or-later.js';
import type { AccessRule, PolicyUse } from '../registry/access-rule.js';
import type { AnyCapability, ListedCapability } from '../registry/capability.js';
import type { McpRegistry } from '../registry/mcp-registry.js';
import { EVERYTHING, type Visibility } from '../registry/visibility.js';
import type { AccessDefaults } from './access-defaults.js';
import type { Decision } from './decision.js';
import { inTime } from './in-time.js';
import { ListProfile, type Policed } from './list-profile.js';

export interface AccessControlOptions extends AccessDefaults {
  /** What callers that nobody has asked who they are may use besides what is public. */
  readonly anonymousMayUse: 'all' | 'public';
  readonly challenge: AccessChallenge;
  readonly logger: Pick<LoggerService, 'error'>;
}

/** What a rule comes to that does not depend on the caller. */
interface CompiledRule {
  /** For those who meet it. */
  readonly allow: Decision;
  readonly policies: readonly PolicyUse[];
}

type Lists = Pick<McpRegistry, 'tools' | 'resources' | 'templates' | 'prompts'>;
type Arguments = Readonly<Record<string, unknown>>;

/** Capabilities of one list that policies are asked about at a time. */
const ASKED_AT_ONCE = 16;
const PUBLIC: Decision = Object.freeze({ effect: 'allow', rule: 'public' });
const OPEN: Decision = Object.freeze({ effect: 'allow', rule: 'open' });
const AUTHENTICATED: Decision = Object.freeze({ effect: 'allow', rule: 'authenticated' });
const STRANGER: Decision = Object.freeze({ effect: 'hide', rule: 'authentication' });
const UNDECLARED: Decision = Object.freeze({ effect: 'hide', rule: 'undeclared' });

/**
 * Decides who may use what: the one place for every primitive, in lists, calls and subscriptions alike. Whatever a
 * caller may not see is treated by everyone as if it did not exist.
 */
export class AccessControl {
  private readonly missingScope: 'challenge' | 'advertise' | 'hide';
  /** Asked about everything that is not public. */
  private global: readonly PolicyUse[] = [];
  private compiled = new WeakMap<AccessRule, CompiledRule>();
  private profiles = new WeakMap<readonly AnyCapability[], ListProfile>();

  constructor(private readonly options: AccessControlOptions) {
    this.missingScope = options.missingScope ?? 'challenge';
  }

  /** Has a policy asked about everything that is not public; to be said before anything is decided. */
  askAlso(policy: AccessPolicy): void {
    this.global = [...this.global, { name: policy.constructor.name, policy, options: undefined }];
    this.compiled = new WeakMap();
    this.profiles = new WeakMap();
  }

  /** Whether a decision may take its time, and cost something elsewhere. */
  asksPolicies(capability: AnyCapability): boolean {
    const { kind, policies } = capability.rules.access;
    return policies.length > 0 || (kind !== 'everyone' && this.global.length > 0);
  }

  /**
   * Whether a caller may use something now. Answers at once unless a policy takes its time.
   * @param given arguments as sent
   */
  decide(capability: AnyCapability, principal: Principal, given: Arguments): Decision | Promise<Decision> {
    const { access } = capability.rules;
    if (access.kind === 'everyone') return PUBLIC;
    const hidden = this.hiddenByRole(access, principal);
    if (hidden) return hidden;
    const { allow, policies } = this.compiledOf(capability);
    const lacking = this.lackingScope(access, principal);
    if (policies.length === 0) return lacking ?? allow;
    return this.byPolicies(policies, { capability, principal, given, met: lacking ?? allow });
  }

  /** What to answer about something that does not exist: callers without a name learn not even that. */
  refuseUnknown(principal: Principal): McpError | undefined {
    return this.isStranger(principal) ? this.refuseStranger() : undefined;
  }

  /** Asks somebody nameless for a name. */
  refuseStranger(): McpError {
    return this.options.challenge.unauthorized();
  }

  /** What of a list a caller may see. The same object for those who see the same, until the list changes. */
  visibility(list: readonly ListedCapability[], principal: Principal): Visibility | Promise<Visibility> {
    const profile = this.profileOf(list);
    if (profile.isSameForAll) return EVERYTHING;
    let bits = '';
    for (const capability of profile.rules) bits += this.seesByRule(capability, principal) ? '1' : '0';
    if (profile.policed.length === 0) return profile.view(bits);
    const asked = profile.policed.filter(({ rule }) => bits[rule] === '1');
    return asked.length === 0 ? profile.view(bits) : this.visibilityByPolicies(profile, bits, asked, principal);
  }

  private async visibilityByPolicies(
    profile: ListProfile,
    bits: string,
    asked: readonly Policed[],
    principal: Principal,
  ): Promise<Visibility> {
    const agreed: boolean[] = [];
    // A few at a time: one list must not be a flood for an engine elsewhere.
    for (let from = 0; from < asked.length; from += ASKED_AT_ONCE) {
      const some = asked.slice(from, from + ASKED_AT_ONCE);
      agreed.push(...(await Promise.all(some.map(async ({ capability }) => this.agreeToSee(capability, principal)))));
    }
    const refused = asked.filter((_, index) => !agreed[index]).map(({ capability }) => capability);
    return profile.view(bits + agreed.map((bit) => (bit ? '1' : '0')).join(''), new Set(refused));
  }

  /** Whether everyone may use all of these, whoever they are: only then may an answer be kept for others. */
  isSameForAll(capabilities: readonly AnyCapability[]): boolean {
    const profile = this.profiles.get(capabilities);
    return profile ? profile.isSameForAll : capabilities.every((capability) => this.isForAll(capability));
  }

  /** Whether somebody nameless is let in at all: where there is something that he may use, or see. */
  letsIn(principal: Principal, { tools, resources, templates, prompts }: Lists): boolean {
    if (!this.isStranger(principal)) return true;
    return (
      this.profileOf(tools.all()).isForStrangers ||
      this.profileOf(resources.all()).isForStrangers ||
      this.profileOf(templates.all()).isForStrangers ||
      this.profileOf(prompts.all()).isForStrangers
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

  private isForAll({ rules: { access } }: AnyCapability): boolean {
    return access.kind === 'everyone' || this.isOpen(access.kind);
  }

  /** The decision, if nobody like this caller may know of what is not for everyone. */
  private hiddenByRole(access: AccessRule, principal: Principal): Decision | undefined {
    // Not refused: what there is besides must not be told from what there is not; see `refuseUnknown()`.
    if (this.isStranger(principal)) return STRANGER;
    if (access.kind === 'undeclared') {
      return this.options.anonymousMayUse === 'public' && this.options.undeclared === 'nobody' ? UNDECLARED : undefined;
    }
    for (const anyOf of access.roles) {
      if (!hasOne(principal.roles, anyOf)) return { effect: 'hide', rule: `roles:${anyOf.join('|')}` };
    }
    return undefined;
  }

  /** The decision, if a scope is missing. */
  private lackingScope({ scopes }: AccessRule, principal: Principal): Decision | undefined {
    if (hasAll(principal.scopes, scopes)) return undefined;
    const rule: DenialRule = `scopes:${scopes.join(' ')}`;
    if (this.missingScope === 'hide') return { effect: 'hide', rule };
    const { challenge } = this.options;
    const error = isAnonymous(principal) ? challenge.unauthorized() : challenge.insufficientScope(scopes);
    return { effect: 'refuse', rule, error };
  }

  /** @param use `met` is what comes of it if all policies agree, or before they are asked about the use itself */
  private byPolicies(
    policies: readonly PolicyUse[],
    use: { capability: AnyCapability; principal: Principal; given: Arguments; met: Decision },
  ): Decision | Promise<Decision> {
    const { capability, principal, given, met } = use;
    return goOn(this.dissenter(policies, requestOf(capability, principal, 'see')), (hiding) => {
      if (hiding) return { effect: 'hide', rule: `policy:${hiding.name}` };
      if (met.effect !== 'allow') return met;
      const request = { ...requestOf(capability, principal, 'use'), arguments: given };
      return goOn(this.dissenter(policies, request), (refusing) => (refusing ? refusedBy(refusing) : met));
    });
  }

  /** The first policy that says no. One that fails, or does not answer, says no. */
  private dissenter(
    policies: readonly PolicyUse[],
    request: Omit<AccessRequest, 'options'>,
    from = 0,
  ): PolicyUse | undefined | Promise<PolicyUse | undefined> {
    const use = policies[from];
    if (!use) return undefined;
    return goOn(this.agrees(use, request), (agreed) => (agreed ? this.dissenter(policies, request, from + 1) : use));
  }

  private agrees(use: PolicyUse, request: Omit<AccessRequest, 'options'>): boolean | Promise<boolean> {
    try {
      const answer: unknown = use.policy.allows({ ...request, options: use.options });
      if (!isThenable(answer)) return answer === true;
      return inTime(answer).then(
        (late) => late === true,
        (error: unknown) => this.failed(use, request, error),
      );
    } catch (error) {
      return this.failed(use, request, error);
    }
  }

  private failed({ name }: PolicyUse, request: Omit<AccessRequest, 'options'>, error: unknown): false {
    this.options.logger.error(
      `The policy ${name} failed on ${request.kind} ${request.name}, so access was denied.`,
      error instanceof Error ? error.stack : String(error),
    );
    return false;
  }

  /** What there is to decide about a list; a list that has changed is another array. */
  private profileOf(list: readonly ListedCapability[]): ListProfile {
    const known = this.profiles.get(list);
    if (known) return known;
    const profile = new ListProfile(list, {
      asksPolicies: (capability) => this.asksPolicies(capability),
      isForAll: (capability) => this.isForAll(capability),
      isForStrangers: (capability) => this.seesByRule(capability, ANONYMOUS),
    });
    this.profiles.set(list, profile);
    return profile;
  }

  private seesByRule(capability: AnyCapability, principal: Principal): boolean {
    const { access } = capability.rules;
    // What a name and a consent are enough for is shown to those who can still get both.
    if (this.missingScope === 'advertise' && this.isStranger(principal)) {
      return (
        access.roles.length === 0 &&
        !this.asksPolicies(capability) &&
        !(access.kind === 'undeclared' && this.options.undeclared === 'nobody')
      );
    }
    if (access.kind === 'everyone') return true;
    if (this.hiddenByRole(access, principal)) return false;
    return this.missingScope === 'advertise' || hasAll(principal.scopes, access.scopes);
  }

  private agreeToSee(capability: AnyCapability, principal: Principal): boolean | Promise<boolean> {
    const dissenter = this.dissenter(this.compiledOf(capability).policies, requestOf(capability, principal, 'see'));
    return goOn(dissenter, (hiding) => hiding === undefined);
  }

  private compiledOf({ rules: { access } }: AnyCapability): CompiledRule {
    const known = this.compiled.get(access);
    if (known) return known;
    const rule = { allow: this.allowedBy(access), policies: this.policiesOf(access) };
    this.compiled.set(access, rule);
    return rule;
  }

  private allowedBy(access: AccessRule): Decision {
    if (access.kind === 'everyone') return PUBLIC;
    if (access.kind === 'undeclared') return this.options.anonymousMayUse === 'all' ? OPEN : AUTHENTICATED;
    return Object.freeze({ effect: 'allow', rule: ruleName(access) });
  }

  private policiesOf({ kind, policies }: AccessRule): readonly PolicyUse[] {
    return kind === 'everyone' ? policies : [...this.global, ...policies];
  }
}

function hasOne(roles: ReadonlySet<string> | undefined, anyOf: readonly string[]): boolean {
  if (!roles) return false;
  for (const role of anyOf) if (roles.has(role)) return true;
  return false;
}

function refusedBy({ name }: PolicyUse): Decision {
  const error = new McpError('FORBIDDEN', 'This is not allowed.', undefined, { headers: {} });
  return { effect: 'refuse', rule: `policy:${name}`, error };
}

function requestOf(
  { kind, key }: AnyCapability,
  principal: Principal,
  action: 'see' | 'use',
): Omit<AccessRequest, 'options'> {
  return { principal, action, kind, name: key };
}

function ruleName({ scopes, roles, policies }: AccessRule): string {
  const parts = [
    ...roles.map((anyOf) => `roles:${anyOf.join('|')}`),
    ...(scopes.length > 0 ? [`scopes:${scopes.join(' ')}`] : []),
    ...policies.map(({ name }) => `policy:${name}`),
  ];
  return parts.join(',');
}
