// What the ready-made operations of a walk have answered, as far as those after them take their variables from it.
import { operations, type Operation, type Take } from './operations.ts';

// Of an answer only what another operation takes is kept, numbers and codes; never the rows of a query. Its key says where
// it was taken from: `procedure/14 /data/drawInspection/entries/*/record`.
export type Walk = Record<string, unknown>;

const at = ({ group }: Operation, number: string, what: string) => `${group}/${number} ${what}`;
const covers = ({ first, last }: Take, number: string) => first <= number && number <= last;
const oneOfMany = ({ pointer }: Take) => pointer.includes('/*');

/** The walk after one more answer; `variables` are what it was asked with. */
export function remember(walk: Walk, operation: Operation, variables: unknown, answer: unknown): Walk {
  const next = { ...walk };
  const { number } = operation;
  const later = takersOf(operation);
  // What was built on an earlier answer to this is over, and so is the list of what it was done for.
  for (const key of Object.keys(next)) if (later.some((one) => key.startsWith(at(one, one.number, '')))) delete next[key];
  for (const take of later.flatMap(({ takes }) => takes).filter((one) => covers(one, number))) {
    next[at(operation, number, take.pointer)] = find(answer, take.pointer.split('/').slice(1));
  }
  for (const { variable } of operation.takes.filter(oneOfMany)) {
    const key = at(operation, number, variable);
    next[key] = [...listOf(next[key]), (variables as Record<string, unknown> | undefined)?.[variable]];
  }
  return next;
}

/** Those that take from it, and from those in turn. */
function takersOf({ group, number }: Operation): Operation[] {
  const direct = operations.filter((one) => one.group === group && one.takes.some((take) => covers(take, number)));
  return [...new Set(direct.flatMap((one) => [one, ...takersOf(one)]))];
}

/** The variables, with what the answers of this walk give in place of what a fresh demonstration gives. */
export function fillIn(operation: Operation, walk: Walk): { variables: string; filled: string[] } {
  const filled: string[] = [];
  if (operation.takes.length === 0) return { variables: operation.variables, filled };
  const variables = JSON.parse(operation.variables) as Record<string, unknown>;
  for (const take of operation.takes) {
    const from = operations.filter(({ group, number }) => group === operation.group && covers(take, number));
    const found = from.map(({ number }) => walk[at(operation, number, take.pointer)]).findLast((value) => value !== undefined);
    const value = oneOfMany(take) ? nextOf(listOf(found), listOf(walk[at(operation, operation.number, take.variable)])) : found;
    if (value === undefined) continue;
    variables[take.variable] = value;
    filled.push(take.variable);
  }
  return { variables: filled.length > 0 ? JSON.stringify(variables, null, 2) : operation.variables, filled };
}

/** The first that has not had its turn; the last when all have. */
function nextOf(all: unknown[], done: unknown[]): unknown {
  return all.find((value) => !done.includes(value)) ?? all.at(-1);
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

/** Follows a JSON pointer; `*` stands for each of a list. */
function find(value: unknown, [key, ...rest]: string[]): unknown {
  if (key === undefined) return value;
  if (key === '*') return listOf(value).map((one) => find(one, rest));
  return find((value as Record<string, unknown> | null | undefined)?.[key], rest);
}
