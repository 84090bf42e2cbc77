import { builtinModules } from 'node:module';

/**
 * Who may import whom. Deny by default: each row lists everything its files may import, of ours and of others', and
 * any other edge is an error; a file under src that no row covers is an error too. `import type` counts as an import.
 * A new folder gets a new row here, and a case in test/architecture/boundaries.spec.ts that shows it go red.
 */

const NODE = `^(node:)?(${builtinModules.join('|')})$`;
const NEST = '@nestjs/(common|core)';
const MCP_SDK = '@modelcontextprotocol/(server|core)';

/** Rows from top to bottom: a folder of src/mcp imports only from rows below its own. */
const layers = [
  { name: 'main', files: 'main\\.ts$', own: ['app/', 'index\\.ts$'], packages: [NEST, 'reflect-metadata'], node: true },
  {
    name: 'stdio',
    files: 'stdio\\.ts$',
    own: ['app/', 'index\\.ts$'],
    packages: [NEST, 'reflect-metadata'],
    node: true,
  },
  { name: 'healthcheck', files: 'healthcheck\\.ts$', node: true, own: [] },
  { name: 'audit-verify', files: 'audit-verify\\.ts$', own: ['mcp/audit/'], node: true },
  {
    name: 'app',
    files: 'app/',
    own: ['app/', 'tools/', 'index\\.ts$'],
    packages: [
      '@nestjs/[^/]+',
      'fastify',
      '@fastify/[^/]+',
      'class-validator',
      'class-transformer',
      'zod',
      'rxjs',
      'pino',
      'pino-pretty',
      '@opentelemetry/[^/]+',
    ],
    node: true,
  },
  {
    name: 'tools',
    files: 'tools/',
    own: ['tools/', 'index\\.ts$'],
    packages: ['@nestjs/[^/]+', 'class-validator', 'class-transformer', 'zod', 'rxjs'],
    node: true,
  },
  { name: 'testing-entry', files: 'testing\\.ts$', own: ['mcp/testing/'] },
  { name: 'index', files: 'index\\.ts$', own: ['mcp/(?!testing/)'] },
  {
    name: 'testing',
    files: 'mcp/testing/',
    own: ['mcp/'],
    packages: ['@nestjs/[^/]+', MCP_SDK, '@modelcontextprotocol/client', 'fastify', 'rxjs'],
    node: true,
  },
  {
    name: 'module',
    files: 'mcp/[^/]+\\.ts$',
    own: ['mcp/(?!testing/)'],
    packages: [NEST, MCP_SDK, 'fastify', 'rxjs', 'reflect-metadata'],
    node: true,
  },
  {
    name: 'transport-http',
    files: 'mcp/transport/http/',
    own: [
      'mcp/transport/http/',
      'mcp/transport/[^/]+\\.ts$',
      'mcp/auth/',
      'mcp/session/',
      'mcp/dispatch/',
      'mcp/policy/',
      'mcp/registry/',
      'mcp/observability/[^/]+\\.ts$',
      'mcp/protocol/',
    ],
    packages: [NEST, '@nestjs/platform-fastify', MCP_SDK, 'fastify', '@fastify/[^/]+', 'helmet', 'rxjs'],
    node: true,
  },
  {
    name: 'transport-stdio',
    files: 'mcp/transport/stdio/',
    own: [
      'mcp/transport/stdio/',
      'mcp/transport/[^/]+\\.ts$',
      // serveStdio() is handed an application, and this is what it looks up there.
      'mcp/mcp\\.providers\\.ts$',
      'mcp/session/',
      'mcp/dispatch/',
      'mcp/policy/',
      'mcp/registry/',
      'mcp/protocol/',
    ],
    packages: [NEST, MCP_SDK, 'rxjs'],
    node: true,
  },
  {
    name: 'transport',
    files: 'mcp/transport/[^/]+\\.ts$',
    own: [
      'mcp/transport/[^/]+\\.ts$',
      'mcp/session/',
      'mcp/dispatch/',
      'mcp/policy/',
      'mcp/registry/',
      'mcp/protocol/',
    ],
    packages: [NEST, MCP_SDK, 'rxjs'],
    node: true,
  },
  {
    name: 'dispatch',
    files: 'mcp/dispatch/',
    own: [
      'mcp/dispatch/',
      'mcp/audit/',
      'mcp/limits/',
      'mcp/policy/',
      'mcp/registry/',
      'mcp/decorators/',
      'mcp/schema/',
      'mcp/session/[^/]+\\.port\\.ts$',
      'mcp/observability/[^/]+\\.ts$',
      'mcp/protocol/',
    ],
    packages: [NEST, MCP_SDK, 'jose', 'rxjs'],
    node: true,
  },
  {
    name: 'policy',
    files: 'mcp/policy/',
    own: ['mcp/policy/', 'mcp/registry/', 'mcp/protocol/'],
    packages: ['@nestjs/common'],
  },
  {
    name: 'registry',
    files: 'mcp/registry/',
    own: ['mcp/registry/', 'mcp/decorators/', 'mcp/schema/', 'mcp/session/change-bus\\.port\\.ts$', 'mcp/protocol/'],
    packages: [NEST, MCP_SDK, 'rxjs', 'reflect-metadata'],
    node: true,
  },
  {
    name: 'decorators',
    files: 'mcp/decorators/',
    own: ['mcp/decorators/', 'mcp/schema/', 'mcp/protocol/'],
    packages: ['@nestjs/common', MCP_SDK, 'rxjs', 'reflect-metadata'],
  },
  {
    name: 'schema',
    files: 'mcp/schema/',
    own: ['mcp/schema/', 'mcp/protocol/'],
    packages: [
      '@nestjs/common',
      MCP_SDK,
      'ajv',
      'ajv-formats',
      'class-validator',
      'class-validator-jsonschema',
      'class-transformer',
      'reflect-metadata',
      'zod',
    ],
    node: true,
  },
  {
    name: 'session',
    files: 'mcp/session/',
    own: [
      'mcp/session/',
      'mcp/limits/[^/]+\\.port\\.ts$',
      // The script by which the audit writes to what replicas share.
      'mcp/audit/redis-stream\\.sink\\.ts$',
      'mcp/observability/[^/]+\\.ts$',
      'mcp/protocol/',
    ],
    packages: [NEST, MCP_SDK, 'ioredis'],
    node: true,
  },
  {
    name: 'health',
    files: 'mcp/health/',
    own: ['mcp/health/', 'mcp/session/session-backend\\.ts$', 'mcp/protocol/'],
    packages: ['@nestjs/common', '@nestjs/terminus'],
  },
  {
    name: 'auth',
    files: 'mcp/auth/',
    own: ['mcp/auth/', 'mcp/protocol/'],
    packages: [NEST, '@nestjs/passport', 'passport', 'passport-jwt', 'jose', 'oauth4webapi'],
    node: true,
  },
  {
    name: 'limits',
    files: 'mcp/limits/',
    own: ['mcp/limits/', 'mcp/decorators/', 'mcp/protocol/'],
    packages: ['@nestjs/common'],
    node: true,
  },
  {
    name: 'audit',
    files: 'mcp/audit/',
    own: ['mcp/audit/', 'mcp/protocol/'],
    packages: ['@nestjs/common'],
    node: true,
  },
  {
    name: 'metrics',
    files: 'mcp/observability/metrics/',
    own: ['mcp/(?!testing/)'],
    packages: [NEST, '@willsoto/nestjs-prometheus', 'prom-client', 'fastify'],
    node: true,
  },
  {
    name: 'tracing',
    files: 'mcp/observability/tracing/',
    own: ['mcp/observability/', 'mcp/protocol/'],
    packages: ['@nestjs/common', '@opentelemetry/api'],
    node: true,
  },
  {
    name: 'observability',
    files: 'mcp/observability/[^/]+\\.ts$',
    own: ['mcp/observability/[^/]+\\.ts$', 'mcp/protocol/'],
    packages: ['@nestjs/common'],
  },
  { name: 'protocol', files: 'mcp/protocol/', own: ['mcp/protocol/'], packages: [MCP_SDK] },
];

