import { setImmediate } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { McpCall, McpTool, ToolError } from '../../index.js';
import { clearDomain, scoreDomains } from './analysis/domain.js';
import { topKeywords } from './analysis/keywords.js';
import { guessLanguage } from './analysis/language.js';
import { readabilityOf } from './analysis/readability.js';
import { countParagraphs, countSentences, countWords, wordsOf } from './analysis/words.js';
import { AnalyzeDocumentInput, DocumentAnalysis, DomainAnswer, type DomainFinding } from './documents.dto.js';

const STEPS = 5;
const WORDS_PER_MINUTE = 230;

@Injectable()
export class DocumentTools {
  @McpTool({
    title: 'Analyze a document',
    description:
      'Measures a text: words, sentences, reading time, keywords, readability, language, and whether it is legal, ' +
      'medical, financial or technical. Use it before summarising or routing a document, or when the user asks how ' +
      'long or how hard to read a text is. It does not interpret what the text says.',
    output: DocumentAnalysis,
    annotations: { readOnlyHint: true, openWorldHint: false },
  })
  async analyzeDocument(input: AnalyzeDocumentInput, call: McpCall): Promise<DocumentAnalysis> {
    const step = stepsOf(call);
    const words = await step('Read the words', () => wordsOf(input.text));
    if (words.length === 0) throw new ToolError('The document holds no words. Pass its text, not a file or a link.');
    const counts = countWords(words);

    // The question comes early: a 2026-07-28 client answers it with a new call, which begins from the top.
    const domain = await step('Detected the domain', () => this.domainOf(input, counts, call));
    const language = await step('Guessed the language', () => guessLanguage(words));
    const keywords = await step('Ranked the keywords', () => topKeywords(counts, language, input.keywords));
    const sentences = countSentences(input.text);
    const readability = await step('Scored the readability', () => readabilityOf(words, sentences, language));

    return {
      domain,
      language,
      statistics: {
        words: words.length,
        distinctWords: counts.size,
        sentences,
        paragraphs: countParagraphs(input.text),
        readingMinutes: Math.round((words.length / WORDS_PER_MINUTE) * 10) / 10,
      },
      keywords,
      ...(readability && { readability }),
    };
  }

  private async domainOf(
    { domain }: AnalyzeDocumentInput,
    counts: ReadonlyMap<string, number>,
    call: McpCall,
  ): Promise<DomainFinding> {
    const scores = scoreDomains(counts);
    if (domain) return { domain, decidedBy: 'caller', scores };
    const detected = clearDomain(scores);
    if (detected) return { domain: detected, decidedBy: 'keywords', scores };
    if (!call.can('elicit')) return { decidedBy: 'nobody', scores };

    const answer = await call.ask(DomainAnswer, 'The words of this document do not tell its domain. Which one is it?');
    if (answer.action !== 'accept') return { decidedBy: 'nobody', scores };
    return { domain: answer.content.domain, decidedBy: 'user', scores };
  }
}

/** Runs a step and reports it; between steps other calls get their turn, and a cancelled one stops. */
function stepsOf(call: McpCall) {
  let done = 0;
  return async <T>(label: string, run: () => T | Promise<T>): Promise<T> => {
    await setImmediate();
    call.signal.throwIfAborted();
    const result = await run();
    call.progress(++done, STEPS, label);
    call.log('info', { step: done, label }, 'documents');
    return result;
  };
}
