import type { Socket } from 'node:net';
import { expect, it, vi } from 'vitest';
import { refuseUnreadable } from './unreadable-requests.js';

const errorOf = (code: string): Error => Object.assign(new Error('secret'), { code, rawPacket: Buffer.from('secret') });

function socketThat(state: object = {}) {
  const calls = { write: vi.fn(), destroy: vi.fn(), destroySoon: vi.fn() };
  return { ...calls, socket: { writable: true, ...calls, ...state } as unknown as Socket };
}

it('answers once, and does not cut its own answer off when more of it comes', () => {
  const { socket, write, destroy, destroySoon } = socketThat();

  refuseUnreadable(errorOf('HPE_INVALID_METHOD'), socket);
  refuseUnreadable(errorOf('HPE_INVALID_METHOD'), socket);

  expect(write).toHaveBeenCalledExactlyOnceWith(expect.stringMatching(/^HTTP\/1\.1 400 Bad Request\r\n/));
  expect(write).not.toHaveBeenCalledWith(expect.stringContaining('secret'));
  expect(destroySoon).toHaveBeenCalledOnce();
  expect(destroy).not.toHaveBeenCalled();
});

it.each([
  ['whose connection was reset', 'ECONNRESET', {}],
  ['whose connection broke', 'EPIPE', {}],
  ['who does not listen any more', 'HPE_INVALID_METHOD', { writable: false }],
  ['who is in the middle of an answer', 'HPE_INVALID_METHOD', { _httpMessage: { headersSent: true } }],
])('says nothing to a client %s', (_what, code, state) => {
  const { socket, write, destroy } = socketThat(state);

  refuseUnreadable(errorOf(code), socket);

  expect(write).not.toHaveBeenCalled();
  expect(destroy).toHaveBeenCalledOnce();
});

it('answers a client whose request is read, but not answered yet', () => {
  const { socket, write } = socketThat({ _httpMessage: { headersSent: false } });

  refuseUnreadable(errorOf('HPE_INVALID_CHUNK_SIZE'), socket);

  expect(write).toHaveBeenCalledOnce();
});
