// What an answer lacked, by custodian, and the way to apply for it. What was filled in stays while the page does.
import { useState } from 'react';
import type { Answer } from './answer.ts';
import { Apply } from './Apply.tsx';
import type { Draft, Filled } from './apply.ts';
import type { SessionState } from './session.ts';
import type { Words } from './words.ts';

interface Props {
  words: Words;
  session: SessionState;
  answer: Answer;
  onWrite: (query: string, variables: unknown) => void;
}

export function MissingPanel({ words, session, answer, onWrite }: Props) {
  const [applying, setApplying] = useState(false);
  const [filled, setFilled] = useState<Filled>({ purpose: answer.question.under['X-Purpose'] ?? '', code: '', title: '', legalBasis: '', reason: '', from: '', until: '' });
  const [drafted, setDrafted] = useState<{ of: Answer; draft: Draft } | null>(null);
  const draft = drafted?.of === answer ? drafted.draft : null;
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
        <button className="main" onClick={() => setApplying(true)} data-part="apply">
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
      {applying && (
        <Apply
          words={words}
          session={session}
          answer={answer}
          filled={filled}
          onFilled={setFilled}
          draft={draft}
          onDraft={(next) => setDrafted({ of: answer, draft: next })}
          onWrite={onWrite}
          onClose={() => setApplying(false)}
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
