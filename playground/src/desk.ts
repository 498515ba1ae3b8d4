// What lies on the desk: the chosen operation, query, variables, form, purpose and case, what the walk has answered so far,
// and what is filled in of an application. It outlives a reload, and it belongs to one account.
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from 'react';
import { BLANK, type Filled } from './apply.ts';
import { operations, type Operation } from './operations.ts';
import type { SessionState } from './session.ts';
import { NOTHING, settle, type Under } from './under.ts';
import { fillIn, remember, type Walk } from './walk.ts';

interface Kept {
  account: string | null;
  query: string;
  variables: string;
  under: Under;
  walk: Walk;
}

const KEPT = 'desk';

/** The query is there for whoever comes next; the rest may carry identity numbers and is for its account only. */
function restore(account: string | null): Kept {
  const fresh = { account, query: operations[0]?.query ?? '', variables: operations[0]?.variables ?? '', under: NOTHING, walk: {} };
  try {
    const kept = JSON.parse(sessionStorage.getItem(KEPT) ?? 'null') as Kept | null;
    if (!kept) return fresh;
    return kept.account === account ? kept : { ...fresh, query: kept.query, variables: operationOf(kept.query)?.variables ?? '' };
  } catch {
    return fresh;
  }
}

function operationOf(query: string): Operation | null {
  return operations.find((entry) => entry.query === query) ?? null;
}

export interface Desk {
  operation: Operation | null;
  query: string;
  variables: string;
  /** Variables that came from earlier answers. */
  filledIn: string[];
  under: Under;
  application: Filled;
  setQuery: (query: string) => void;
  setVariables: (variables: string) => void;
  setUnder: (under: Under) => void;
  setApplication: (filled: Filled) => void;
  /** Takes a ready-made operation, or an empty sheet. */
  choose: (next: Operation | null) => void;
  /** Puts a next step down, ready to be run. */
  write: (query: string, values: unknown) => void;
  /** Keeps what later operations take from an answer to a ready-made one. */
  answered: (operation: Operation, variables: unknown, answer: unknown) => void;
}

/** `onCleared` is called when somebody else sits down, or nobody: what was answered before is not theirs to see. */
export function useDesk({ account, person, ended }: SessionState, isDemo: boolean, onCleared: () => void): Desk {
  const [kept] = useState(() => restore(account));
  const [operation, setOperation] = useState(() => operationOf(kept.query));
  const [query, setQuery] = useState(kept.query);
  const [variables, setVariables] = useState(kept.variables);
  const [under, setUnder] = useState(() => (kept.under === NOTHING && operation ? { ...NOTHING, purpose: operation.purpose } : kept.under));
  const [walk, setWalk] = useState(kept.walk);
  const [filledIn, setFilledIn] = useState<string[]>(() => (operation ? fillIn(operation, kept.walk).filled : []));
  const [application, setApplication] = useState(BLANK);
  const [whose, setWhose] = useState(account);
  const before = useRef(account);
  /** The account whose forms were settled last. */
  const settled = useRef(kept.under === NOTHING ? null : account);

  // The case numbers of the ready-made operations are made up: outside the demonstration nobody asks under one of them.
  useEffect(() => {
    if (isDemo && kept.under === NOTHING) setUnder((old) => ({ ...old, caseNumber: old.caseNumber || (operation?.caseNumber ?? '') }));
    // When it becomes known, and not for another operation: `choose` sees to that.
  }, [isDemo]);

  useEffect(() => {
    sessionStorage.setItem(KEPT, JSON.stringify({ account: whose, query, variables, under, walk } satisfies Kept));
  }, [query, under, variables, walk, whose]);

  // Before the page is painted: nobody sees what is somebody else's, or asks under a form that is shown and not yet chosen.
  // A session that ended by itself leaves everything as it is; its person comes back, or another one does.
  useLayoutEffect(() => {
    const switched = before.current !== null || whose === null;
    before.current = account;
    if (account === whose || (account === null && ended)) return;
    setWhose(account);
    onCleared();
    setApplication(BLANK);
    setUnder((old) => ({ ...old, form: '', caseNumber: isDemo ? (operation?.caseNumber ?? '') : '' }));
    // From one account to the next a walk goes on, with its numbers. Whoever signs out takes everything along, and so it is
    // when another person comes after a session that ended.
    if (account !== null && switched) return;
    setVariables(operation?.variables ?? '');
    setFilledIn([]);
    setWalk({});
  }, [account, ended, isDemo, onCleared, operation, whose]);

  // What was chosen stays while it is held, whatever else is told anew; what the operation wishes for counts once for each
  // account, and when it is chosen.
  useLayoutEffect(() => {
    if (!person) return;
    const wished = settled.current === person.account ? '' : (operation?.purpose ?? '');
    settled.current = person.account;
    setUnder((old) => settle(person.forms, old, wished));
    // Not for another operation: `choose` sees to that.
  }, [person]);

  const choose = useCallback(
    (next: Operation | null) => {
      const values = next ? fillIn(next, walk) : { variables: '', filled: [] };
      setOperation(next);
      setQuery(next?.query ?? '');
      setVariables(values.variables);
      setFilledIn(values.filled);
      setUnder((old) => {
        const own = isDemo && old.caseNumber === operation?.caseNumber ? '' : old.caseNumber;
        if (!next) return { ...old, caseNumber: own };
        return { ...settle(person?.forms ?? [], old, next.purpose), caseNumber: isDemo ? next.caseNumber : own };
      });
    },
    [isDemo, operation, person, walk],
  );

  const write = useCallback((next: string, values: unknown) => {
    setOperation(null);
    setQuery(next);
    setVariables(JSON.stringify(values, null, 2));
    setFilledIn([]);
  }, []);

  const answered = useCallback((of: Operation, asked: unknown, answer: unknown) => setWalk((old) => remember(old, of, asked, answer)), []);

  return { operation, query, variables, filledIn, under, application, setQuery, setVariables, setUnder, setApplication, choose, write, answered };
}
