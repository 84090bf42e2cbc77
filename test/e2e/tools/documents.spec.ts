import { describe, expect, it } from 'vitest';
import { createMcpTestApp } from '../../../src/testing.js';
import { DocumentsModule } from '../../../src/tools/documents/documents.module.js';

const LEGAL =
  'The plaintiff claims a breach of the agreement. The defendant denies liability under the governing clause. ' +
  'The court will decide on the matter in May.\n\nThe agreement ends with this.';
const UNCLEAR = 'We went to the beach and it was warm. The ice cream that we had was the best of all.';

describe.each(['stateless', 'session'] as const)('documents, %s', (era) => {
  it('measures a document whose words tell its domain, without asking', async () => {
    await using app = await createMcpTestApp(DocumentsModule);
    const result = await app.client({ era }).call('analyzeDocument', { text: LEGAL, keywords: 2 });
    expect(result.structuredContent).toEqual({
      domain: {
        domain: 'legal',
        decidedBy: 'keywords',
        scores: [
          {
            domain: 'legal',
            score: 9,
            terms: ['agreement', 'plaintiff', 'defendant', 'court', 'clause', 'liability', 'breach', 'governing'],
          },
        ],
      },
      language: 'en',
      statistics: { words: 30, distinctWords: 23, sentences: 4, paragraphs: 2, readingMinutes: 0.1 },
      keywords: [
        { word: 'agreement', count: 2 },
        { word: 'breach', count: 1 },
      ],
      readability: { formula: 'Flesch reading ease', score: 69.5, level: 'medium' },
    });
  });

  it('asks the user when the words do not tell', async () => {
    await using app = await createMcpTestApp(DocumentsModule);
    const questions: unknown[] = [];
    const client = app.client({ era }).onElicit((message, question) => {
      questions.push({ message, question });
      return { domain: 'other' };
    });

    const result = await client.call('analyzeDocument', { text: UNCLEAR });

    expect(result.structuredContent).toMatchObject({ domain: { domain: 'other', decidedBy: 'user', scores: [] } });
    expect(questions).toMatchObject([
      {
        message: 'The words of this document do not tell its domain. Which one is it?',
        question: {
          mode: 'form',
          schema: {
            type: 'object',
            required: ['domain'],
            properties: {
              domain: {
                type: 'string',
                title: 'Domain',
                oneOf: expect.arrayContaining([{ const: 'medical', title: 'Medicine: findings, studies' }]),
              },
            },
          },
        },
      },
    ]);
  });

  it.each(['decline', 'cancel'] as const)('goes on without an answer: %s', async (action) => {
    await using app = await createMcpTestApp(DocumentsModule);
    const client = app.client({ era }).onElicit(() => ({ action }));
    const result = await client.call('analyzeDocument', { text: UNCLEAR });
    expect(result.structuredContent).toMatchObject({ domain: { decidedBy: 'nobody', scores: [] }, language: 'en' });
  });

  it('does not ask a client that cannot, nor about what the caller has said', async () => {
    await using app = await createMcpTestApp(DocumentsModule);
    const client = app.client({ era });
    expect((await client.call('analyzeDocument', { text: UNCLEAR })).structuredContent).toMatchObject({
      domain: { decidedBy: 'nobody' },
    });
    expect((await client.call('analyzeDocument', { text: UNCLEAR, domain: 'other' })).structuredContent).toMatchObject({
      domain: { domain: 'other', decidedBy: 'caller' },
    });
  });

  it('reports every step as progress and in the log', async () => {
    await using app = await createMcpTestApp(DocumentsModule);
    const client = app.client({ era });
    const progress: unknown[] = [];
    await client.call('analyzeDocument', { text: LEGAL }, { logLevel: 'info', onProgress: (p) => progress.push(p) });
    expect(progress).toEqual([
      { progress: 1, total: 5, message: 'Read the words' },
      { progress: 2, total: 5, message: 'Detected the domain' },
      { progress: 3, total: 5, message: 'Guessed the language' },
      { progress: 4, total: 5, message: 'Ranked the keywords' },
      { progress: 5, total: 5, message: 'Scored the readability' },
    ]);
    expect(client.notifications.of('notifications/message').map(({ params }) => params)).toContainEqual({
      level: 'info',
      logger: 'documents',
      data: { step: 3, label: 'Guessed the language' },
    });
  });

  it.each([
    ['nothing', '', 'text: '],
    ['more than 200,000 characters', 'x'.repeat(200_001), 'text: '],
    ['no words', '… --- !!!', 'The document holds no words.'],
  ])('refuses %s', async (_name, text, message) => {
    await using app = await createMcpTestApp(DocumentsModule);
    const result = await app.client({ era }).call('analyzeDocument', { text });
    expect(result.isError).toBe(true);
    expect(result.content).toMatchObject([{ type: 'text', text: expect.stringContaining(message) }]);
  });
});
