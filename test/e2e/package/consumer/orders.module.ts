import { Injectable, Module } from '@nestjs/common';
import { IsInt, IsOptional, Matches, Min } from 'class-validator';
import { ApiField, McpCall, McpPrompt, McpResource, McpTool } from 'rookery';
import { z } from 'zod';

class RefundInput {
  @ApiField('Order number, as printed on the invoice')
  @Matches(/^ORD-\d{6}$/)
  orderId!: string;

  @ApiField('Amount in cents; the whole order when left out')
  @IsOptional()
  @IsInt()
  @Min(1)
  amountCents?: number;
}

class RefundReceipt {
  @ApiField('Cents that were paid back')
  @IsInt()
  refunded!: number;
}

const confirmation = z.object({ confirmed: z.boolean() });
const searchInput = z.object({ text: z.string().min(1).describe('What to look for') });
const reviewInput = z.object({ tone: z.enum(['kind', 'strict']) });

@Injectable()
export class OrderTools {
  @McpTool({ description: 'Refunds an order.', output: RefundReceipt })
  async refundOrder(input: RefundInput, call: McpCall): Promise<RefundReceipt> {
    await call.elicit(confirmation, `Refund ${input.orderId}?`);
    return { refunded: input.amountCents ?? 4200 };
  }

  @McpTool({ description: 'Finds orders.', input: searchInput })
  findOrders({ text }: z.infer<typeof searchInput>): string[] {
    return [`ORD-000123 ${text}`];
  }

  @McpResource('orders://{orderId}', { description: 'An order.' })
  order({ orderId }: { orderId: string }) {
    return { orderId, totalCents: 4200 };
  }

  @McpPrompt({ description: 'Reviews an order.', input: reviewInput })
  reviewOrder({ tone }: z.infer<typeof reviewInput>): string {
    return `Review the order in a ${tone} tone.`;
  }
}

@Module({ providers: [OrderTools] })
export class OrdersModule {}
