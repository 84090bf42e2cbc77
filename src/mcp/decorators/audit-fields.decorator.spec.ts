import { describe, expect, it } from 'vitest';
import { AuditFields, readAuditFields } from './audit-fields.decorator.js';

describe('@AuditFields()', () => {
  it('opts paths in on a method and on a class', () => {
    @AuditFields('tenant')
    class Orders {
      @AuditFields('orderId', 'customer.id')
      refund(): void {}
      list(): void {}
    }
    expect(readAuditFields(Orders)).toEqual(['tenant']);
    expect(readAuditFields(Orders.prototype, 'refund')).toEqual(['orderId', 'customer.id']);
    expect(readAuditFields(Orders.prototype, 'list')).toEqual([]);
  });

  it('names a path once, however often it is opted in', () => {
    @AuditFields('a', 'b')
    @AuditFields('b', 'c')
    class Orders {}
    expect(readAuditFields(Orders)).toEqual(['b', 'c', 'a']);
  });

  it.each([[[]], [['']], [['a..b']], [['.a']], [['x'.repeat(129)]]])('refuses %j', (paths: string[]) => {
    expect(() => AuditFields(...paths)).toThrow(/^@AuditFields\(\): .* is no path\. Give names of arguments/);
  });

  it('refuses what is no method, naming it', () => {
    class Orders {
      readonly field = 1;
    }
    expect(() => AuditFields('a')(Orders.prototype, 'field')).toThrow(
      'Orders.field carries @AuditFields() but is not a method.',
    );
  });
});
