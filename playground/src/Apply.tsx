// The dialog that drafts an application for what an answer lacked, under the form that it was asked under; then the
// number of the draft, what its annexes ask for, and whose turn it is.
import { useEffect, useRef, useState, type FormEvent } from 'react';
import type { Answer } from './answer.ts';
import { draft as sendDraft, newKey, type Draft, type Filled } from './apply.ts';
import { Dialog } from './Dialog.tsx';
import { Uses } from './MissingPanel.tsx';
import { HAND_IN, SHOW_APPLICATION } from './next.ts';
import { dayAfter, today, type Terms } from './offers.ts';
import { Refusal } from './server.ts';
import type { SessionState } from './session.ts';
import type { Words } from './words.ts';

interface Props {
  words: Words;
  session: SessionState;
  answer: Answer;
  terms: Terms;
  filled: Filled;
  onFilled: (filled: Filled) => void;
  draft: Draft | null;
  onDraft: (draft: Draft) => void;
  onWrite: (query: string, variables: unknown) => void;
  onSignIn: () => void;
  onClose: () => void;
}

export function Apply({ words, session, answer, terms, filled, onFilled, draft, onDraft, onWrite, onSignIn, onClose }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const first = useRef<HTMLSelectElement>(null);
  const sent = useRef({ content: '', key: '' });
  const [trouble, setTrouble] = useState('');
  const [busy, setBusy] = useState(false);
  const form = answer.question.under['X-Form'];
  const asked = answer.question.under['X-Purpose'] ?? '';
  const offered = terms.purposes.length > 0;
  const purposes = offered ? terms.purposes : (session.person?.forms.find(({ number }) => number === form)?.purposes ?? []);
  const wanted = filled.purpose ?? asked;
  const known = purposes.find(({ code }) => code === wanted) ?? (offered ? purposes[0] : undefined);
  const code = filled.code ?? asked;
  const bases = terms.legalBases;
  const legalBasis = bases.length === 0 || bases.includes(filled.legalBasis) ? filled.legalBasis : (bases[0] ?? '');
  const from = filled.from || today();
  const set = (part: Partial<Filled>) => onFilled({ ...filled, ...part });

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (busy) return;
    setBusy(true);
    setTrouble('');
    try {
      const purpose = known ?? { code: code.trim(), title: filled.title.trim() };
      const whole = { ...filled, legalBasis };
      const content = JSON.stringify([whole, purpose, answer.question]);
      if (sent.current.content !== content) sent.current = { content, key: newKey() };
      const under = { ...answer.question.under, 'Idempotency-Key': sent.current.key };
      onDraft(await session.acting((headers) => sendDraft(answer.question, whole, purpose, { ...headers, ...under })));
    } catch (error) {
      setTrouble(error instanceof Refusal ? error.message : words.unreachable);
    } finally {
      setBusy(false);
    }
  };

  const write = (query: string, variables: unknown) => {
    dialog.current?.close();
    onWrite(query, variables);
  };

  return (
    <Dialog words={words} dialog={dialog} name="apply" title={words.applyTitle} first={first} onClose={onClose}>
      {draft ? (
        <Drafted words={words} answer={answer} draft={draft} form={form} handsIn={session.person?.roles.includes('business-administrator') ?? false} onWrite={write} />
      ) : (
        <form onSubmit={(event) => void submit(event)}>
          <p className="soft">{words.applyHint}</p>
          <label>
            {words.purpose}
            <select value={known?.code ?? ''} onChange={(event) => set({ purpose: event.target.value })} ref={first}>
              {purposes.map(({ code, title }) => (
                <option key={code} value={code}>
                  {title}
                </option>
              ))}
              {!offered && <option value="">{words.otherPurpose}</option>}
            </select>
          </label>
          {!known && (
            <div className="pair">
              <label>
                {words.purposeCode}
                <input
                  value={code}
                  onChange={(event) => set({ code: event.target.value })}
                  placeholder="fire-safety"
                  pattern="[a-z0-9\-]{1,64}"
                  title={words.purposeCodeHint}
                  autoCapitalize="none"
                  spellCheck={false}
                  required
                />
              </label>
              <label>
                {words.purposeTitle}
                <input value={filled.title} onChange={(event) => set({ title: event.target.value })} required />
              </label>
            </div>
          )}
          <label>
            {words.legalBasis}
            {bases.length > 0 ? (
              <select value={legalBasis} onChange={(event) => set({ legalBasis: event.target.value })}>
                {bases.map((basis) => (
                  <option key={basis}>{basis}</option>
                ))}
              </select>
            ) : (
              <input value={filled.legalBasis} onChange={(event) => set({ legalBasis: event.target.value })} placeholder={words.legalBasisHint} required />
            )}
          </label>
          <label>
            {words.reason}
            <textarea value={filled.reason} onChange={(event) => set({ reason: event.target.value })} rows={3} placeholder={words.reasonHint} required />
          </label>
          <label className="check">
            <input type="checkbox" checked={filled.inFull} onChange={(event) => set({ inFull: event.target.checked })} data-part="in-full" />
            {words.inFull}
          </label>
          <p className="soft">{words.inFullHint}</p>
          <div className="pair">
            <label>
              {words.firstDay}
              <input type="date" value={filled.from} min={today()} onChange={(event) => set({ from: event.target.value })} />
            </label>
            <label>
              {words.lastDay}
              <input
                type="date"
                value={filled.until}
                min={from}
                max={terms.longestDays ? dayAfter(from, terms.longestDays - 1) : undefined}
                onChange={(event) => set({ until: event.target.value })}
              />
            </label>
          </div>
          <p className="soft">{words.daysHint}</p>
          {terms.longestDays && <p className="soft">{words.longestDays(terms.longestDays)}</p>}
          {session.account === null ? (
            <p className="trouble row" role="alert">
              {words.sessionEnded}
              <button type="button" className="quiet" onClick={onSignIn}>
                {words.signIn}
              </button>
            </p>
          ) : (
            trouble && (
              <p className="trouble" role="alert">
                {trouble}
              </p>
            )
          )}
          <button className="main" disabled={busy} data-part="draft">
            {words.draftIt}
          </button>
        </form>
      )}
    </Dialog>
  );
}

