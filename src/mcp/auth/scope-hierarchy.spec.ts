import { describe, expect, it } from 'vitest';
import { ScopeHierarchy } from './scope-hierarchy.js';

describe('ScopeHierarchy', () => {
  it('adds what a scope implies, over several steps and in circles', () => {
    const scopes = new ScopeHierarchy({ admin: ['write'], write: ['read', 'list'], list: ['write'] });
    expect([...scopes.expand(['admin', 'other'])]).toEqual(['admin', 'write', 'read', 'list', 'other']);
    expect([...scopes.expand(['list'])]).toEqual(['list', 'write', 'read']);
    expect([...scopes.expand(['read'])]).toEqual(['read']);
  });

  it('implies nothing by names that every object has', () => {
    expect([...new ScopeHierarchy().expand(['constructor', '__proto__'])]).toEqual(['constructor', '__proto__']);
  });
});
