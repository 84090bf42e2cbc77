import { describe, expect, it } from 'vitest';
import { readAccess } from './access-metadata.js';
import { RequireRoles } from './require-roles.decorator.js';

describe('@RequireRoles()', () => {
  it('writes each of its uses down by itself: all must be met', () => {
    class Accounts {
      @RequireRoles('support', 'admin')
      @RequireRoles('eu')
      close(): void {}
    }

    expect(readAccess(Accounts.prototype, 'close')).toEqual([
      { kind: 'roles', anyOf: ['eu'] },
      { kind: 'roles', anyOf: ['support', 'admin'] },
    ]);
  });

  it('does not change with the list that it was given', () => {
    const roles = ['admin'];
    class Accounts {
      @RequireRoles(...roles)
      close(): void {}
    }
    roles.push('everybody');

    expect(readAccess(Accounts.prototype, 'close')).toEqual([{ kind: 'roles', anyOf: ['admin'] }]);
  });

  it.each([[[]], [['']], [['admin', '']]])('refuses %j', (roles) => {
    expect(() => RequireRoles(...roles)).toThrow('@RequireRoles() needs the names of one or more roles.');
  });
});
