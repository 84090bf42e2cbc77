import { createMcpTestApp } from 'rookery/testing';
import { OrdersModule } from './orders.module.js';

/** What a team's own test would do with the published test kit. */
await using app = await createMcpTestApp(OrdersModule);
const results: unknown[] = [];
for (const era of ['stateless', 'session'] as const) {
  const client = app.client({ era }).onElicit(() => ({ confirmed: true }));
  results.push(await client.call('refundOrder', { orderId: 'ORD-000123' }));
}
process.stdout.write(JSON.stringify(results));
