import { type CanActivate, type ExecutionContext, Injectable, NotFoundException } from '@nestjs/common';
import { ManagementRoutes } from './management-routes.js';

/** Answers as if the route were not there, where it is served on a port of its own. */
@Injectable()
export class OffMainPortGuard implements CanActivate {
  constructor(private readonly routes: ManagementRoutes) {}

  canActivate(context: ExecutionContext): boolean {
    if (!this.routes.haveOwnPort) return true;
    const { method, url } = context.switchToHttp().getRequest<{ readonly method: string; readonly url: string }>();
    // As Nest says it of any other path.
    throw new NotFoundException(`Cannot ${method} ${url}`);
  }
}
