import { describe, expect, it } from 'vitest';
import { AuditFields } from '../decorators/audit-fields.decorator.js';
import { Concurrency } from '../decorators/concurrency.decorator.js';
import { RateLimit } from '../decorators/rate-limit.decorator.js';
import { RequirePolicy } from '../decorators/require-policy.decorator.js';
import { RequireRoles } from '../decorators/require-roles.decorator.js';
import { RequireScopes } from '../decorators/require-scopes.decorator.js';
import type { AccessPolicy } from '../protocol/access-policy.port.js';
import { declaredRules, rulesFromOptions } from './capability-rules.js';

class SameTenant implements AccessPolicy {
  allows(): boolean {
    return true;
  }
}
const policy = new SameTenant();

@RequireRoles('staff')
@RateLimit({ perHour: 9 })
class ShopModule {}

@RequireScopes('shop')
@Concurrency(3)
class Shop {
  @RequirePolicy(SameTenant, 'orders')
  @RateLimit({ perSecond: 1 })
  @AuditFields('orderId')
  refund(): void {}

  hours(): void {}
}

const rulesOf = (methodName: keyof Shop, module?: object) =>
  declaredRules({ module, prototype: Shop.prototype, methodName }, () => policy, 'Shop.refund');

describe('the rules of a handler', () => {
  it('are those of its module, its class and its method together', () => {
    const rules = rulesOf('refund', ShopModule);

    expect(rules.access).toMatchObject({ kind: 'restricted', scopes: ['shop'], roles: [['staff']] });
    expect(rules.access.policies).toEqual([{ name: 'SameTenant', policy, options: 'orders' }]);
    expect(rules.rateLimits.map(({ perMs }) => perMs)).toEqual([3_600_000, 1_000]);
    expect(rules.concurrency).toHaveLength(1);
    expect(rules.auditFields).toEqual(['orderId']);
  });

  it('are those of module and class where the method says nothing', () => {
    expect(rulesOf('hours', ShopModule)).toMatchObject({
      access: { scopes: ['shop'], roles: [['staff']], policies: [] },
      auditFields: [],
    });
  });

  it('hold places by principal before those that others could have', () => {
    @Concurrency(10)
    class Reports {
      @Concurrency({ max: 1, per: 'principal', queue: 5 })
      render(): void {}
    }
    const place = { module: undefined, prototype: Reports.prototype, methodName: 'render' };

    expect(declaredRules(place, () => policy, 'Reports.render').concurrency.map(({ per }) => per)).toEqual([
      'principal',
      'everyone',
    ]);
  });

  it('can do without a module, as providers of Nest itself have none', () => {
    expect(rulesOf('hours').access.roles).toEqual([]);
  });

  it('ask for each policy by its token, and let nothing pass that cannot be had', () => {
    const place = { module: undefined, prototype: Shop.prototype, methodName: 'refund' };
    const missing = (token: unknown): never => {
      throw new Error(`no ${(token as typeof SameTenant).name}`);
    };

    expect(() => declaredRules(place, missing, 'Shop.refund')).toThrow('no SameTenant');
  });
});

describe('the rules of what is added at runtime', () => {
  it('are none unless given', () => {
    expect(rulesFromOptions({}, '"ping"')).toMatchObject({
      access: { kind: 'undeclared' },
      rateLimits: [],
      concurrency: [],
      auditFields: [],
    });
  });

  it('are what is given', () => {
    const rules = rulesFromOptions(
      { access: { roles: ['admin'] }, rateLimits: [{ perSecond: 2 }], auditFields: ['id'] },
      '"ping"',
    );

    expect(rules.access.roles).toEqual([['admin']]);
    expect(rules.rateLimits).toEqual([{ perMs: 1_000, amount: 2, burst: 2, per: 'principal' }]);
    expect(rules.auditFields).toEqual(['id']);
  });

  it('name the capability when they are wrong', () => {
    expect(() => rulesFromOptions({ access: { roles: [] } }, '"ping" (added at runtime)')).toThrow(
      '"ping" (added at runtime): access.roles needs the names of one or more roles.',
    );
    expect(() => rulesFromOptions({ rateLimits: [{}] }, '"ping" (added at runtime)')).toThrow(
      '"ping" (added at runtime): rateLimits',
    );
  });
});
