import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { ToolError } from '../../index.js';
import { NOTE_LIMITS, type Note, type NoteContent, type NoteQuery } from './note.js';

/**
 * Keeps notes in memory, each under its owner; nobody sees that others' notes exist. They end with the process and
 * other replicas do not know them: a real deployment puts a database here.
 */
@Injectable()
export class NotesService {
  private readonly byOwner = new Map<string, Map<string, Note>>();
  private count = 0;

  /** @throws ToolError when there is no room */
  add(owner: string, content: NoteContent): Note {
    const notes = this.byOwner.get(owner) ?? new Map<string, Note>();
    if (notes.size >= NOTE_LIMITS.notesPerOwner) {
      throw new ToolError(`There are ${notes.size} notes, which is all that fit. Delete one that is not needed first.`);
    }
    if (this.count >= NOTE_LIMITS.notes) {
      throw new ToolError('This server has no room for further notes. Tell the user to try again later.');
    }
    const now = new Date().toISOString();
    const note = Object.freeze({ ...content, id: randomUUID(), createdAt: now, updatedAt: now });
    this.byOwner.set(owner, notes.set(note.id, note));
    this.count++;
    return note;
  }

  find(owner: string, id: string): Note | undefined {
    return this.byOwner.get(owner)?.get(id);
  }

  /** @throws ToolError when there is no such note */
  get(owner: string, id: string): Note {
    const note = this.find(owner, id);
    if (!note) throw new ToolError(`There is no note ${id}. Find its id with searchNotes.`);
    return note;
  }

  /** @throws ToolError when there is no such note */
  update(owner: string, id: string, change: Partial<NoteContent>): Note {
    const note = Object.freeze({ ...this.get(owner, id), ...change, updatedAt: new Date().toISOString() });
    this.byOwner.get(owner)?.set(id, note);
    return note;
  }

  /** @returns false if there was no such note */
  delete(owner: string, id: string): boolean {
    const notes = this.byOwner.get(owner);
    if (!notes?.delete(id)) return false;
    this.count--;
    if (notes.size === 0) this.byOwner.delete(owner);
    return true;
  }

  /** The notes that match, the one added last first. */
  search(owner: string, { words = '', tag }: NoteQuery = {}): readonly Note[] {
    const wanted = words.toLowerCase().split(/\s+/u).filter(Boolean);
    return [...(this.byOwner.get(owner)?.values() ?? [])].reverse().filter((note) => {
      const text = `${note.title}\n${note.text}`.toLowerCase();
      return (tag === undefined || note.tags.includes(tag)) && wanted.every((word) => text.includes(word));
    });
  }

  /** How many notes carry each tag, the most used first. */
  tags(owner: string): ReadonlyMap<string, number> {
    const counts = new Map<string, number>();
    for (const tag of this.search(owner).flatMap((note) => note.tags)) counts.set(tag, (counts.get(tag) ?? 0) + 1);
    return new Map([...counts].sort(([a, countA], [b, countB]) => countB - countA || (a < b ? -1 : 1)));
  }
}
