import { describe, expect, it } from 'vitest';
import { type RateLimitOptions, readRateLimits } from './limit-metadata.js';
import { RateLimit } from './rate-limit.decorator.js';

/** What the decorator writes for options. */
function ruleOf(options: RateLimitOptions) {
  class Orders {
    @RateLimit(options)
    place(): void {}
  }
  return readRateLimits(Orders.prototype, 'place');
}

describe('@RateLimit()', () => {
  it('is by principal, and allows at once what the period gives', () => {
    expect(ruleOf({ perSecond: 20 })).toEqual([{ perMs: 1_000, amount: 20, burst: 20, per: 'principal' }]);
    expect(ruleOf({ perMinute: 0.5 })).toEqual([{ perMs: 60_000, amount: 0.5, burst: 1, per: 'principal' }]);
    expect(ruleOf({ perHour: 100, burst: 5, per: 'tenant' })).toEqual([
      { perMs: 3_600_000, amount: 100, burst: 5, per: 'tenant' },
    ]);
  });

  it('may be said several times, of methods and of classes, in values that nobody can change', () => {
    @RateLimit({ perHour: 9, per: 'everyone' })
    class Orders {
      @RateLimit({ perSecond: 1 })
      @RateLimit({ perMinute: 10 })
      place(): void {}

      list(): void {}
    }
    const rules = readRateLimits(Orders.prototype, 'place');
    expect(rules.map(({ perMs }) => perMs)).toEqual([60_000, 1_000]);
    expect([Object.isFrozen(rules), rules.every(Object.isFrozen)]).toEqual([true, true]);
    expect(readRateLimits(Orders)).toEqual([{ perMs: 3_600_000, amount: 9, burst: 9, per: 'everyone' }]);
    expect(readRateLimits(Orders.prototype, 'list')).toEqual([]);
  });

  it.each<[RateLimitOptions, string]>([
    [{}, 'needs exactly one of perSecond, perMinute and perHour.'],
    [{ perSecond: 1, perHour: 1 }, 'needs exactly one of perSecond, perMinute and perHour.'],
    [{ perSecond: 0 }, ': perSecond must be a number above 0.'],
    [{ perMinute: -1 }, ': perMinute must be a number above 0.'],
    [{ perHour: Number.NaN }, ': perHour must be a number above 0.'],
    [{ perHour: Number.POSITIVE_INFINITY }, ': perHour must be a number above 0.'],
    [{ perHour: '9' as unknown as number }, ': perHour must be a number above 0.'],
    [{ perSecond: 1, burst: 0 }, ': burst must be a whole number from 1 to 9007199254740991.'],
    [{ perSecond: 1, burst: 1.5 }, ': burst must be a whole number from 1 to 9007199254740991.'],
    [{ perSecond: 1, per: 'tool' as 'tenant' }, ": per must be 'principal', 'tenant' or 'everyone'."],
    [
      { perHour: 1, burst: 721 },
      'would need more than 30 days to give all its calls again. Raise perHour or lower burst.',
    ],
  ])('refuses %j where it is written', (options, message) => {
    const said = message.startsWith(':') ? message : ` ${message}`;
    expect(() => ruleOf(options)).toThrow(new Error(`Orders.place: @RateLimit()${said}`));
  });

  it('names a class that it was put on', () => {
    expect(() => RateLimit({})(class Orders {})).toThrow('Orders: @RateLimit() needs exactly one of');
  });

  it('refuses what is not a method', () => {
    class Orders {}
    expect(() => RateLimit({ perSecond: 1 })(Orders.prototype, 'total')).toThrow(
      'Orders.total carries @RateLimit() but is not a method.',
    );
  });
});
