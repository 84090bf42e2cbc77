import { forecast } from './forecast.js';

const META = { 'io.modelcontextprotocol/serverInfo': { name: 'bench', version: '1.0.0' } };

/** The answer of an MCP server to `tools/call`, without one: nothing is checked. */
export function rawAnswer({ id, params }) {
  const structuredContent = forecast(params.arguments);
  return {
    jsonrpc: '2.0',
    id,
    result: {
      resultType: 'complete',
      content: [{ type: 'text', text: JSON.stringify(structuredContent) }],
      structuredContent,
      _meta: META,
    },
  };
}
