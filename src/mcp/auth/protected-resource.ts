const WELL_KNOWN = '/.well-known/oauth-protected-resource';

/** What of `OAuthOptions` or of `OAuthSettings` the document is made from. */
export interface DescribedResource {
  readonly resource: string;
  readonly issuers: readonly { readonly issuer: string }[];
  readonly requiredScopes?: readonly string[] | undefined;
  readonly scopesSupported?: readonly string[] | undefined;
  readonly resourceName?: string | undefined;
  readonly resourceDocumentation?: string | undefined;
}

/** An authenticator that has such a document. A class of its own: it is known without loading what verifies tokens. */
export abstract class ResourceAuthenticator {
  abstract readonly settings: DescribedResource;
}

/** The document by which clients find the authorization servers (RFC 9728), and where it is served. */
export interface ProtectedResourceMetadata {
  /** With the path of the resource behind the well-known part (RFC 9728 section 3.1). */
  readonly path: string;
  /** Without it: where clients look when the other is not there. The same as `path` for a resource without a path. */
  readonly rootPath: string;
  readonly body: Readonly<Record<string, unknown>>;
}

export function protectedResourceMetadata(described: DescribedResource): ProtectedResourceMetadata {
  const { resource, issuers, resourceName, resourceDocumentation } = described;
  // Whether to ask for a refresh token is the client's own decision, and no scope of a resource.
  const scopes = (described.scopesSupported ?? described.requiredScopes ?? []).filter(
    (scope) => scope !== 'offline_access',
  );
  return {
    path: new URL(protectedResourceMetadataUrl(resource)).pathname,
    rootPath: WELL_KNOWN,
    body: Object.freeze({
      resource,
      authorization_servers: Object.freeze(issuers.map(({ issuer }) => issuer)),
      // RFC 9728 section 2: one without elements is left out.
      ...(scopes.length > 0 && { scopes_supported: Object.freeze(scopes) }),
      bearer_methods_supported: Object.freeze(['header']),
      ...(resourceName !== undefined && { resource_name: resourceName }),
      ...(resourceDocumentation !== undefined && { resource_documentation: resourceDocumentation }),
    }),
  };
}

/** Where the document of a resource is, for `resource_metadata` of a challenge. */
export function protectedResourceMetadataUrl(resource: string): string {
  const { origin, pathname } = new URL(resource);
  return `${origin}${WELL_KNOWN}${pathname === '/' ? '' : pathname}`;
}
