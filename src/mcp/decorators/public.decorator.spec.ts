import { describe, expect, it } from 'vitest';
import { readAccess } from './access-metadata.js';
import { Public } from './public.decorator.js';

describe('@Public()', () => {
  it('is written on methods and on classes', () => {
    @Public()
    class Shop {
      @Public()
      hours(): void {}

      orders(): void {}
    }

    expect(readAccess(Shop)).toEqual([{ kind: 'public' }]);
    expect(readAccess(Shop.prototype, 'hours')).toEqual([{ kind: 'public' }]);
    expect(readAccess(Shop.prototype, 'orders')).toEqual([]);
  });
});
