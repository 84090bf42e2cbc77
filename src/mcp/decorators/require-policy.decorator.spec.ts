import { describe, expect, it } from 'vitest';
import type { AccessPolicy } from '../protocol/access-policy.port.js';
import { readAccess } from './access-metadata.js';
import { RequirePolicy } from './require-policy.decorator.js';

class SameTenant implements AccessPolicy {
  allows(): boolean {
    return true;
  }
}

describe('@RequirePolicy()', () => {
  it('writes down which policy, and what it is to be told', () => {
    const options = { of: 'report' };
    class Reports {
      @RequirePolicy('ENGINE')
      @RequirePolicy(SameTenant, options)
      read(): void {}
    }
    const declared = readAccess(Reports.prototype, 'read');

    expect(declared).toEqual([
      { kind: 'policy', policy: SameTenant, options: { of: 'report' } },
      { kind: 'policy', policy: 'ENGINE', options: undefined },
    ]);
    expect(declared[0]?.kind === 'policy' && declared[0].options).toBe(options);
  });

  it('does not take a class that is not there yet, as imports in a circle leave it', () => {
    const missing = undefined as unknown as typeof SameTenant;

    expect(() => RequirePolicy(missing)).toThrow('@RequirePolicy() was given undefined.');
  });
});
