import { describe, expect, it } from 'vitest';
import { parseParts } from './uri-template-parser.js';
import { UriTemplateScanner } from './uri-template-scanner.js';

function stepsOf(template: string, uri: string): number {
  const scanner = new UriTemplateScanner(uri);
  scanner.scan(parseParts(template));
  return scanner.steps;
}

describe('UriTemplateScanner', () => {
  it.each([
    ['x://{a}-{b}-{c}-{d}-{e}', (n: number) => `x://${'-'.repeat(n)}/`],
    ['x://{a}-{b}-{c}-{d}-{e}', (n: number) => `x://${'a-'.repeat(n / 2)}?`],
    ['x://{a}aaaaaaab{b}aaaaaaab{c}', (n: number) => `x://${'a'.repeat(n)}`],
    ['x://{a}.{b}.{c}.md', (n: number) => `x://${'.'.repeat(n)}x`],
    ['x://{a,b,c,d}', (n: number) => `x://${','.repeat(n)}`],
    ['x:/{/a,b,c}{/d*}/end', (n: number) => `x:/${'/a'.repeat(n / 2)}`],
    ['x:/{/p*}.md{?q}', (n: number) => `x:/${'/.md'.repeat(n / 4)}`],
    ['x://{+p}.md', (n: number) => `x://${'.md'.repeat(n / 3)}!`],
    ['x://y{?a,b}', (n: number) => `x://y?a=${'%41'.repeat(n / 3)}&b=${'&'.repeat(n)}`],
    ['x://y{?a,b}', (n: number) => `x://y?${'a&b&'.repeat(n / 4)}`],
    ['x://y{;a,b}{?c}{#d}', (n: number) => `x://y;a=${'='.repeat(n)};b?c${'#'.repeat(n)}`],
    ['x://{a}-{b}', (n: number) => `x://${'%2D'.repeat(n / 3)}`],
  ])('does work for %s that grows with the URI, not faster', (template, uriOf) => {
    const [small, large] = [stepsOf(template, uriOf(1_000)), stepsOf(template, uriOf(100_000))];
    expect(large).toBeLessThanOrEqual(small * 101);
    expect(large).toBeLessThanOrEqual(uriOf(100_000).length * template.length);
  });

  it('counts its work', () => {
    // "x://" 4, the run "ab" and its end 3, decoding 2.
    expect(stepsOf('x://{a}', 'x://ab')).toBe(9);
  });
});
