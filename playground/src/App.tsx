// Holds what the parts of the page share: language, session, form in use, query, answer. The parts only show it.
import { parse } from 'graphql';
import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react';
import { AnswerPane } from './AnswerPane.tsx';
import { ask, headerValue, type Answer } from './answer.ts';
import { Docs, type Place } from './Docs.tsx';
import { Inbox } from './Inbox.tsx';
import { Operations } from './Operations.tsx';
import { fillIn, operations, type Operation } from './operations.ts';
import { QueryPane } from './QueryPane.tsx';
import { useSchema } from './schema.ts';
import { loadDemoAccounts, type DemoAccount } from './server.ts';
import { useSession } from './session.ts';
import { SignIn } from './SignIn.tsx';
import { Splitter } from './Splitter.tsx';
import { TopBar, type Under } from './TopBar.tsx';
import { Tabs } from './Tabs.tsx';
import { startLanguage, wordsOf, type Language } from './words.ts';

/** Only the query outlives a reload: variables may carry identity numbers. */
const KEPT_QUERY = 'query';
const FIRST = operations[0];

export function App() {
  const [language, setLanguage] = useState<Language>(startLanguage);
  const words = wordsOf(language);
  const session = useSession(language);
  const schema = useSchema(session.account, session.headers);
  const [demo, setDemo] = useState<DemoAccount[]>([]);
  const [signingIn, setSigningIn] = useState(false);
  const [side, setSide] = useState<'operations' | 'docs' | null>('operations');
  const [place, setPlace] = useState<Place | null>(null);
  const [operation, setOperation] = useState<Operation | null>(null);
  const [query, setQuery] = useState(() => sessionStorage.getItem(KEPT_QUERY) ?? FIRST?.query ?? '');
  const [variables, setVariables] = useState('');
  const [chosenName, setChosenName] = useState<string | null>(null);
  const [under, setUnder] = useState<Under>({ form: '', purpose: '', caseNumber: '' });
  const [answer, setAnswer] = useState<Answer | null>(null);
  const [running, setRunning] = useState<AbortController | null>(null);
  const split = useRef<HTMLDivElement>(null);
  /** Answers of ready-made operations, for the variables of those after them; kept as long as the page is. */
  const answers = useRef(new Map<string, unknown>());
  const [filled, setFilled] = useState<string[]>([]);

  useEffect(() => {
    document.documentElement.lang = language === 'en' ? 'en' : 'zh-Hant-TW';
    localStorage.setItem('language', language);
  }, [language]);
  useEffect(() => void loadDemoAccounts().then(setDemo), []);
  useEffect(() => void sessionStorage.setItem(KEPT_QUERY, query), [query]);

  const choose = useCallback((next: Operation | null) => {
    setOperation(next);
    setQuery(next?.query ?? '');
    const values = next ? fillIn(next, answers.current) : { variables: '', filled: [] };
    setVariables(values.variables);
    setFilled(values.filled);
    setChosenName(null);
    setAnswer(null);
    if (next) setUnder((old) => ({ ...old, purpose: next.purpose, caseNumber: next.caseNumber }));
  }, []);

  // A page opened for the first time shows the query that the whole system is judged by; a reloaded one what it showed.
  useEffect(() => {
    const shown = operations.find((entry) => entry.query === query);
    if (shown) choose(shown);
    // Once, at the start.
  }, []);

  // A person's form and purpose are chosen as far as they can be: one that serves the operation, else the first. Before
  // the page is painted: nobody runs an operation under a form that is shown and not yet chosen.
  useLayoutEffect(() => {
    const forms = session.person?.forms ?? [];
    setUnder((old) => {
      const wanted = operation?.purpose ?? old.purpose;
      const form =
        forms.find(({ purposes }) => purposes.some(({ code }) => code === wanted)) ?? forms.find(({ number }) => number === old.form) ?? forms[0];
      const purpose = form?.purposes.find(({ code }) => code === wanted) ?? form?.purposes[0];
      return { ...old, form: form?.number ?? '', purpose: purpose?.code ?? wanted ?? '' };
    });
  }, [operation, session.person]);

  const names = useMemo(() => {
    try {
      return parse(query).definitions.flatMap((part) => (part.kind === 'OperationDefinition' && part.name ? [part.name.value] : []));
    } catch {
      return null; // while it is being written
    }
  }, [query]);
  const name = chosenName && names?.includes(chosenName) ? chosenName : (names?.[0] ?? null);

  const underHeaders = useMemo(() => {
    const lines: [string, string][] = [];
    if (under.form) lines.push(['X-Form', headerValue(under.form)]);
    if (under.purpose) lines.push(['X-Purpose', headerValue(under.purpose)]);
    if (under.caseNumber.trim()) lines.push(['X-Case-Number', headerValue(under.caseNumber.trim())]);
    return lines;
  }, [under]);

  const run = useCallback(async () => {
    if (running) return;
    const controller = new AbortController();
    setRunning(controller);
    try {
      const identity = await session.headers();
      const question = { query, variables, operationName: name, under: session.account ? Object.fromEntries(underHeaders) : {} };
      const next = await ask(question, identity, words, controller.signal);
      if (operation?.group === 'procedure' && operation.name === name && next.problems.length === 0) {
        answers.current.set(`${operation.group}/${operation.number}`, JSON.parse(next.text));
      }
      setAnswer(next);
    } catch {
      // stopped by hand; the answer before stays
    } finally {
      setRunning(null);
    }
  }, [name, operation, query, running, session, underHeaders, variables, words]);

  // Ctrl + Enter runs from anywhere on the page but a dialog, which may be about the answer that this would replace;
  // inside the editors their own key map has taken it already.
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey) || event.defaultPrevented) return;
      if (event.target instanceof Element && event.target.closest('dialog')) return;
      event.preventDefault();
      void run();
    };
    document.addEventListener('keydown', press);
    return () => document.removeEventListener('keydown', press);
  }, [run]);

  /** Puts a next step into the editor, ready to be run. */
  const write = useCallback((next: string, values: unknown) => {
    setOperation(null);
    setQuery(next);
    setVariables(JSON.stringify(values, null, 2));
    setChosenName(null);
    document.getElementById('query')?.focus();
  }, []);

  const showInDocs = useCallback((type: string, field?: string) => {
    setSide('docs');
    setPlace({ type, field });
  }, []);

  return (
    <div className="app">
      <a className="skip" href="#query">
        {words.skip}
      </a>
      <TopBar
        words={words}
        session={session}
        under={under}
        onUnder={setUnder}
        onLanguage={() => setLanguage(language === 'en' ? 'zh-Hant' : 'en')}
        onSignIn={() => setSigningIn(true)}
        sideOpen={side !== null}
        onSide={() => setSide(side === null ? 'operations' : null)}
        inbox={<Inbox words={words} language={language} session={session} onWrite={write} />}
      />
      <main className="work" ref={split}>
        {side !== null && (
          <aside className="side" aria-label={words.panel}>
            <Tabs
              tabs={[
                ['operations', words.operations],
                ['docs', words.schema],
              ]}
              chosen={side}
              onChoose={setSide}
            />
            {side === 'operations' ? (
              <Operations words={words} language={language} demo={demo} session={session} chosen={operation} filled={filled} onChoose={choose} onSignIn={() => setSigningIn(true)} />
            ) : (
              <Docs words={words} state={schema} place={place} onPlace={setPlace} />
            )}
          </aside>
        )}
        <QueryPane
          words={words}
          schema={schema.kind === 'ready' ? schema.schema : null}
          query={query}
          variables={variables}
          names={names ?? []}
          name={name}
          headers={underHeaders}
          running={running !== null}
          signedIn={session.account !== null}
          onQuery={setQuery}
          onVariables={setVariables}
          onName={setChosenName}
          onRun={() => void run()}
          onStop={() => running?.abort()}
          onShowInDocs={(field, type, parent) => showInDocs(parent ?? type ?? 'Query', parent ? field : undefined)}
        />
        <Splitter label={words.resize} container={split} />
        <AnswerPane words={words} session={session} answer={answer} running={running !== null} onCoordinate={showInDocs} onWrite={write} />
      </main>
      {signingIn && <SignIn words={words} demo={demo} session={session} onClose={() => setSigningIn(false)} />}
    </div>
  );
}
