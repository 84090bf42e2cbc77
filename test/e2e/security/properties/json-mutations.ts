import fc from 'fast-check';

/** JSON as text would have it: members in order, twice if need be, and leaves that `JSON.stringify` cannot write. */
type Tree =
  | { readonly kind: 'object'; readonly members: readonly (readonly [key: string, value: Tree])[] }
  | { readonly kind: 'array'; readonly items: readonly Tree[] }
  | { readonly kind: 'raw'; readonly text: string };

/** One change, at some place of a tree. */
interface Change {
  /** Which of the places, in the order of the text; counted round and round. */
  readonly place: number;
  readonly what: 'replace' | 'drop' | 'double' | 'add' | 'rename' | 'wrap' | 'bury';
  /** A key, as JSON. */
  readonly key: string;
  /** A value, as JSON or nearly. */
  readonly value: string;
}

const KEYS = [
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  'then',
  'toJSON',
  'id',
  'jsonrpc',
  'method',
  'params',
  'result',
  'error',
  '_meta',
  'name',
  'uri',
  'arguments',
  'cursor',
  'requestState',
  'inputResponses',
  'progressToken',
  'traceparent',
  'io.modelcontextprotocol/protocolVersion',
  'io.modelcontextprotocol/clientInfo',
  'io.modelcontextprotocol/clientCapabilities',
  'io.modelcontextprotocol/logLevel',
  '',
];

const VALUES = [
  'null',
  'true',
  '0',
  '-0',
  '-1',
  '1.5',
  '1e300',
  '1e400',
  '-1e400',
  '9007199254740993',
  '123456789012345678901234567890',
  '""',
  '{}',
  '[]',
  '[[[[[[[[]]]]]]]]',
  '{"__proto__":{"admin":true}}',
  '{"constructor":{"prototype":{"admin":true}}}',
  '{"toString":1,"valueOf":null,"toJSON":"x","then":"y"}',
  '"\\ud800"',
  '"\\udfff\\ud800"',
  '"\\u0000"',
  '"\\ufeff"',
  '"\\u2028\\r\\n\\r\\ndata: x"',
  '"__proto__"',
  '"constructor"',
  '"2026-07-28"',
  '"2025-11-25"',
  '"2099-01-01"',
  '"tools/call"',
  '"subscriptions/listen"',
  '"initialize"',
  '"notes://fixed/alice"',
  '"notes://%ff"',
  '"orders://%00"',
  '"eyJhZnRlciI6IiJ9"',
  '"eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIiwia2lkIjoic2hhcmVkIn0..AAAA.AAAA.AAAA"',
  '"00-0123456789abcdef0123456789abcdef-0123456789abcdef-01"',
  JSON.stringify('long'.repeat(2_000)),
  JSON.stringify('é'.repeat(300)),
  '{"action":"accept","content":{"name":"x"}}',
  '{"action":"accept","content":null}',
];

const value = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...VALUES) },
  { weight: 1, arbitrary: fc.json({ maxDepth: 3 }) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 20 }).map((text) => JSON.stringify(text)) },
);
const key = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...KEYS) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 8 }) },
);

/** Changes to what a JSON text says; the text stays JSON, or nearly. */
export const changes: fc.Arbitrary<Change[]> = fc.array(
  fc.record({
    place: fc.nat(60),
    what: fc.constantFrom('replace', 'replace', 'replace', 'drop', 'double', 'add', 'rename', 'wrap', 'bury'),
    key: key.map((text) => JSON.stringify(text)),
    value,
  }),
  { maxLength: 3 },
);

/** The text of a JSON value after some changes. */
export function changed(original: unknown, applied: readonly Change[]): string {
  return print(applied.reduce(apply, treeOf(original)));
}

function treeOf(json: unknown): Tree {
  if (Array.isArray(json)) return { kind: 'array', items: json.map(treeOf) };
  if (typeof json !== 'object' || json === null) return { kind: 'raw', text: JSON.stringify(json) };
  return {
    kind: 'object',
    members: Object.entries(json).map(([name, member]) => [JSON.stringify(name), treeOf(member)]),
  };
}

function print(tree: Tree): string {
  if (tree.kind === 'raw') return tree.text;
  if (tree.kind === 'array') return `[${tree.items.map(print).join()}]`;
  return `{${tree.members.map(([name, member]) => `${name}:${print(member)}`).join()}}`;
}

