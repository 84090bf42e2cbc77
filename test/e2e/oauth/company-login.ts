import {
  discoverAuthorizationServerMetadata,
  exchangeAuthorization,
  startAuthorization,
} from '@modelcontextprotocol/client';
import type { OidcServer } from '../../support/oauth/oidc-server.js';
import { CALLBACK } from './person.js';

/**
 * Logs a user in at the company, by OpenID Connect.
 *
 * @returns the ID token, with this `nonce` if there is one
 */
export async function logInAtCompany(
  idp: OidcServer,
  user: string,
  client: { readonly clientId: string; readonly clientSecret: string; readonly nonce?: string },
): Promise<string> {
  const metadata = await discoverAuthorizationServerMetadata(idp.issuer);
  if (!metadata) throw new Error('The identity provider has no metadata.');
  const clientInformation = {
    client_id: client.clientId,
    client_secret: client.clientSecret,
    token_endpoint_auth_method: 'client_secret_post',
  };
  const common = { metadata, clientInformation };
  const { authorizationUrl, codeVerifier } = await startAuthorization(idp.issuer, {
    ...common,
    redirectUrl: CALLBACK,
    scope: 'openid',
  });
  if (client.nonce !== undefined) authorizationUrl.searchParams.set('nonce', client.nonce);
  const answer = await idp.browser(user).authorize(authorizationUrl, CALLBACK);
  const tokens = await exchangeAuthorization(idp.issuer, {
    ...common,
    authorizationCode: answer.get('code') ?? '',
    iss: answer.get('iss') ?? '',
    codeVerifier,
    redirectUri: CALLBACK,
  });
  return tokens.id_token ?? '';
}
