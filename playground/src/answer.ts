// Runs an operation and reads its answer: text with a line for every path, refusals, what was missing, the record's id
// and the cost.
import type { Words } from './words.ts';

export interface Problem {
  message: string;
  code: string;
  /** Schema coordinate, `Person.name`. */
  coordinate: string;
  dataset: string;
  custodian: string;
  /** The use that was refused: select, filter, order … */
  use: string;
  /** Clause of the operating procedure that the refusal rests on. */
  clause: string;
  path: (string | number)[];
  /** Where in the query. */
  places: { line: number; column: number }[];
}

/** What an operation used and the form in use does not grant, of one custodian. */
export interface Missing {
  custodian: string;
  title: string;
  items: { coordinate: string; uses: string[] }[];
}

export interface Answer {
  /** What was asked: an application for what is missing is drafted from the same. */
  question: Question;
  status: number;
  milliseconds: number;
  bytes: number;
  text: string;
  problems: Problem[];
  /** The first line of the text that belongs to each problem; 0 where it has none. */
  lines: number[];
  /** All lines that a refusal has emptied. */
  refused: number[];
  missing: Missing[];
  data: boolean;
  record: string;
  cost: string;
  rows: string;
}

export interface Question {
  query: string;
  variables: string;
  operationName: string | null;
  /** Form, purpose and case number, as headers. */
  under: Record<string, string>;
}

/** Header values are ASCII; a case number may be Chinese and travels percent-encoded, and so does a percent sign. */
export function headerValue(text: string): string {
  return /^[\x20-\x24\x26-\x7e]*$/.test(text) ? text : encodeURIComponent(text);
}

export function readVariables(text: string): unknown {
  return text.trim() === '' ? undefined : JSON.parse(text);
}

export async function ask(question: Question, identity: Record<string, string>, words: Words, signal: AbortSignal): Promise<Answer> {
  const failed = (message: string, code: string) => read(JSON.stringify({ errors: [{ message, extensions: { code } }] }), 0, 0, question);
  let variables: unknown;
  try {
    variables = readVariables(question.variables);
  } catch (error) {
    return failed(`${words.badVariables}: ${(error as Error).message}`, 'BAD_USER_INPUT');
  }
  const start = performance.now();
  let response: Response;
  let raw: string;
  try {
    response = await fetch('/graphql', {
      method: 'POST',
      headers: { ...identity, ...question.under, 'Content-Type': 'application/json', Accept: 'application/graphql-response+json, application/json' },
      body: JSON.stringify({ query: question.query, variables, operationName: question.operationName ?? undefined }),
      signal,
    });
    raw = await response.text();
  } catch (error) {
    if (signal.aborted) throw error;
    return failed(words.unreachable, 'UNREACHABLE');
  }
  return read(raw, response.status, performance.now() - start, question);
}

type Bag = Record<string, unknown>;

function read(raw: string, status: number, milliseconds: number, question: Question): Answer {
  let body: Bag;
  try {
    body = JSON.parse(raw) as Bag;
  } catch {
    body = { errors: [{ message: raw.slice(0, 500) || `HTTP ${status}`, extensions: { code: String(status) } }] };
  }
  const errors = (Array.isArray(body.errors) ? body.errors : []) as Bag[];
  const extensions = (body.extensions ?? {}) as Bag;
  const missing = readMissing(extensions.missing);
  const problems = errors.map((error) => readProblem(error, missing));
  const { text, places } = print(body);
  const found = problems.map((problem) => (problem.path.length > 0 ? places(problem.path) : []));
  return {
    question,
    status,
    milliseconds,
    bytes: new TextEncoder().encode(raw).length,
    text,
    problems,
    lines: found.map((lines) => lines[0] ?? 0),
    refused: [...new Set(found.flat())],
    missing,
    data: body.data !== undefined && body.data !== null,
    record: typeof extensions.audit === 'string' ? extensions.audit : '',
    ...readCost(extensions.cost),
  };
}

function readProblem(error: Bag, missing: Missing[]): Problem {
  const extensions = (error.extensions ?? {}) as Bag;
  const text = (value: unknown) => (typeof value === 'string' ? value : '');
  const locations = (Array.isArray(error.locations) ? error.locations : []) as Problem['places'];
  const custodian = text(extensions.custodian);
  return {
    message: text(error.message),
    code: text(extensions.code),
    coordinate: text(extensions.coordinate),
    dataset: text(extensions.dataset),
    custodian: text(extensions.custodianTitle) || (missing.find((one) => one.custodian === custodian)?.title ?? custodian),
    use: text(extensions.use),
    clause: text(extensions.clause),
    path: Array.isArray(error.path) ? (error.path as (string | number)[]) : [],
    places: locations,
  };
}

function readMissing(missing: unknown): Missing[] {
  const bags = (value: unknown) => (Array.isArray(value) ? value : []) as Bag[];
  return bags(missing).map(({ custodian, custodianTitle, items }) => ({
    custodian: String(custodian),
    title: String(custodianTitle ?? custodian),
    items: bags(items).map(({ coordinate, uses }) => ({ coordinate: String(coordinate), uses: (Array.isArray(uses) ? uses : []).map(String) })),
  }));
}

/** The cost as estimated before it ran, and the rows that it loaded. */
function readCost(cost: unknown): { cost: string; rows: string } {
  const bag = (cost ?? {}) as Bag;
  const number = (value: unknown) => (typeof value === 'number' ? value.toLocaleString('en') : '');
  return { cost: number(bag.estimated), rows: number(bag.rows) };
}

/**
 * JSON with two spaces, and for a path the lines on which its nulls stand. A refused field is null in every row of a
 * list, and its error may name one of them or none; so a path is compared by names alone.
 */
function print(body: Bag): { text: string; places: (path: (string | number)[]) => number[] } {
  const lines: string[] = [];
  const nulls = new Map<string, number[]>();
  const write = (value: unknown, before: string, after: string, indent: string, path: string) => {
    if (value === null && path.startsWith('data/')) {
      nulls.set(path, [...(nulls.get(path) ?? []), lines.length + 1]);
    }
    if (typeof value !== 'object' || value === null) {
      lines.push(`${indent}${before}${JSON.stringify(value)}${after}`);
      return;
    }
    const list = Array.isArray(value);
    const entries = Object.entries(value);
    if (entries.length === 0) {
      lines.push(`${indent}${before}${list ? '[]' : '{}'}${after}`);
      return;
    }
    lines.push(`${indent}${before}${list ? '[' : '{'}`);
    entries.forEach(([key, entry], index) => {
      const comma = index + 1 < entries.length ? ',' : '';
      write(entry, list ? '' : `${JSON.stringify(key)}: `, comma, `${indent}  `, list ? path : path ? `${path}/${key}` : key);
    });
    lines.push(`${indent}${list ? ']' : '}'}${after}`);
  };
  write(body, '', '', '', '');
  const key = (path: (string | number)[]) => ['data', ...path.filter((part) => typeof part === 'string')].join('/');
  return { text: lines.join('\n'), places: (path) => nulls.get(key(path)) ?? [] };
}
