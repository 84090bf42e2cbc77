import { text } from 'node:stream/consumers';
import type { Context, Interaction, Provider } from 'oidc-provider';

/** The page at which a user logs in and agrees: `GET` shows it, `POST user=…` answers it. */
export function loginAndConsent(provider: Provider, users: readonly string[]) {
  return async (ctx: Context, next: () => Promise<void>): Promise<void> => {
    if (!ctx.path.startsWith('/interaction/')) return next();
    if (ctx.method === 'GET') {
      ctx.body = 'Who are you, and do you agree?';
      return;
    }
    const user = new URLSearchParams(await text(ctx.req)).get('user') ?? '';
    if (!users.includes(user)) throw new Error(`Nobody here is called ${user}; give it to the server as a user.`);
    const asked = await provider.interactionDetails(ctx.req, ctx.res);
    const result = asked.prompt.name === 'login' ? { login: { accountId: user } } : await consent(provider, asked);
    ctx.redirect(await provider.interactionResult(ctx.req, ctx.res, result));
  };
}

async function consent(provider: Provider, { grantId, session, params, prompt }: Interaction): Promise<unknown> {
  const grant =
    (grantId === undefined ? undefined : await provider.Grant.find(grantId)) ??
    new provider.Grant({ accountId: session?.accountId ?? '', clientId: params['client_id'] ?? '' });
  const { missingOIDCScope, missingResourceScopes } = prompt.details;
  if (missingOIDCScope) grant.addOIDCScope(missingOIDCScope.join(' '));
  for (const [resource, scopes] of Object.entries(missingResourceScopes ?? {})) {
    grant.addResourceScope(resource, scopes.join(' '));
  }
  return { consent: { grantId: await grant.save() } };
}
