import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { CapabilityExplorer } from './explorer.js';
import { McpRegistry } from './mcp-registry.js';

/** Decides when: what the decorators offer enters the registry once all modules are there. */
@Injectable()
export class CapabilityRegistrar implements OnApplicationBootstrap {
  constructor(
    private readonly explorer: CapabilityExplorer,
    private readonly registry: McpRegistry,
  ) {}

  onApplicationBootstrap(): void {
    this.registry.addAll(this.explorer.explore());
  }
}
