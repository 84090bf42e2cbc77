import { describe, expect, it } from 'vitest';
import { createMcpTestApp, type McpTestClient } from '../../../src/testing.js';
import { NotesModule } from '../../../src/tools/notes/notes.module.js';

const ANN = { principal: { subject: 'ann' } };
const BOB = { principal: { subject: 'bob' } };
const NOBODYS = '00000000-0000-4000-8000-000000000000';

interface Saved {
  readonly id: string;
  readonly uri: string;
}

async function add(client: McpTestClient, title: string, tags: string[] = [], text = `${title}.`): Promise<Saved> {
  const { structuredContent } = await client.call('addNote', { title, text, tags });
  return structuredContent as Saved;
}

describe.each(['stateless', 'session'] as const)('notes, %s', (era) => {
  it('says of every tool what it does and when to use it', async () => {
    await using app = await createMcpTestApp(NotesModule);
    const tools = await app.client({ era }).listTools();
    expect(
      tools.map(({ name, annotations }) => [name, annotations?.readOnlyHint, annotations?.destructiveHint]),
    ).toEqual([
      ['addNote', false, false],
      ['deleteNote', false, true],
      ['listTags', true, undefined],
      ['searchNotes', true, undefined],
      ['updateNote', false, true],
    ]);
    for (const { title, description } of tools)
      expect([title, description]).toEqual([expect.any(String), expect.any(String)]);
  });

  it('adds, finds and reads a note', async () => {
    await using app = await createMcpTestApp(NotesModule);
    const client = app.client({ era, ...ANN });

    const added = await add(client, 'Shopping', ['home'], 'Milk and bread');
    const found = await client.call('searchNotes', { words: 'BREAD', tag: 'home' });
    const { contents } = await client.read(added.uri);

    expect(added).toMatchObject({ uri: `notes://${added.id}`, title: 'Shopping', tags: ['home'] });
    expect(found.structuredContent).toEqual({ notes: [{ ...added, excerpt: 'Milk and bread' }], total: 1 });
    expect(contents).toMatchObject([{ uri: added.uri, mimeType: 'application/json' }]);
    expect(JSON.parse((contents[0] as { text: string }).text)).toMatchObject({
      title: 'Shopping',
      text: 'Milk and bread',
    });
  });

  it('returns as many as asked for, and says how many there are', async () => {
    await using app = await createMcpTestApp(NotesModule);
    const client = app.client({ era });
    await add(client, 'One');
    await add(client, 'Two');
    const { structuredContent } = await client.call('searchNotes', { limit: 1 });
    expect(structuredContent).toMatchObject({ notes: [{ title: 'Two' }], total: 2 });
  });

  it('counts tags', async () => {
    await using app = await createMcpTestApp(NotesModule);
    const client = app.client({ era });
    await add(client, 'One', ['work', 'urgent']);
    await add(client, 'Two', ['work']);
    expect((await client.call('listTags')).structuredContent).toEqual({ tags: { work: 2, urgent: 1 } });
  });

  it('changes what it is told to and tells the subscribers', async () => {
    await using app = await createMcpTestApp(NotesModule);
    const client = app.client({ era });
    const note = await add(client, 'Shopping', ['home'], 'Milk');
    await client.subscribe(note.uri);

    const { structuredContent } = await client.call('updateNote', { id: note.id, text: 'Milk, bread' });

    expect(structuredContent).toMatchObject({ id: note.id, title: 'Shopping', tags: ['home'] });
    expect(await client.waitForNotification('notifications/resources/updated')).toMatchObject({
      params: { uri: note.uri },
    });
  });

  it('deletes what the user confirms, and tells the subscribers', async () => {
    await using app = await createMcpTestApp(NotesModule);
    const messages: string[] = [];
    const client = app.client({ era }).onElicit((message) => (messages.push(message), { confirmed: true }));
    const note = await add(client, 'Old plans');
    await client.subscribe(note.uri);

    expect((await client.call('deleteNote', { id: note.id })).structuredContent).toEqual({ id: note.id });

    expect(messages).toEqual(['Delete the note "Old plans"?']);
    await client.waitForNotification('notifications/resources/updated', ({ uri }) => uri === note.uri);
    await expect(client.read(note.uri)).rejects.toMatchObject({ code: era === 'stateless' ? -32602 : -32002 });
  });

  it.each([
    ['says no', { confirmed: false }, 'The user wants to keep the note. Nothing was deleted.'],
    ['declines', { action: 'decline' }, 'The user declined to answer.'],
  ])('keeps the note when the user %s', async (_name, reply, message) => {
    await using app = await createMcpTestApp(NotesModule);
    const client = app.client({ era }).onElicit(() => reply);
    const note = await add(client, 'Old plans');
    expect(await client.call('deleteNote', { id: note.id })).toEqual({
      isError: true,
      content: [{ type: 'text', text: message }],
    });
    expect((await client.read(note.uri)).contents).toHaveLength(1);
  });

  it('deletes at once for a client that cannot ask its user', async () => {
    await using app = await createMcpTestApp(NotesModule);
    const client = app.client({ era });
    const note = await add(client, 'Old plans');
    expect((await client.call('deleteNote', { id: note.id })).structuredContent).toEqual({ id: note.id });
    expect((await client.call('searchNotes')).structuredContent).toEqual({ notes: [], total: 0 });
  });

  it('shows nobody the notes of others', async () => {
    await using app = await createMcpTestApp(NotesModule);
    const bob = app.client({ era, ...BOB });
    const note = await add(app.client({ era, ...ANN }), 'Secret', ['private']);
    const ref = { type: 'ref/prompt', name: 'summarizeNotes' } as const;

    expect((await bob.call('searchNotes')).structuredContent).toEqual({ notes: [], total: 0 });
    expect((await bob.call('listTags')).structuredContent).toEqual({ tags: {} });
    expect(await bob.complete(ref, { name: 'tag', value: '' })).toMatchObject({ values: [] });
    expect((await bob.read('notes://list')).contents).toMatchObject([{ text: '{"notes":[]}' }]);
    await expect(bob.read(note.uri)).rejects.toMatchObject({ message: 'Resource not found' });
    for (const name of ['updateNote', 'deleteNote']) {
      expect(await bob.call(name, { id: note.id })).toEqual({
        isError: true,
        content: [{ type: 'text', text: `There is no note ${note.id}. Find its id with searchNotes.` }],
      });
    }
  });

  it('lists the notes of the caller', async () => {
    await using app = await createMcpTestApp(NotesModule);
    const client = app.client({ era, ...ANN });
    const { id, uri } = await add(client, 'Shopping', ['home']);
    const { contents } = await client.read('notes://list');
    expect(JSON.parse((contents[0] as { text: string }).text)).toEqual({
      notes: [{ id, uri, title: 'Shopping', tags: ['home'] }],
    });
  });

  it.each([
    ['addNote', { title: '', text: 'x' }, 'title: '],
    ['addNote', { title: 'x', text: 'x'.repeat(4_001) }, 'text: '],
    ['addNote', { title: 'x', text: 'x', tags: ['Not a tag'] }, 'tags: must be 1 to 30 lower-case letters'],
    ['updateNote', { id: 'x' }, 'id: '],
    ['updateNote', { id: NOBODYS }, `There is no note ${NOBODYS}.`],
    ['searchNotes', { limit: 51 }, 'limit: '],
    ['searchNotes', { text: 'x' }, 'text'],
  ])('refuses %s %j', async (name, args, message) => {
    await using app = await createMcpTestApp(NotesModule);
    const result = await app.client({ era }).call(name, args);
    expect(result.isError).toBe(true);
    expect(result.content).toMatchObject([{ text: expect.stringContaining(message) }]);
  });

  it('makes a prompt of the notes with a tag, and completes the tag', async () => {
    await using app = await createMcpTestApp(NotesModule);
    const client = app.client({ era });
    await add(client, 'Cake', ['home']);
    const { uri } = await add(client, 'Budget', ['work'], 'Ask for more.');

    const { messages } = await client.prompt('summarizeNotes', { tag: 'work' });
    const completion = await client.complete(
      { type: 'ref/prompt', name: 'summarizeNotes' },
      { name: 'tag', value: 'w' },
    );

    expect(messages).toEqual([
      { role: 'user', content: { type: 'text', text: expect.stringContaining('all tagged "work"') } },
      {
        role: 'user',
        content: { type: 'resource', resource: { uri, mimeType: 'text/markdown', text: '# Budget\n\nAsk for more.' } },
      },
    ]);
    expect(completion).toMatchObject({ values: ['work'], total: 1 });
  });

  it('says which tags there are when none fits', async () => {
    await using app = await createMcpTestApp(NotesModule);
    const client = app.client({ era });
    await expect(client.prompt('summarizeNotes', {})).rejects.toMatchObject({ code: -32602 });
    await add(client, 'Budget', ['work']);
    await expect(client.prompt('summarizeNotes', { tag: 'home' })).rejects.toMatchObject({
      code: -32602,
      message: 'No note is tagged "home". Tags in use: work.',
    });
  });
});
