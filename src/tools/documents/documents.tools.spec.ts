import { describe, expect, it, vi } from 'vitest';
import type { McpCall } from '../../index.js';
import { AnalyzeDocumentInput } from './documents.dto.js';
import { DocumentTools } from './documents.tools.js';

describe('analyzeDocument', () => {
  it('does nothing more once its call is cancelled between two steps', async () => {
    const cancelled = new Error('cancelled');
    const controller = new AbortController();
    const progress = vi.fn((step: number) => void (step === 2 && controller.abort(cancelled)));
    const call = { signal: controller.signal, progress, log: vi.fn(), can: () => false };
    const input = Object.assign(new AnalyzeDocumentInput(), { text: 'The court has a server.' });

    await expect(new DocumentTools().analyzeDocument(input, call as unknown as McpCall)).rejects.toBe(cancelled);

    expect(progress.mock.calls.map(([step]) => step)).toEqual([1, 2]);
  });

  it('lets others have their turn while it reads a document of the greatest length', async () => {
    const turns: string[] = [];
    const progress = vi.fn((step: number) => void turns.push(`step ${step}`));
    const call = { signal: new AbortController().signal, progress, log: vi.fn(), can: () => false };
    const input = Object.assign(new AnalyzeDocumentInput(), { text: 'a server '.repeat(22_000) });

    const analysis = new DocumentTools().analyzeDocument(input, call as unknown as McpCall);
    setImmediate(() => setImmediate(() => turns.push('other')));
    await analysis;

    expect(turns.indexOf('other')).toBeGreaterThan(0);
    expect(turns.indexOf('other')).toBeLessThan(turns.length - 1);
  });
});
