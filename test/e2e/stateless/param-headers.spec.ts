import { Injectable, Module } from '@nestjs/common';
import { Type } from 'class-transformer';
import { IsString, ValidateNested } from 'class-validator';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ApiField, McpTool } from '../../../src/index.js';
import { type McpTestApp, createMcpTestApp } from '../../../src/testing.js';
import type { Json } from '../../support/wire.js';
import { answerOf, callTool, refusalOf, textOf } from './requests.js';

let runs = 0;

class Tenant {
  @ApiField('Tenant that pays', { 'x-mcp-header': 'Tenant' })
  @IsString()
  id!: string;
}

class ReportInput {
  @ValidateNested()
  @Type(() => Tenant)
  tenant!: Tenant;
}

const QUERY = {
  type: 'object',
  properties: {
    region: { type: 'string', 'x-mcp-header': 'Region' },
    limit: { type: 'integer', 'x-mcp-header': 'Limit' },
    dryRun: { type: 'boolean', 'x-mcp-header': 'Dry-Run' },
    filter: {
      type: 'object',
      properties: { label: { type: 'string', 'x-mcp-header': 'Label' } },
    },
    label: { type: 'string' },
  },
} as const;

@Injectable()
class Fixtures {
  @McpTool({ input: QUERY })
  query(input: Record<string, unknown>) {
    runs += 1;
    return input;
  }

  @McpTool()
  report({ tenant }: ReportInput) {
    runs += 1;
    return tenant.id;
  }
}

@Module({ providers: [Fixtures] })
class FixtureModule {}

describe('headers that mirror arguments', () => {
  let app: McpTestApp;

  beforeAll(async () => (app = await createMcpTestApp(FixtureModule)));
  beforeEach(() => (runs = 0));
  afterAll(() => app.close());

  const query = (args: Json, headers: Record<string, string> = {}): Promise<Response> =>
    callTool(app.url, 'query', args, { headers });

  it.each([
    ['a text', { region: 'us-west1' }, { 'mcp-param-region': 'us-west1' }],
    ['a text under a header name in another case', { region: 'eu' }, { 'MCP-PARAM-Region': 'eu' }],
    ['a text in Base64', { region: 'Hello, 世界' }, { 'mcp-param-region': '=?base64?SGVsbG8sIOS4lueVjA==?=' }],
    ['a text with a line break', { region: 'line1\nline2' }, { 'mcp-param-region': '=?base64?bGluZTEKbGluZTI=?=' }],
    ['a text with spaces around it', { region: ' padded ' }, { 'mcp-param-region': '=?base64?IHBhZGRlZCA=?=' }],
    ['an empty text', { region: '' }, { 'mcp-param-region': '=?base64??=' }],
    [
      'a text that looks encoded',
      { region: '=?base64?literal?=' },
      { 'mcp-param-region': '=?base64?PT9iYXNlNjQ/bGl0ZXJhbD89?=' },
    ],
    ['a text with the first marker alone', { region: '=?base64?SGk=' }, { 'mcp-param-region': '=?base64?SGk=' }],
    ['a text with the last marker alone', { region: 'SGk=?=' }, { 'mcp-param-region': 'SGk=?=' }],
    ['an integer', { limit: -7 }, { 'mcp-param-limit': '-7' }],
    ['an integer written with a fraction', { limit: 42 }, { 'mcp-param-limit': '42.0' }],
    ['a boolean', { dryRun: true }, { 'mcp-param-dry-run': 'true' }],
    ['a nested text', { filter: { label: 'a' } }, { 'mcp-param-label': 'a' }],
    ['a header that no argument declares', {}, { 'mcp-param-other': 'x' }],
  ])('serves %s that agrees with its header', async (_what, args: Json, headers) => {
    const response = await query(args, headers);

    expect(response.status).toBe(200);
    expect(JSON.parse((await textOf(response)) ?? '')).toEqual(args);
  });

  it.each([
    ['a text', { region: 'us-west1' }, 'us-west2'],
    ['a text in another case', { region: 'us-west1' }, 'US-WEST1'],
    ['a text in Base64', { region: 'us-west1' }, '=?base64?dXMtd2VzdDI=?='],
    ['an integer', { limit: 42 }, '43'],
    ['an integer against no number', { limit: 0 }, 'none'],
    ['an integer against nothing', { limit: 0 }, '=?base64??='],
    ['an integer against a hexadecimal form', { limit: 42 }, '0x2A'],
    ['a boolean', { dryRun: true }, 'false'],
    ['a boolean in another case', { dryRun: true }, 'True'],
    ['a nested text', { filter: { label: 'a' } }, 'b'],
    ['a nested text against one of the same name elsewhere', { filter: { label: 'a' }, label: 'b' }, 'b'],
  ])('refuses %s that differs from its header', async (_what, args: Json, value) => {
    const header = { region: 'region', limit: 'limit', dryRun: 'dry-run', filter: 'label' }[Object.keys(args)[0]!];

    const response = await query(args, { [`mcp-param-${header}`]: value });

    expect(await refusalOf(response)).toEqual({ status: 400, code: -32020 });
    expect(runs).toBe(0);
  });

  it.each([{ region: 'us-west1' }, { limit: 0 }, { dryRun: false }, { filter: { label: 'a' } }])(
    'refuses %j without its header',
    async (args) => {
      const response = await query(args);

      expect(await refusalOf(response)).toEqual({ status: 400, code: -32020 });
      expect(runs).toBe(0);
    },
  );

  it.each([
    ['without padding', '=?base64?SGk?='],
    ['with foreign characters', '=?base64?SG*k=?='],
    ['of broken UTF-8', '=?base64?/w==?='],
    ['of the other alphabet', '=?base64?__8=?='],
  ])('refuses a header in Base64 %s', async (_how, value) => {
    const response = await query({ region: 'Hi' }, { 'mcp-param-region': value });

    expect(await answerOf(response)).toMatchObject({
      status: 400,
      body: { id: 1, error: { code: -32020, message: expect.stringContaining('Mcp-Param-Region') } },
    });
  });

  it('refuses a header with characters outside ASCII', async () => {
    const response = await query({ region: 'Zürich' }, { 'mcp-param-region': 'Zürich' });

    expect(await refusalOf(response)).toEqual({ status: 400, code: -32020 });
  });

  it('expects no header for arguments that are not given', async () => {
    const response = await query({ filter: {} });

    expect(await textOf(response)).toBe('{"filter":{}}');
  });

  it('expects no header for an argument that is null', async () => {
    const response = await query({ region: null });

    expect(await answerOf(response)).toMatchObject({ status: 200, body: { result: { isError: true } } });
  });

  it.each([{}, { region: null }])('refuses a header for an argument without a value: %j', async (args) => {
    const response = await query(args, { 'mcp-param-region': 'us-west1' });

    expect(await refusalOf(response)).toEqual({ status: 400, code: -32020 });
  });

  it('compares every declared header, not just the first', async () => {
    const args = { region: 'eu', limit: 1 };

    const response = await query(args, { 'mcp-param-region': 'eu', 'mcp-param-limit': '2' });

    expect(await refusalOf(response)).toEqual({ status: 400, code: -32020 });
  });

  it.each([
    ['acme', 200],
    ['other', 400],
  ])('compares the header of a nested DTO property: %s', async (header, status) => {
    const headers = { 'mcp-param-tenant': header };

    const response = await callTool(app.url, 'report', { tenant: { id: 'acme' } }, { headers });

    expect(response.status).toBe(status);
    expect(runs).toBe(status === 200 ? 1 : 0);
  });
});
