// Holds what the parts of the page share: language, session, form in use, query, answer. The parts only show it.
import { parse } from 'graphql';
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { AnswerPane } from './AnswerPane.tsx';
import { readVariables } from './answer.ts';
import type { Draft } from './apply.ts';
import { useDesk } from './desk.ts';
import { Docs, type Place } from './Docs.tsx';
import { Inbox } from './Inbox.tsx';
import { Operations } from './Operations.tsx';
import { operations, type Operation } from './operations.ts';
import { QueryPane } from './QueryPane.tsx';
import { useRun } from './run.ts';
import { useSchema } from './schema.ts';
import { loadDemoAccounts, type DemoAccount } from './server.ts';
import { useSession } from './session.ts';
import { SignIn } from './SignIn.tsx';
import { Splitter } from './Splitter.tsx';
import { Tabs } from './Tabs.tsx';
import { TopBar } from './TopBar.tsx';
import { headersOf } from './under.ts';
import { startLanguage, wordsOf, type Language } from './words.ts';

/** The ready-made operation that "Apply for it" stands for: who walks the procedure goes on from either. */
const DRAFT = operations.find(({ id }) => id === 'procedure/02-draft-from-a-refused-query');

/** Where the side panel has a place of its own; elsewhere it lies above the rest (style.css). */
const WIDE = '(min-width: 901px)';

export function App() {
  const [language, setLanguage] = useState<Language>(startLanguage);
  const words = wordsOf(language);
  const session = useSession(language);
  const schema = useSchema(session.account, session.headers);
  const { answer, running, run, stop, clear } = useRun(session);
  const [demo, setDemo] = useState<DemoAccount[]>([]);
  const desk = useDesk(session, demo.length > 0, clear);
  const { operation, query, variables, under, answered } = desk;
  const [signingIn, setSigningIn] = useState(false);
  const [side, setSide] = useState<'operations' | 'docs' | null>(() => (matchMedia(WIDE).matches ? 'operations' : null));
  const [place, setPlace] = useState<Place | null>(null);
  const [chosenName, setChosenName] = useState<string | null>(null);
  const split = useRef<HTMLDivElement>(null);

  useEffect(() => {
    document.documentElement.lang = language === 'en' ? 'en' : 'zh-Hant-TW';
    localStorage.setItem('language', language);
  }, [language]);
  useEffect(() => void loadDemoAccounts().then(setDemo), []);

  const choose = (next: Operation | null) => {
    desk.choose(next);
    setChosenName(null);
    clear();
  };

  /** Puts a next step into the editor, ready to be run. */
  const write = (next: string, values: unknown) => {
    desk.write(next, values);
    setChosenName(null);
    document.getElementById('query')?.focus();
  };

  const names = useMemo(() => {
    try {
      return parse(query).definitions.flatMap((part) => (part.kind === 'OperationDefinition' && part.name ? [part.name.value] : []));
    } catch {
      return null; // while it is being written
    }
  }, [query]);
  const name = chosenName && names?.includes(chosenName) ? chosenName : (names?.[0] ?? null);

  const underHeaders = useMemo(() => headersOf(under), [under]);

  const start = useCallback(async () => {
    const question = { query, variables, operationName: name, under: session.account ? Object.fromEntries(underHeaders) : {} };
    const next = await run(question, words);
    if (!next || next.problems.length > 0 || operation?.name !== name) return;
    answered(operation, readVariables(variables), JSON.parse(next.text));
  }, [answered, name, operation, query, run, session.account, underHeaders, variables, words]);

  const drafted = ({ number, revision }: Draft) => {
    if (DRAFT) answered(DRAFT, {}, { data: { draftApplication: { number, revision } } });
  };

  // Ctrl + Enter runs from anywhere on the page but a dialog, which may be about the answer that this would replace;
  // inside the editors their own key map has taken it already.
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey) || event.defaultPrevented) return;
      if (event.target instanceof Element && event.target.closest('dialog')) return;
      event.preventDefault();
      void start();
    };
    document.addEventListener('keydown', press);
    return () => document.removeEventListener('keydown', press);
  }, [start]);

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
        onUnder={desk.setUnder}
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
            <button className="plain icon side-close" onClick={() => setSide(null)} aria-label={words.hidePanel} title={words.hidePanel}>
              ✕
            </button>
            {side === 'operations' ? (
              <Operations words={words} language={language} demo={demo} session={session} chosen={operation} filled={desk.filledIn} onChoose={choose} onSignIn={() => setSigningIn(true)} />
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
          running={running}
          signedIn={session.account !== null}
          onQuery={desk.setQuery}
          onVariables={desk.setVariables}
          onName={setChosenName}
          onRun={() => void start()}
          onStop={stop}
          onShowInDocs={(field, type, parent) => showInDocs(parent ?? type ?? 'Query', parent ? field : undefined)}
        />
        <Splitter label={words.resize} container={split} />
        <AnswerPane
          words={words}
          session={session}
          answer={answer}
          running={running}
          filled={desk.application}
          onFilled={desk.setApplication}
          onDraft={drafted}
          onCoordinate={showInDocs}
          onWrite={write}
          onSignIn={() => setSigningIn(true)}
        />
      </main>
      {signingIn && <SignIn words={words} language={language} demo={demo} session={session} onClose={() => setSigningIn(false)} />}
    </div>
  );
}
