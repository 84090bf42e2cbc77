import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { CONFIG_SCHEMA, configurationTable, readConfig } from '../../src/app/config.js';

const page = readFileSync(new URL('../../docs/configuration.md', import.meta.url), 'utf8');

describe('configuration', () => {
  it('is documented from its schema, row by row', () => {
    expect(page).toContain(configurationTable());
  });

  it('has a sentence for every variable', () => {
    for (const [name, schema] of Object.entries(CONFIG_SCHEMA.shape)) {
      expect(schema.description, name).toMatch(/\.$/);
    }
  });

  it('takes an empty variable for one that is not set', () => {
    expect(readConfig({ PORT: '' }).PORT).toBe(3000);
  });

  it('names every variable that is wrong', () => {
    expect(() => readConfig({ PORT: '70000', MCP_PATH: 'mcp', MCP_JSON_ONLY: 'yes' })).toThrow(
      /PORT: .*\n {2}MCP_PATH: must begin with "\/".*\n {2}MCP_JSON_ONLY: /,
    );
  });

  it.each(['//', '/mcp//tools', '/../mcp', '/mcp/.', '/.well-known/mcp', '/a b', '/mcp?x'])(
    'takes no path of the endpoint that clients could not reach: %j',
    (path) => {
      expect(() => readConfig({ MCP_PATH: path })).toThrow(/MCP_PATH: must begin with/);
    },
  );

  it.each(['/', '/mcp', '/mcp/', '/v1.2/my-tools/mcp_server'])('takes %j for one', (path) => {
    expect(readConfig({ MCP_PATH: path }).MCP_PATH).toBe(path);
  });

  it('reads lists without their blanks', () => {
    const { MCP_ALLOWED_HOSTS } = readConfig({ MCP_ALLOWED_HOSTS: 'a.example, b.example ,' });
    expect(MCP_ALLOWED_HOSTS).toEqual(['a.example', 'b.example']);
  });
});
