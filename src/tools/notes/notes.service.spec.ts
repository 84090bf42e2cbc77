import { describe, expect, it } from 'vitest';
import { ToolError } from '../../index.js';
import { NOTE_LIMITS } from './note.js';
import { NotesService } from './notes.service.js';

const note = (title: string, tags: string[] = [], text = '') => ({ title, text, tags });

describe('NotesService', () => {
  it('keeps the notes of owners apart', () => {
    const notes = new NotesService();
    const { id } = notes.add('ann', note('Shopping'));

    expect(notes.find('bob', id)).toBeUndefined();
    expect(() => notes.update('bob', id, { title: 'Mine' })).toThrow(ToolError);
    expect(notes.delete('bob', id)).toBe(false);
    expect(notes.search('bob')).toEqual([]);
    expect(notes.find('ann', id)?.title).toBe('Shopping');
  });

  it('changes only what it is told to', () => {
    const notes = new NotesService();
    const before = notes.add('ann', note('Shopping', ['home'], 'milk'));
    const after = notes.update('ann', before.id, { text: 'milk, bread' });
    expect(after).toEqual({ ...before, text: 'milk, bread', updatedAt: after.updatedAt });
  });

  it('finds by words in any order and case, and by tag, the last first', () => {
    const notes = new NotesService();
    notes.add('ann', note('Milk and bread', ['home']));
    notes.add('ann', note('Bread recipe', ['home', 'cooking'], 'no MILK'));
    notes.add('ann', note('Budget', ['work']));

    const titles = (query: object) => notes.search('ann', query).map(({ title }) => title);
    expect(titles({})).toEqual(['Budget', 'Bread recipe', 'Milk and bread']);
    expect(titles({ words: ' milk  BREAD ' })).toEqual(['Bread recipe', 'Milk and bread']);
    expect(titles({ words: 'milk', tag: 'cooking' })).toEqual(['Bread recipe']);
  });

  it('counts tags, the most used first', () => {
    const notes = new NotesService();
    notes.add('ann', note('One', ['work']));
    notes.add('ann', note('Two', ['home', 'alone']));
    notes.add('ann', note('Three', ['home']));
    expect([...notes.tags('ann')]).toEqual([
      ['home', 2],
      ['alone', 1],
      ['work', 1],
    ]);
  });

  it('is bounded per owner, and deleting makes room', () => {
    const notes = new NotesService();
    const { id } = notes.add('ann', note('First'));
    for (let i = 1; i < NOTE_LIMITS.notesPerOwner; i++) notes.add('ann', note(`Note ${i}`));

    expect(() => notes.add('ann', note('One too many'))).toThrow('There are 200 notes, which is all that fit.');
    expect(notes.add('bob', note('Other owner')).title).toBe('Other owner');
    notes.delete('ann', id);
    expect(notes.add('ann', note('Fits again')).title).toBe('Fits again');
  });

  it('is bounded in all', () => {
    const notes = new NotesService();
    for (let i = 0; i < NOTE_LIMITS.notes; i++) notes.add(`owner ${Math.floor(i / 100)}`, note('n'));
    expect(() => notes.add('late', note('n'))).toThrow('This server has no room for further notes.');
    expect(notes.search('late')).toEqual([]);
  });
});
