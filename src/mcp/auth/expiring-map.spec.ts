import { describe, expect, it } from 'vitest';
import { ExpiringMap } from './expiring-map.js';

describe('ExpiringMap', () => {
  it('forgets a value when its time has come', () => {
    let now = 50;
    const map = new ExpiringMap<string>(10, () => now);
    map.set('a', 'A', 100);
    now = 149;
    expect(map.get('a')).toBe('A');
    now = 150;
    expect(map.get('a')).toBeUndefined();
    expect(map.size).toBe(0);
  });

  it('lets go of what was used longest ago', () => {
    const map = new ExpiringMap<string>(2, () => 0);
    map.set('a', 'A', 1);
    map.set('b', 'B', 1);
    map.get('a');
    map.set('c', 'C', 1);
    expect(['a', 'b', 'c'].map((key) => map.get(key))).toEqual(['A', undefined, 'C']);
  });

  it('finds one to let go when all were used', () => {
    const map = new ExpiringMap<string>(2, () => 0);
    map.set('a', 'A', 1);
    map.set('b', 'B', 1);
    map.get('b');
    map.get('a');
    map.set('c', 'C', 1);
    expect([map.size, map.get('b'), map.get('c')]).toEqual([2, 'B', 'C']);
  });

  it('holds nothing when it may hold nothing, or for no time', () => {
    const none = new ExpiringMap<string>(0, () => 0);
    none.set('a', 'A', 1);
    const some = new ExpiringMap<string>(1, () => 0);
    some.set('a', 'A', 0);
    expect([none.size, some.size]).toEqual([0, 0]);
  });

  it('forgets on request', () => {
    const map = new ExpiringMap<string>(10, () => 0);
    map.set('a', 'A', 1);
    map.delete('a');
    expect(map.get('a')).toBeUndefined();
  });
});
