import { type Declaration, declaration, readDeclarations } from './declaration.js';

const AUDIT_FIELDS = 'rookery:audit-fields';
const MAX_LENGTH = 128;

/**
 * Lets the audit trail write some arguments of a tool or prompt, which otherwise appear only in the digest of all of
 * them. What is at a path is written if it is a string, cut at 256 characters, a number, a boolean or null. On a class
 * or module it holds for all handlers in it.
 *
 * @param paths names of arguments, dotted for what is inside one; up to 128 characters each
 * @throws Error at class definition when there is none, or one is not usable
 * @example
 * ```ts
 * @McpTool({ title: 'Refund an order' })
 * @AuditFields('orderId', 'customer.id')
 * refund(input: RefundInput): Promise<Receipt> { … }
 * ```
 */
export function AuditFields(...paths: string[]): Declaration {
  const wrong = paths.find((path) => path.length > MAX_LENGTH || path.split('.').includes(''));
  if (paths.length === 0 || wrong !== undefined) {
    throw new Error(
      `@AuditFields(): ${JSON.stringify(wrong ?? paths)} is no path. Give names of arguments, such as "customer.id".`,
    );
  }
  return declaration<readonly string[]>('AuditFields', AUDIT_FIELDS, Object.freeze([...paths]));
}

/** The paths that a method, class or module opts in, each once; none if it says nothing. */
export function readAuditFields(holder: object, methodName?: string | symbol): readonly string[] {
  return [...new Set(readDeclarations<readonly string[]>(AUDIT_FIELDS, holder, methodName).flat())];
}
