import { Module } from '@nestjs/common';
import { DocumentTools } from './documents.tools.js';

/** Measures of texts, with progress and a question to the user; everything happens in this process. */
@Module({ providers: [DocumentTools] })
export class DocumentsModule {}
