import { describe, expect, it } from 'vitest';
import { Concurrency } from './concurrency.decorator.js';
import { type ConcurrencyOptions, readConcurrency } from './limit-metadata.js';

/** What the decorator writes for options. */
function ruleOf(options: number | ConcurrencyOptions) {
  class Reports {
    @Concurrency(options)
    render(): void {}
  }
  return readConcurrency(Reports.prototype, 'render');
}

describe('@Concurrency()', () => {
  it('counts everyone together and has nobody wait', () => {
    const rule = { max: 4, queue: 0, queueMs: 1_000, per: 'everyone' };
    expect(ruleOf(4)).toEqual([rule]);
    expect(ruleOf({ max: 4 })).toEqual([rule]);
    expect(ruleOf({ max: 1, queue: 20, queueMs: 50, per: 'principal' })).toEqual([
      { max: 1, queue: 20, queueMs: 50, per: 'principal' },
    ]);
  });

  it('may be said several times, of methods and of classes, in values that nobody can change', () => {
    @Concurrency(10)
    class Reports {
      @Concurrency(4)
      @Concurrency({ max: 1, per: 'principal' })
      render(): void {}
    }
    const rules = readConcurrency(Reports.prototype, 'render');
    expect(rules.map(({ max }) => max)).toEqual([1, 4]);
    expect([Object.isFrozen(rules), rules.every(Object.isFrozen)]).toEqual([true, true]);
    expect(readConcurrency(Reports).map(({ max }) => max)).toEqual([10]);
  });

  it.each<[number | ConcurrencyOptions, string]>([
    [0, 'max must be a whole number from 1 to 9007199254740991.'],
    [1.5, 'max must be a whole number from 1 to 9007199254740991.'],
    [Number.NaN, 'max must be a whole number from 1 to 9007199254740991.'],
    [{ max: '4' as unknown as number }, 'max must be a whole number from 1 to 9007199254740991.'],
    [{ max: 1, queue: -1 }, 'queue must be a whole number from 0 to 9007199254740991.'],
    [{ max: 1, queueMs: 0 }, 'queueMs must be a whole number from 1 to 2147483647.'],
    [{ max: 1, queueMs: 2 ** 31 }, 'queueMs must be a whole number from 1 to 2147483647.'],
    [{ max: 1, per: 'tenant' as 'principal' }, "per must be 'everyone' or 'principal'."],
  ])('refuses %j where it is written', (options, message) => {
    expect(() => ruleOf(options)).toThrow(new Error(`Reports.render: @Concurrency(): ${message}`));
  });
});
