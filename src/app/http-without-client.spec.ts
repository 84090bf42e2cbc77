import { describe, expect, it } from 'vitest';
import { importHttpWithoutClient } from './http-without-client.js';

describe('importHttpWithoutClient', () => {
  it('leaves node:http as it was', async () => {
    const http = process.getBuiltinModule('node:http');
    const before = Object.getOwnPropertyDescriptors(http);

    await importHttpWithoutClient();

    expect(Object.getOwnPropertyDescriptors(http)).toEqual(before);
    expect(http.WebSocket).toBe(globalThis.WebSocket);
  });
});