function apply(tree: Tree, change: Change): Tree {
  let left = change.place % sizeOf(tree);
  const visit = (node: Tree): Tree => {
    if (left-- === 0) return changeAt(node, change);
    if (node.kind === 'array') return { ...node, items: node.items.map(visit) };
    if (node.kind === 'raw') return node;
    return { ...node, members: node.members.map(([name, member]) => [name, visit(member)] as const) };
  };
  return visit(tree);
}

function sizeOf(tree: Tree): number {
  if (tree.kind === 'raw') return 1;
  const inner = tree.kind === 'array' ? tree.items : tree.members.map(([, member]) => member);
  return inner.reduce((sum, each) => sum + sizeOf(each), 1);
}

/** Levels that are one too many, and some that are not. */
const DEPTHS = [8, 63, 64, 300];

function changeAt(node: Tree, { what, key: name, value: text, place }: Change): Tree {
  const other: Tree = { kind: 'raw', text };
  if (what === 'wrap') return { kind: 'array', items: [node, node] };
  if (what === 'bury') {
    const depth = DEPTHS[place % DEPTHS.length] ?? 0;
    return { kind: 'raw', text: `${'['.repeat(depth)}${print(node)}${']'.repeat(depth)}` };
  }
  if (what === 'replace' || node.kind !== 'object' || node.members.length === 0) return other;
  const at = place % node.members.length;
  const { members } = node;
  const [present = name] = members[at] ?? [];
  if (what === 'drop') return { ...node, members: members.filter((_, index) => index !== at) };
  if (what === 'add') return { ...node, members: [...members, [name, other]] };
  if (what === 'double') return { ...node, members: [...members, [present, other]] };
  return { ...node, members: members.map((member, index) => (index === at ? [name, member[1]] : member)) };
}

/** What can happen to a text on its way, as bytes. */
export type Damage =
  | { readonly kind: 'none' }
  | { readonly kind: 'cut' | 'invalid' | 'nul' | 'noise'; readonly at: number }
  | { readonly kind: 'bom' | 'twice' | 'lines' | 'batch' | 'batches' | 'utf16' | 'quotes' | 'empty' };

const at = fc.double({ min: 0, max: 1, noNaN: true });

export const damage: fc.Arbitrary<Damage> = fc.oneof(
  { weight: 12, arbitrary: fc.constant<Damage>({ kind: 'none' }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constantFrom('cut', 'invalid', 'nul', 'noise'), at }) },
  {
    weight: 5,
    arbitrary: fc.constantFrom<Damage>(
      ...(['bom', 'twice', 'lines', 'batch', 'batches', 'utf16', 'quotes', 'empty'] as const).map((kind) => ({ kind })),
    ),
  },
);

export function damaged(text: string, harm: Damage): Buffer {
  const bytes = Buffer.from(text);
  switch (harm.kind) {
    case 'none':
      return bytes;
    case 'cut':
      return bytes.subarray(0, Math.floor(harm.at * bytes.length));
    case 'invalid':
      return inserted(bytes, harm.at, [0xc3, 0x28]);
    case 'nul':
      return inserted(bytes, harm.at, [0]);
    case 'noise':
      return inserted(bytes, harm.at, [0x7d, 0x5d, 0x22, 0x5c]);
    case 'bom':
      return Buffer.from(`\ufeff${text}`);
    case 'twice':
      return Buffer.from(text + text);
    case 'lines':
      return Buffer.from(`\r\n${text}\n${text}\n`);
    case 'batch':
      return Buffer.from(`[${text},${text}]`);
    case 'batches':
      return Buffer.from(`[[${text}],null,${text},${text},${text},${text},${text},1]`);
    case 'utf16':
      return Buffer.from(text, 'utf16le');
    case 'quotes':
      return Buffer.from(text.replaceAll('"', "'"));
    case 'empty':
      return Buffer.alloc(0);
  }
}

function inserted(bytes: Buffer, place: number, more: readonly number[]): Buffer {
  const from = Math.floor(place * bytes.length);
  return Buffer.concat([bytes.subarray(0, from), Buffer.from(more), bytes.subarray(from)]);
}