interface DraftedProps {
  words: Words;
  answer: Answer;
  draft: Draft;
  form: string | undefined;
  /** Whether the step that comes next is one's own. */
  handsIn: boolean;
  onWrite: (query: string, variables: unknown) => void;
}

function Drafted({ words, answer, draft, form, handsIn, onWrite }: DraftedProps) {
  const said = useRef<HTMLParagraphElement>(null);
  useEffect(() => said.current?.focus(), []);
  const { number, revision } = draft;
  const changed = new Set(draft.difference.map(({ coordinate }) => coordinate));
  // A change names again what stays; shown is what it changes.
  const shown = (item: { coordinate: string }) => !draft.form || changed.has(item.coordinate);
  const annexes = draft.annexes.map(({ custodian, items }) => ({ custodian, items: items.filter(shown) }));
  const titleOf = (custodian: string) => answer.missing.find((one) => one.custodian === custodian)?.title ?? custodian;
  return (
    <div className="drafted">
      <p className="done" tabIndex={-1} ref={said} data-part="draft-number" data-number={number}>
        {words.draftedAs} <b>{number}</b>
      </p>
      {draft.form && <p>{words.draftChanges(draft.form)}</p>}
      <dl>
        {annexes.map(({ custodian, items }) => (
          <div key={custodian}>
            <dt>{words.annexOf(titleOf(custodian), items.length)}</dt>
            {items.map(({ coordinate, uses, level }) => (
              <dd key={coordinate}>
                <code>{coordinate}</code> <Uses words={words} uses={uses} />
                {level === 'MASKED' && <span className="chip">{words.maskedLevel}</span>}
              </dd>
            ))}
          </div>
        ))}
      </dl>
      <p>{words.draftNext}</p>
      {!draft.form && form && <p className="soft">{words.draftApart}</p>}
      <div className="row">
        <button className="main" onClick={() => onWrite(SHOW_APPLICATION, { number })} data-part="show-application">
          {words.showApplication}
        </button>
        {handsIn && (
          <button className="quiet" onClick={() => onWrite(HAND_IN, { number, revision })} data-part="hand-in">
            {words.handIn}
          </button>
        )}
      </div>
    </div>
  );
}
