// Drafts an application from an operation that was refused: what goes to the server, and what comes back of it.
import { parse, print, separateOperations } from 'graphql';
import { readVariables, type Question } from './answer.ts';
import { askProcedure } from './server.ts';

/** What the applicant fills in. */
export interface Filled {
  /** Code of a purpose that is offered; empty for one that is typed, null while the one that was asked under stands. */
  purpose: string | null;
  /** Null while the one that was asked under stands. */
  code: string | null;
  title: string;
  legalBasis: string;
  reason: string;
  from: string;
  until: string;
  /** Also what could be masked. */
  inFull: boolean;
}

export const BLANK: Filled = { purpose: null, code: null, title: '', legalBasis: '', reason: '', from: '', until: '', inFull: false };

export interface Annex {
  custodian: string;
  items: { coordinate: string; uses: string[]; level: string }[];
}

export interface Draft {
  number: string;
  revision: number;
  annexes: Annex[];
  /** The form that it changes; none where it asks for one of its own. */
  form: string | null;
  difference: { coordinate: string }[];
}

const DRAFT = `mutation Draft($operation: String!, $variables: JSON, $purpose: PurposeInput!, $legalBasis: String!, $reason: String!, $from: Date, $until: Date, $level: Level) {
  draft: draftApplication(operation: $operation, variables: $variables, purpose: $purpose, legalBasis: $legalBasis, reason: $reason, from: $from, until: $until, level: $level) {
    number
    revision
    form
    difference { coordinate }
    annexes { custodian items { coordinate uses level } }
  }
}`;

/** The one operation that ran, with its fragments: a document of several would not say which of them is meant. */
export function theOperation({ query, operationName }: Question): string {
  const parts = separateOperations(parse(query));
  const one = operationName ? parts[operationName] : undefined;
  return one && Object.keys(parts).length > 1 ? print(one) : query;
}

export async function draft(question: Question, filled: Filled, purpose: { code: string; title: string }, headers: Record<string, string>): Promise<Draft> {
  const { legalBasis, reason, from, until, inFull } = filled;
  const level = inFull ? 'FULL' : 'MASKED';
  const variables = { operation: theOperation(question), variables: readVariables(question.variables), purpose, legalBasis, reason, from: from || null, until: until || null, level };
  return (await askProcedure(DRAFT, variables, headers)).draft as Draft;
}

/** A key for one content: sent twice it drafts once, changed it is another draft. Also works where no randomUUID is, on plain HTTP. */
export function newKey(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