const SPEC = '\\.spec\\.ts$';
const source = (path) => `^src/${path}`;
/** Installed (wherever node_modules is) or not. */
const npmPackage = (name) => `(^|/)node_modules/${name}/`;

/** Bound is what is published; a spec beside the code may use whatever it tests with. */
const layerRule = ({ name, files, own, packages = [], node = false }) => ({
  name: `layer-${name}`,
  severity: 'error',
  comment: `src/${files} imports something its row in .dependency-cruiser.js does not list.`,
  from: { path: source(files), pathNot: SPEC },
  to: { couldNotResolve: false, pathNot: [...own.map(source), ...packages.map(npmPackage), ...(node ? [NODE] : [])] },
});

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    ...layers.map(layerRule),
    {
      name: 'no-unlisted-folder',
      severity: 'error',
      comment: 'A file that no row covers: give its folder a row in .dependency-cruiser.js.',
      from: { path: '^src/', pathNot: [...layers.map(({ files }) => source(files)), SPEC] },
      to: {},
    },
    {
      name: 'protocol-takes-only-types',
      severity: 'error',
      comment: 'protocol is a leaf: it may name types of the SDK, but runs none of its code.',
      from: { path: source('mcp/protocol/'), pathNot: SPEC },
      to: { path: npmPackage(MCP_SDK), dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'decorators-take-only-types-of-schema',
      severity: 'error',
      comment: 'Decorators write metadata, nothing else: of schema they may run the api-field decorator only.',
      from: { path: source('mcp/decorators/'), pathNot: SPEC },
      to: { path: source('mcp/schema/'), pathNot: '/api-field[^/]*\\.ts$', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'no-barrel-inside',
      severity: 'error',
      comment: 'Name the file: internals never import a barrel, specs included.',
      from: { path: '^src/mcp/' },
      to: { path: '/index\\.ts$' },
    },
    {
      name: 'no-import-of-a-spec',
      severity: 'error',
      comment: 'What two specs share belongs in test/support.',
      from: { path: '^src/' },
      to: { path: SPEC },
    },
    {
      name: 'no-dev-dependency',
      severity: 'error',
      comment: 'Published code needs its packages in dependencies or peerDependencies.',
      from: { path: '^src/', pathNot: SPEC },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['npm', 'npm-peer', 'npm-optional'] },
    },
    {
      name: 'no-unresolvable',
      severity: 'error',
      comment: 'There is no such file or package.',
      from: { path: '^src/' },
      to: { couldNotResolve: true },
    },
    {
      name: 'no-circular',
      severity: 'error',
      comment: 'A cycle, of types too: move what both sides need into a file below them.',
      from: { path: '^src/' },
      to: { circular: true },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'types', 'node', 'default'],
      extensions: ['.ts', '.js', '.d.ts', '.json'],
    },
    skipAnalysisNotInRules: true,
  },
};
