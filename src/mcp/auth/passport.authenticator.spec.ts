import { describe, expect, it, vi } from 'vitest';
import { ANONYMOUS } from '../protocol/principal.js';
import type { Credentials } from './authenticator.port.js';
import { PassportAuthenticator } from './passport.authenticator.js';

interface Run {
  success(user: unknown): void;
  fail(challenge?: unknown, status?: number): void;
  pass(): void;
  error(error: Error): void;
  redirect(url: string): void;
}

interface Request {
  readonly headers: Readonly<Record<string, string>>;
}

function authenticatorOf(authenticate: (this: Run, request: Request) => unknown) {
  const authenticator = new PassportAuthenticator<string>(
    { authenticate },
    {
      toPrincipal: (subject) => ({ ...ANONYMOUS, issuer: 'keys', subject }),
      timeoutMs: 1_000,
    },
  );
  return {
    ...authenticator,
    now: (credentials: Credentials) => authenticator.authenticate(credentials),
    authenticate: async (credentials: Credentials) => authenticator.authenticate(credentials),
  };
}

const CREDENTIALS = { headers: { 'x-api-key': 'k' } };

describe('PassportAuthenticator', () => {
  it('turns the user of the strategy into a principal', async () => {
    const authenticator = authenticatorOf(function ({ headers }) {
      this.success(`user of ${headers['x-api-key']}`);
    });
    await expect(authenticator.authenticate(CREDENTIALS)).resolves.toMatchObject({ subject: 'user of k' });
    expect(authenticator.anonymousMayUse).toBe('public');
  });

  it('answers at once where the strategy does, whatever that ends with later', async () => {
    const authenticator = authenticatorOf(async function () {
      this.success('first');
      this.fail('second');
      throw new Error('third');
    });
    expect(authenticator.now(CREDENTIALS)).toMatchObject({ subject: 'first' });
  });

  it('keeps requests at the same time apart', async () => {
    const authenticator = authenticatorOf(async function ({ headers }) {
      await Promise.resolve();
      this.success(headers['x-api-key']);
    });
    const keys = ['a', 'b', 'c'];
    const found = await Promise.all(keys.map((key) => authenticator.authenticate({ headers: { 'x-api-key': key } })));
    expect(found.map(({ subject }) => subject)).toEqual(['a', 'b', 'c']);
  });

  it('takes a caller on whom the strategy has no opinion for anonymous', async () => {
    const authenticator = authenticatorOf(function () {
      this.pass();
    });
    await expect(authenticator.authenticate(CREDENTIALS)).resolves.toBe(ANONYMOUS);
  });

  it.each([
    ['ApiKey realm="shop"', 'ApiKey realm="shop"'],
    ['a\r\nset-cookie: b', 'Bearer'],
    [undefined, 'Bearer'],
    [new Error('no'), 'Bearer'],
  ])('answers a failure with %j by 401 and the challenge %j', async (challenge, header) => {
    const authenticator = authenticatorOf(function () {
      this.fail(challenge);
    });
    await expect(authenticator.authenticate(CREDENTIALS)).rejects.toMatchObject({
      reason: 'UNAUTHORIZED',
      headers: { 'www-authenticate': header },
    });
  });

  it('does not redirect', async () => {
    const authenticator = authenticatorOf(function () {
      this.redirect('https://login.example.com');
    });
    await expect(authenticator.authenticate(CREDENTIALS)).rejects.toMatchObject({ status: 401 });
  });

  it.each<(this: Run) => unknown>([
    function erring() {
      this.error(new Error('secret'));
    },
    function throwing() {
      throw new Error('secret');
    },
    async function rejecting() {
      throw new Error('secret');
    },
  ])('answers a strategy by 503 that is %o', async (strategy) => {
    await expect(authenticatorOf(strategy).authenticate(CREDENTIALS)).rejects.toMatchObject({
      reason: 'UNAVAILABLE',
      message: 'The caller cannot be identified at the moment. Try again later.',
    });
  });

  it('does not wait for ever', async () => {
    vi.useFakeTimers();
    try {
      const refused = expect(authenticatorOf(() => undefined).authenticate(CREDENTIALS)).rejects.toMatchObject({
        status: 503,
      });
      await vi.advanceTimersByTimeAsync(1_000);
      await refused;
    } finally {
      vi.useRealTimers();
    }
  });
});
