import { Injectable, Module } from '@nestjs/common';
import { IsInt, Max, Min } from 'class-validator';
import { ApiField, McpTool } from '../../src/index.js';

class RollInput {
  @ApiField('How many sides the dice has')
  @IsInt()
  @Min(2)
  @Max(100)
  sides: number = 6;
}

@Injectable()
export class DiceTools {
  @McpTool({ title: 'Roll a dice', description: 'Rolls a dice. Use it whenever chance has to decide.' })
  rollDice({ sides }: RollInput): string {
    return `You rolled a ${1 + Math.floor(Math.random() * sides)}.`;
  }
}

@Module({ providers: [DiceTools] })
export class DiceModule {}
