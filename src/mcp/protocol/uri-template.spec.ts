import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseUriTemplate } from './uri-template.js';

const parse = (template: string) => parseUriTemplate(template, 'OrderTools.order');

describe('match', () => {
  it.each<[template: string, uri: string, values: Record<string, string>]>([
    ['orders://all', 'orders://all', {}],
    ['orders://{id}', 'orders://ORD-1', { id: 'ORD-1' }],
    ['orders://{id}', 'orders://ada@example.com:8080', { id: 'ada@example.com:8080' }],
    ['orders://{id}', 'orders://a%2Fb%20c', { id: 'a/b c' }],
    ['orders://{id}', 'orders://%E6%97%A5', { id: '日' }],
    ['orders://{id}', 'orders://日', { id: '日' }],
    ['orders://{id}', 'orders://a+b', { id: 'a+b' }],
    ['orders://{id*}', 'orders://1', { id: '1' }],
    ['geo://{lat,long}', 'geo://1.5,-2', { lat: '1.5', long: '-2' }],
    ['docs://{name}.md', 'docs://a.md.md', { name: 'a.md' }],
    ['docs://{name}.{ext}', 'docs://a.tar.gz', { name: 'a', ext: 'tar.gz' }],
    ['docs://{name}{.ext}', 'docs://a.tar.gz', { name: 'a', ext: 'tar.gz' }],
    ['docs://{year}-{month}-{day}', 'docs://2026-07-28', { year: '2026', month: '07', day: '28' }],
    ['docs://{a}2{b}', 'docs://x%2F2y', { a: 'x/', b: 'y' }],
    ['docs://{a}--{b}', 'docs://x---y', { a: 'x', b: '-y' }],
    ['docs://{team}/{name}', 'docs://core/readme', { team: 'core', name: 'readme' }],
    ['docs://{team}-x/{name}', 'docs://a-x-x/readme', { team: 'a-x', name: 'readme' }],
    ['docs:/{/team,name}', 'docs://core/readme', { team: 'core', name: 'readme' }],
    ['docs:/{/path*}', 'docs://a/b%2Fc/d', { path: 'a/b/c/d' }],
    ['docs:/{/path*}.md{?v}', 'docs://a/b.md.md?v=2', { path: 'a/b.md', v: '2' }],
    ['docs:/{/path*}/edit', 'docs://a/edit/edit', { path: 'a/edit' }],
    ['docs:/{/path*}?v={v}', 'docs://a/b?v=2', { path: 'a/b', v: '2' }],
    ['file:///{+path}', 'file:///a/b?c#d', { path: 'a/b?c#d' }],
    ['file:///{+path}.txt', 'file:///a.txt/b.txt', { path: 'a.txt/b' }],
    ['find://all{?q,page}', 'find://all', {}],
    ['find://all{?q,page}', 'find://all?q=x', { q: 'x' }],
    ['find://all{?q,page}', 'find://all?page=2&q=a%26b=c', { q: 'a&b=c', page: '2' }],
    ['find://all{?q,page}', 'find://all?q=&page', { q: '', page: '' }],
    ['find://{in}{?q}', 'find://here?q=a/b?c', { in: 'here', q: 'a/b?c' }],
    ['find://all?sort=up{&q}', 'find://all?sort=up', {}],
    ['find://all?sort=up{&q}', 'find://all?sort=up&q=x', { q: 'x' }],
    ['find://all?in={in}{&q}', 'find://all?in=a&q=x', { in: 'a', q: 'x' }],
    ['map://{id}{;x,y}/info', 'map://1;y=2;x/info', { id: '1', x: '', y: '2' }],
    ['map://{id}{;x,y}{?q}', 'map://1;y=2?q=3', { id: '1', y: '2', q: '3' }],
    ['docs://{id}{#part}', 'docs://1', { id: '1' }],
    ['docs://{id}{#part}', 'docs://1#a/b%20c', { id: '1', part: 'a/b c' }],
    ['docs://{id}{#part}', 'docs://1#', { id: '1', part: '' }],
    ['docs://{id}{?q}{#part}', 'docs://1?q=2#3', { id: '1', q: '2', part: '3' }],
    ['x://{__proto__}', 'x://1', JSON.parse('{"__proto__":"1"}') as Record<string, string>],
  ])('reads %s from %s', (template, uri, values) => {
    expect(parse(template).match(uri)).toEqual(values);
  });

  it.each([
    ['orders://{id}', 'orders://', 'an empty value'],
    ['orders://{id}', 'orders://a/b', 'a segment too many'],
    ['orders://{id}', 'orders://a?b=c', 'a query that is not asked for'],
    ['orders://{id}', 'orders://a,b', 'a separator in a value'],
    ['orders://{id}', 'Orders://a', 'fixed text in another case'],
    ['orders://{id}', 'xorders://a', 'something before it'],
    ['orders://{id}/x', 'orders://a/xy', 'something after it'],
    ['orders://{id}', 'orders://a%2', 'half an escape'],
    ['orders://{id}', 'orders://a%zz', 'an escape that is none'],
    ['orders://{id}', 'orders://%FF', 'bytes that are not UTF-8'],
    ['orders://{id}', 'orders://%C0%AF', 'an overlong encoding of UTF-8'],
    ['orders://{id}', 'orders://a b', 'white space'],
    ['file:///{+path}', 'file:///a\nb', 'a line break'],
    ['docs://{id}{#part}', 'docs://1#a\u0000', 'a control character'],
    ['docs://{name}.md', 'docs://.md', 'nothing before fixed text'],
    ['docs://{name}.{ext}', 'docs://readme', 'fixed text that is missing'],
    ['docs://{name}.{ext}', 'docs://.gz', 'nothing before the text between'],
    ['docs://{name}.{ext}', 'docs://a.', 'nothing after the text between'],
    ['docs://{a}--{b}', 'docs:////--y', 'a "/" before the text between'],
    ['docs://{a}2{b}', 'docs://x%2Fy', 'text between that is part of an escape'],
    ['docs:/{/path*}', 'docs://', 'an empty path'],
    ['find://all{?q}', 'find://all?', 'a query without a name'],
    ['find://all{?q}', 'find://all?q=1&', 'a pair without a name'],
    ['find://all{?q}', 'find://all?other=1', 'a name it does not have'],
    ['find://all{?q}', 'find://all?q=1&q=2', 'a name that comes twice'],
    ['find://all{?q}', 'find://all&q=1', 'a query that begins with "&"'],
    ['find://all{?q}', 'find://all?q=%', 'half an escape in a query'],
    ['find://all?sort=up{&q}', 'find://all?sort=up?q=1', 'a query that begins with "?" again'],
  ])('%s does not match %s: %s', (template, uri) => {
    expect(parse(template).match(uri)).toBeUndefined();
  });

  it('takes no URI of more than 8 KiB', () => {
    const { match } = parse('x://{id}');
    expect(match(`x://${'a'.repeat(8_188)}`)).toEqual({ id: 'a'.repeat(8_188) });
    expect(match(`x://${'a'.repeat(8_189)}`)).toBeUndefined();
  });

  it('never throws, whatever it is given', () => {
    const templates = ['x://{a}-{b}{?c}{#d}', 'x:/{/p*}{?q}', 'x://{a}{;b}/%41{c}', '{+all}'].map(parse);
    fc.assert(
      fc.property(
        fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: fc.constantFrom(...'x:/ab-%4?#;&=') })),
        (text) => {
          for (const { match } of templates) [text, `x://${text}`].forEach(match);
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe('parseUriTemplate', () => {
  it.each([
    ['x://{a}{b}', '{a} is followed by {b}, which it would swallow. Put a "/" between them.'],
    [
      'x://{+a}{b}',
      '{+a} is followed by {b}, which it would swallow. Put it last, or use {/name*} for a path that a query may follow.',
    ],
    [
      'x://{+a}/{b}',
      '{+a} is followed by "/" and {b}, which it would swallow. Put it last, or use {/name*} for a path that a query may follow.',
    ],
    [
      'x://{+a,b}',
      '{+a} is followed by "," and {+b}, which it would swallow. Put it last, or use {/name*} for a path that a query may follow.',
    ],
    [
      'x://{+a}{?b}',
      '{+a} is followed by {?b}, which it would swallow. Put it last, or use {/name*} for a path that a query may follow.',
    ],
    [
      'x://{+a}.md{?b}',
      '{+a} is followed by ".md" and {?b}, which it would swallow. Put it last, or use {/name*} for a path that a query may follow.',
    ],
    [
      'x:/{/a*,b}',
      '{a*} is followed by "/" and {b}, which it would swallow. Put it last in the path; only {?…}, {#…} or fixed text may follow.',
    ],
    [
      'x:/{/a*}{;b}',
      '{a*} is followed by {;b}, which it would swallow. Put it last in the path; only {?…}, {#…} or fixed text may follow.',
    ],
    ['x://{a}%20{b}', '{a} is followed by "%20" and {b}, which it would swallow. Put a "/" between them.'],
    ['x://y{?a}{?b}', '{?a} is followed by {?b}. Put all its variables into one expression, at the end.'],
    ['x://y{?a}z', '{?a} is followed by "z". Put all its variables into one expression, at the end.'],
    ['x://y{;a}{b}', '{;a} is followed by {b}. Put all its variables into one expression, at the end.'],
    ['x://y{#a}z', '{#a} is not at the end. Put it last.'],
    ['x://y{#a,b}', '{#a,b} has several variables. A fragment takes one.'],
    ['x://y?z=1{?a}', '{?a} comes after a "?". Use {&a}.'],
    ['x://y{&a}', '{&a} comes before any "?". Use {?a}.'],
    ['x://{a}/{a}', '{a} occurs twice. Give each variable its own name.'],
    ['x://y{?a,a}', '{a} occurs twice. Give each variable its own name.'],
    ['x://{a:3}', '{a:3} has a prefix modifier, which cannot be matched back. Leave ":3" out.'],
    ['x://{}', '{} names no variable. Use letters, digits and "_", after one of +#./;?& or nothing.'],
    ['x://{a,}', '{a,} names no variable. Use letters, digits and "_", after one of +#./;?& or nothing.'],
    ['x://{|a}', '{|a} names no variable. Use letters, digits and "_", after one of +#./;?& or nothing.'],
    ['x://{a-b}', '{a-b} names no variable. Use letters, digits and "_", after one of +#./;?& or nothing.'],
    ['x://{a', '"{a" is never closed. Add a "}".'],
    ['x://a}', '"x://a}" holds a character that no URI has. Percent-encode it, and close every brace.'],
    ['x://a b', '"x://a b" holds a character that no URI has. Percent-encode it, and close every brace.'],
    ['x://é', '"x://é" holds a character that no URI has. Percent-encode it, and close every brace.'],
    ['x://%2', '"x://%2" holds a character that no URI has. Percent-encode it, and close every brace.'],
  ])('refuses %s', (template, problem) => {
    expect(() => parse(template)).toThrow(
      expect.objectContaining({
        name: 'UriTemplateError',
        message: `OrderTools.order: URI template "${template}": ${problem}`,
      }),
    );
  });

  it('names the variables in order', () => {
    expect(parse('x://{a,b}{/c*}{?d,e}{#f.g}').variables).toEqual(['a', 'b', 'c', 'd', 'e', 'f.g']);
  });

  it('counts the fixed characters, so that the more specific template comes first', () => {
    const templates = ['docs:/{/path*}', 'docs://{name}', 'docs://{name}.md', 'docs://readme.md'].map(parse);
    expect(templates.map(({ specificity }) => specificity)).toEqual([7, 7, 10, 16]);
  });
});

describe('expand', () => {
  it.each<[template: string, values: Record<string, string>, uri: string]>([
    // RFC 6570, sections 3.2.2 to 3.2.9, less what takes lists.
    ['{var}', { var: 'value' }, 'value'],
    ['{hello}', { hello: 'Hello World!' }, 'Hello%20World%21'],
    ['{half}', { half: '50%' }, '50%25'],
    ['{x,y}', { x: '1024', y: '768' }, '1024,768'],
    ['{+hello}', { hello: 'Hello World!' }, 'Hello%20World!'],
    ['{+path}/here', { path: '/foo/bar' }, '/foo/bar/here'],
    ['X{#hello}', { hello: 'Hello World!' }, 'X#Hello%20World!'],
    ['X{.x,y}', { x: '1024', y: '768' }, 'X.1024.768'],
    ['{/var,x}/here', { var: 'value', x: '1024' }, '/value/1024/here'],
    ['{;x,y,empty}', { x: '1024', y: '768', empty: '' }, ';x=1024;y=768;empty'],
    ['{?x,y,empty}', { x: '1024', y: '768', empty: '' }, '?x=1024&y=768&empty='],
    ['{?x,y}', { y: '768' }, '?y=768'],
    ['{?x,y}', {}, ''],
    ['?fixed=yes{&x}', { x: '1024' }, '?fixed=yes&x=1024'],
    // What is said at the head of uri-template.ts.
    ['{/path*}', { path: 'a/b c/d' }, '/a/b%20c/d'],
    ['{+v6}', { v6: '[::1]%25' }, '[::1]%2525'],
    ['{a}-{b}', { a: 'x-y', b: 'z-' }, 'x%2Dy-z-'],
  ])('%s with %j is %s', (template, values, uri) => {
    expect(parse(template).expand(values)).toBe(uri);
  });

  it.each([[{}], [{ id: '' }], [{ id: undefined }]])('refuses %j for a required value', (values) => {
    expect(() => parse('x://{id}').expand(values)).toThrow(
      new TypeError('The URI needs a value for {id} that is not empty.'),
    );
  });

  it('does not take an inherited property for a value', () => {
    expect(parse('x://y{?constructor}').expand({})).toBe('x://y');
  });

  it('gives a URI from which match reads the same values', () => {
    fc.assert(
      fc.property(templatesWithValues, ([template, values]) => {
        const { match, expand } = parse(template);
        expect(match(expand(values))).toEqual(values);
      }),
      { numRuns: 2_000 },
    );
  });
});

const value = fc.oneof(
  fc.string({ minLength: 1, maxLength: 8, unit: fc.constantFrom(...'ab2F-._~%/?#&,;=+:@!* é日🎉') }),
  fc.string({ minLength: 1, maxLength: 8, unit: 'grapheme' }),
);
const literals = fc.constantFrom('/', '-', '--', '.', '2', 'F', '/x-', '-%41', '~b/', ':', '=', 'a', '2F');
/** One variable, and the operator and explode modifier it is written with. */
const segment = fc.constantFrom('{V}', '{/V}', '{/V*}', '{.V}', '{V*}', '{;V}');
const ending = fc.constantFrom(
  '',
  '',
  '.md',
  '{+V}',
  '{?V}',
  '{?V*}',
  '{?V}{#W}',
  '{#V}',
  '/x{;V}',
  '?f=1{&V}',
  '?V={V}',
);

/** Templates of the supported subset, with values for their variables, where optional ones may be missing. */
const templatesWithValues = fc
  .tuple(fc.array(fc.tuple(literals, segment), { maxLength: 4 }), literals, ending)
  .map(([middle, literal, end]) => {
    const named = middle.map(([text, expression], i) => text + expression.replace('V', `v${i}`)).join('');
    return `x://h${named}${literal}${end.replaceAll('V', 'v9').replace('W', 'w9')}`;
  })
  .filter((template) => {
    try {
      parse(template);
      return true;
    } catch {
      return false;
    }
  })
  .chain((template) => {
    const optional = (name: string): boolean => new RegExp(`\\{[;?&#]${name}`).test(template);
    const entries = parse(template).variables.map((name): [string, fc.Arbitrary<string>] => [
      name,
      optional(name) ? fc.oneof(fc.constant(''), value) : value,
    ]);
    const required = entries.map(([name]) => name).filter((name) => !optional(name));
    return fc.tuple(
      fc.constant(template),
      fc.record(Object.fromEntries(entries), { requiredKeys: required }).map((values) => ({ ...values })),
    );
  });
