import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { DiscoveryService, ExternalContextCreator, MetadataScanner } from '@nestjs/core';
import { exploreCapabilities } from './explorer.js';
import { McpRegistry } from './mcp-registry.js';

/** Decides when: what the decorators offer enters the registry once all modules are there. */
@Injectable()
export class CapabilityRegistrar implements OnApplicationBootstrap {
  constructor(
    private readonly discovery: DiscoveryService,
    private readonly scanner: MetadataScanner,
    private readonly contexts: ExternalContextCreator,
    private readonly registry: McpRegistry,
  ) {}

  onApplicationBootstrap(): void {
    this.registry.addAll(exploreCapabilities(this.discovery, this.scanner, this.contexts));
  }
}
