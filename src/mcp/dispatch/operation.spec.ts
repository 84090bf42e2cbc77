import { describe, expect, it, vi } from 'vitest';
import { type ErrorName, McpError } from '../protocol/errors.js';
import { ANONYMOUS } from '../protocol/principal.js';
import type { AnyCapability } from '../registry/capability.js';
import { Operation } from './operation.js';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const traceparent = `00-${TRACE}-b7ad6b7169203331-01`;

const REFUND = Object.freeze({ kind: 'tool', key: 'refund' });

/** A tool that opts some arguments in. */
const tool = (...auditFields: string[]): AnyCapability =>
  ({ kind: 'tool', key: 'refund', observed: REFUND, rules: { auditFields } }) as unknown as AnyCapability;

const call = (more: object = {}): Operation => new Operation({ method: 'tools/call', principal: ANONYMOUS, ...more });

describe('what is kept of an operation', () => {
  it('is what it was, what was decided of it and how it ended', () => {
    const operation = call({ era: 'session' });
    operation.decide({ effect: 'allow', rule: 'scopes:pay' }, tool(), { orderId: 7 });
    expect(operation.ended('tool_error')).toEqual({
      method: 'tools/call',
      era: 'session',
      principal: ANONYMOUS,
      primitive: { kind: 'tool', name: 'refund' },
      arguments: { orderId: 7 },
      decision: 'allow',
      rule: 'scopes:pay',
      outcome: 'tool_error',
      latencyMs: expect.any(Number),
    });
  });

  it('has next to nothing in it where next to nothing is known', () => {
    expect(new Operation({ method: 'POST' }).ended('error', 401)).toEqual({
      method: 'POST',
      decision: 'allow',
      rule: 'none',
      outcome: 'error',
      code: 401,
      latencyMs: expect.any(Number),
    });
  });

  it('has the arguments of something that is not there', () => {
    expect(call({ params: { name: 'guess', arguments: { orderId: 7 } } }).ended('error').arguments).toEqual({
      orderId: 7,
    });
  });

  it('has the arguments apart that the tool opted in', () => {
    const operation = call();
    operation.decide({ effect: 'allow', rule: 'open' }, tool('order.id'), { order: { id: 7 }, card: '4111' });
    expect(operation.ended('ok').fields).toEqual({ 'order.id': 7 });
  });

  it('has the trace of the message, or else of its headers', () => {
    const headers = { traceparent };
    const other = { _meta: { traceparent: traceparent.replace(TRACE, 'a'.repeat(32)) } };
    expect(call({ headers }).ended('ok').traceId).toBe(TRACE);
    expect(call({ headers, params: other }).ended('ok').traceId).toBe('a'.repeat(32));
    expect(call({ headers: { traceparent: 'secret' } }).ended('ok')).not.toHaveProperty('traceId');
  });

  it('has the time it took', () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    const operation = call();
    vi.advanceTimersByTime(250);
    expect(operation.ended('ok').latencyMs).toBe(250);
    vi.useRealTimers();
  });
});

describe('what was decided', () => {
  it('was refused, however it ended', () => {
    const operation = call();
    operation.decide({ effect: 'hide', rule: 'roles:admin' }, tool(), {});
    expect(operation.wasRefused).toBe(true);
    expect(operation.ended('error', -32602)).toMatchObject({
      decision: 'deny',
      rule: 'roles:admin',
      outcome: 'refused',
    });
  });

  it('stands when nothing else was found', () => {
    const operation = call();
    operation.decide({ effect: 'hide', rule: 'roles:admin' }, tool(), {});
    operation.deny('unknown');
    expect(operation.ended('error').rule).toBe('roles:admin');
  });

  it('is the last of several', () => {
    const operation = call();
    operation.decide({ effect: 'hide', rule: 'roles:admin' }, tool(), {});
    operation.decide({ effect: 'allow', rule: 'public' }, tool(), {});
    expect(operation.ended('ok')).toMatchObject({ decision: 'allow', rule: 'public', outcome: 'ok' });
  });

  it('gives way to a limit', () => {
    const operation = call();
    operation.decide({ effect: 'allow', rule: 'public' }, tool(), {});
    operation.limit('rate:tool');
    expect(operation.ended('error', 429)).toMatchObject({ decision: 'limit', rule: 'rate:tool', outcome: 'refused' });
  });

  it.each<[ErrorName, string]>([
    ['UNAUTHORIZED', 'authentication'],
    ['FORBIDDEN', 'forbidden'],
    ['SESSION_NOT_FOUND', 'session_not_found'],
    ['RESOURCE_NOT_FOUND', 'unknown'],
    ['METHOD_NOT_FOUND', 'unknown'],
  ])('is a denial for the error %s', (reason, rule) => {
    const operation = call();
    operation.refuse(new McpError(reason, 'no'));
    expect(operation.ended('error')).toMatchObject({ decision: 'deny', rule, outcome: 'refused' });
  });

  it('is none for an error that says something else', () => {
    const operation = call();
    operation.refuse(new McpError('INVALID_PARAMS', 'wrong'));
    expect(operation.ended('error')).toMatchObject({ decision: 'allow', rule: 'none', outcome: 'error' });
  });
});

describe('what those who watch hear', () => {
  it('has the capability by the object that is made for them', () => {
    const operation = call();
    operation.decide({ effect: 'allow', rule: 'public' }, tool(), {});
    expect(operation.end('ok').capability).toBe(REFUND);
  });

  it('does not have the capability that the caller must not know of, but the rule', () => {
    const operation = call();
    operation.decide({ effect: 'hide', rule: 'roles:admin' }, tool(), {});
    operation.deny('unknown');
    expect(operation.end('error', -32602)).toEqual({
      decision: 'deny',
      rule: 'roles:admin',
      failure: 'denied',
      code: -32602,
      durationMs: expect.any(Number),
    });
  });

  it('has the capability that the caller is refused and knows of', () => {
    const operation = call();
    const error = new McpError('FORBIDDEN', 'no');
    operation.decide({ effect: 'refuse', rule: 'scopes:pay', error }, tool(), {});
    expect(operation.end('error')).toMatchObject({ capability: { key: 'refund' }, failure: 'denied' });
  });
});

it('gives back what the limits hold', () => {
  const release = vi.fn();
  const operation = call();
  operation.release();
  operation.hold({ release });
  operation.release();
  expect(release).toHaveBeenCalledOnce();
});
