import fc from 'fast-check';
import { expect, it } from 'vitest';
import { SeqRanges } from './seq-ranges.js';

it('knows what it has and what is missing, in whatever order numbers come', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(30), { minLength: 1 }), (numbers) => {
      const ranges = new SeqRanges();
      const seen = new Set<number>();
      for (const number of numbers) {
        expect(ranges.add(number)).toBe(!seen.has(number));
        seen.add(number);
      }
      const missing = ranges
        .holes()
        .flatMap(([first, last]) => [...Array(last - first + 1).keys()].map((i) => first + i));
      expect(missing).toEqual([...Array(Math.max(...numbers)).keys()].filter((number) => !seen.has(number)));
    }),
  );
});
