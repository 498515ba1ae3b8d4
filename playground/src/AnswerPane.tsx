// The answer, what was refused in it and why, and the number under which it is recorded.
import { useEffect, useState } from 'react';
import type { Answer, Problem } from './answer.ts';
import type { Draft, Filled } from './apply.ts';
import { useCopy } from './clipboard.ts';
import { Editor } from './Editor.tsx';
import { MissingPanel } from './MissingPanel.tsx';
import type { SessionState } from './session.ts';
import type { Words } from './words.ts';

interface Props {
  words: Words;
  session: SessionState;
  answer: Answer | null;
  running: boolean;
  /** What is filled in of an application for what was missing. */
  filled: Filled;
  onFilled: (filled: Filled) => void;
  onDraft: (draft: Draft) => void;
  onCoordinate: (type: string, field?: string) => void;
  onWrite: (query: string, variables: unknown) => void;
  onSignIn: () => void;
}

const REFUSALS = new Set(['FORBIDDEN', 'UNAUTHENTICATED', 'FORM_REQUIRED', 'PURPOSE_REQUIRED', 'DATASET_SUSPENDED', 'PASSWORD_EXPIRED']);

export function AnswerPane({ words, session, answer, running, filled, onFilled, onDraft, onCoordinate, onWrite, onSignIn }: Props) {
  const [shown, setShown] = useState<number | null>(null);
  useEffect(() => setShown(null), [answer]);

  return (
    <section className="pane answer" aria-label={words.answer} aria-busy={running}>
      <div className="bar">
        <Verdict words={words} answer={answer} running={running} />
      </div>
      {answer ? (
        <>
          {session.account === null && answer.status === 401 && (
            <p className="hint row" data-part="signed-out">
              {session.ended ? words.sessionEnded : words.signInToRun}
              <button className="main" onClick={onSignIn}>
                {words.signIn}
              </button>
            </p>
          )}
          {answer.problems.length > 0 && (
            <div className="problems" role="region" aria-label={words.refused} tabIndex={0}>
              <ul>
                {answer.problems.map((problem, index) => (
                  <Row key={index} words={words} problem={problem} line={answer.lines[index] ?? 0} onLine={setShown} onCoordinate={onCoordinate} />
                ))}
              </ul>
            </div>
          )}
          {answer.missing.length > 0 && (
            <MissingPanel words={words} session={session} answer={answer} filled={filled} onFilled={onFilled} onDraft={onDraft} onWrite={onWrite} onSignIn={onSignIn} />
          )}
          <Editor kind="answer" label={words.answer} text={answer.text} refused={answer.refused} shown={shown} />
          {answer.status > 0 && <Facts words={words} answer={answer} />}
        </>
      ) : (
        <div className="empty">
          <p>{words.nothingYet}</p>
          <p className="soft">{words.nothingHint}</p>
        </div>
      )}
    </section>
  );
}

function Facts({ words, answer }: { words: Words; answer: Answer }) {
  const [copied, copy] = useCopy();
  return (
    <dl className="facts">
      {answer.record && (
        <div title={words.recordHint}>
          <dt>{words.record}</dt>
          <dd>
            <button className="plain" onClick={() => copy(answer.record)} data-part="record" data-record={answer.record}>
              <code>{answer.record}</code> {copied && words.copying[copied]}
            </button>
          </dd>
        </div>
      )}
      {answer.cost && (
        <div title={words.costHint}>
          <dt>{words.cost}</dt>
          <dd data-part="cost">{answer.cost}</dd>
        </div>
      )}
      {answer.rows && (
        <div title={words.rowsHint}>
          <dt>{words.rows}</dt>
          <dd>{answer.rows}</dd>
        </div>
      )}
      <div>
        <dt>{words.time}</dt>
        <dd>{answer.milliseconds.toFixed(answer.milliseconds < 10 ? 1 : 0)} ms</dd>
      </div>
      <div>
        <dt>{words.size}</dt>
        <dd>{answer.bytes < 2048 ? `${answer.bytes} B` : `${(answer.bytes / 1024).toFixed(1)} KB`}</dd>
      </div>
    </dl>
  );
}

function Verdict({ words, answer, running }: { words: Words; answer: Answer | null; running: boolean }) {
  if (running) return <span className="verdict">{words.running}</span>;
  if (!answer) return <span className="verdict soft">{words.answer}</span>;
  const refused = answer.problems.filter(({ code }) => REFUSALS.has(code)).length;
  let text: string = words.complete;
  let kind = 'good';
  if (answer.problems.length > 0) {
    kind = refused > 0 ? 'warn' : 'bad';
    if (!answer.data) text = refused > 0 ? words.wholeRefused : words.problems(answer.problems.length);
    else text = refused === answer.problems.length ? words.refusedFields(refused) : words.problems(answer.problems.length);
  }
  return (
    <span className={`verdict ${kind}`} role="status" data-part="verdict">
      {text}
    </span>
  );
}

interface RowProps {
  words: Words;
  problem: Problem;
  line: number;
  onLine: (line: number) => void;
  onCoordinate: (type: string, field?: string) => void;
}

function Row({ words, problem, line, onLine, onCoordinate }: RowProps) {
  const [type = '', field] = problem.coordinate.split('.');
  const refusal = REFUSALS.has(problem.code);
  const where = [
    problem.custodian && `${words.custodian}: ${problem.custodian}`,
    problem.dataset && `${words.dataset}: ${problem.dataset}`,
    problem.clause && words.ofClause(problem.clause),
    ...problem.places.map(({ line, column }) => words.inQuery(line, column)),
  ].filter(Boolean);
  return (
    <li className={refusal ? 'refusal' : 'fault'} data-code={problem.code}>
      <div className="row">
        <span className="code">{problem.code || '—'}</span>
        {problem.coordinate && (
          <button className="plain" onClick={() => onCoordinate(type, field)} title={words.showInSchema}>
            <code>{problem.coordinate}</code>
          </button>
        )}
        {problem.use && <span className="chip">{words.uses[problem.use] ?? problem.use}</span>}
        <span className="gap" />
        {line > 0 && (
          <button className="plain small" onClick={() => onLine(line)}>
            {words.showInAnswer}
          </button>
        )}
      </div>
      <p>{problem.message}</p>
      {where.length > 0 && <p className="soft">{where.join(' · ')}</p>}
    </li>
  );
}
