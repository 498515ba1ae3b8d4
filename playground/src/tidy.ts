// Lays a query out afresh. The comment in front stays; where others stand inside, nothing is done: they would be lost.
import { parse, print, TokenKind, type DocumentNode } from 'graphql';

/** The query laid out, `comments` where they are in the way, null where it cannot be read. */
export function tidy(query: string): { query: string } | 'comments' | null {
  const front = /^(?:#.*\n|\s*\n)*/.exec(query)?.[0] ?? '';
  let document: DocumentNode;
  try {
    document = parse(query);
  } catch {
    return null; // the editor marks the place
  }
  for (let token = document.loc?.startToken.next; token; token = token.next) {
    if (token.kind === TokenKind.COMMENT && token.start >= front.length) return 'comments';
  }
  return { query: `${front}${print(document)}\n` };
}
