// What an answer lacked, by custodian, and the way to apply for it.
import { useState } from 'react';
import type { Answer } from './answer.ts';
import { Apply } from './Apply.tsx';
import type { Draft, Filled } from './apply.ts';
import { FREE, loadTerms, type Terms } from './offers.ts';
import type { SessionState } from './session.ts';
import type { Words } from './words.ts';

interface Props {
  words: Words;
  session: SessionState;
  answer: Answer;
  filled: Filled;
  onFilled: (filled: Filled) => void;
  onDraft: (draft: Draft) => void;
  onWrite: (query: string, variables: unknown) => void;
  onSignIn: () => void;
}

export function MissingPanel({ words, session, answer, filled, onFilled, onDraft, onWrite, onSignIn }: Props) {
  /** Under which terms one is applying; null when one is not. */
  const [terms, setTerms] = useState<Terms | null>(null);
  const [drafted, setDrafted] = useState<{ of: Answer; draft: Draft } | null>(null);
  const draft = drafted?.of === answer ? drafted.draft : null;
  const open = async () => {
    const custodians = answer.missing.map(({ custodian }) => custodian);
    setTerms(await session.acting((headers) => loadTerms(custodians, headers)).catch(() => FREE));
  };
  return (
    <section className="missing" aria-labelledby="missing-title" data-part="missing">
      <div className="row">
        <h3 id="missing-title">{words.missing}</h3>
        {draft && (
          <span className="chip class-open" data-part="drafted">
            ✓ {draft.number}
          </span>
        )}
        <span className="gap" />
        <button className="main" onClick={() => void open()} data-part="apply">
          {words.applyFor}
        </button>
      </div>
      <dl tabIndex={0} aria-label={words.missing}>
        {answer.missing.map(({ custodian, title, items }) => (
          <div key={custodian}>
            <dt>{title}</dt>
            {items.map(({ coordinate, uses }) => (
              <dd key={coordinate}>
                <code>{coordinate}</code> <Uses words={words} uses={uses} />
              </dd>
            ))}
          </div>
        ))}
      </dl>
      {terms && (
        <Apply
          words={words}
          session={session}
          answer={answer}
          terms={terms}
          filled={filled}
          onFilled={onFilled}
          draft={draft}
          onDraft={(next) => {
            setDrafted({ of: answer, draft: next });
            onDraft(next);
          }}
          onWrite={onWrite}
          onSignIn={onSignIn}
          onClose={() => setTerms(null)}
        />
      )}
    </section>
  );
}

export function Uses({ words, uses }: { words: Words; uses: string[] }) {
  return uses.map((use) => (
    <span className="chip" key={use}>
      {words.uses[use.toLowerCase()] ?? use}
    </span>
  ));
}
