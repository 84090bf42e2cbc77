import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { McpServer } from './mcp.providers.js';
import { AccessControl } from './policy/access-control.js';
import { AccessPolicy } from './protocol/access-policy.port.js';

/**
 * Stops the start where the server would run without something that a team has provided.
 *
 * It asks the container instead of having things injected: a provider that depends on one with a scope of its own gets
 * that scope too, and Nest then runs none of its hooks, without a word.
 */
@Injectable()
export class BootChecks implements OnApplicationBootstrap {
  constructor(private readonly providers: ModuleRef) {}

  onApplicationBootstrap(): void {
    const access = this.singleton(AccessControl, 'an Authenticator');
    const policy = this.globalPolicy();
    if (policy) access.askAlso(policy);
    this.singleton(McpServer, 'an adapter of the McpModule');
  }

  /** Wherever in the application it is provided. @throws Error when it cannot be asked */
  private globalPolicy(): AccessPolicy | undefined {
    const policy = this.find<Partial<AccessPolicy>>(AccessPolicy, 'The AccessPolicy');
    if (!policy) return undefined;
    if (typeof policy.value?.allows === 'function') return policy.value as AccessPolicy;
    throw new Error('The provider of AccessPolicy gives nothing that has a method allows(). Implement AccessPolicy.');
  }

  private singleton<T extends object>(type: abstract new (...args: never[]) => T, cause: string): T {
    const found = this.find<T>(type, `The MCP server depends on ${cause} that`);
    if (found) return found.value;
    throw new Error(`${type.name} is missing; import McpModule once, at the root.`);
  }

  private find<T>(
    token: symbol | (abstract new (...args: never[]) => T),
    who: string,
  ): { readonly value: T } | undefined {
    try {
      return { value: this.providers.get<T>(token, { strict: false }) };
    } catch (error) {
      // Nest gives its errors no names of their own, nor exports them.
      if ((error as Error).constructor.name === 'UnknownElementException') return undefined;
      throw new Error(`${who} is request-scoped or transient. Make it a singleton: it is asked about every call.`, {
        cause: error,
      });
    }
  }
}
