// The bar on top: under which form, for which purpose and case one asks, and who is asking.
import { useEffect, useRef, type ReactNode } from 'react';
import type { SessionState } from './session.ts';
import type { Under } from './under.ts';
import type { Words } from './words.ts';

interface Props {
  words: Words;
  session: SessionState;
  under: Under;
  onUnder: (under: Under) => void;
  onLanguage: () => void;
  onSignIn: () => void;
  sideOpen: boolean;
  onSide: () => void;
  inbox: ReactNode;
}

export function TopBar({ words, session, under, onUnder, onLanguage, onSignIn, sideOpen, onSide, inbox }: Props) {
  const { person, account } = session;
  const signIn = useRef<HTMLButtonElement>(null);
  const leaving = useRef(false);
  // The button that was pressed goes away with the account.
  useEffect(() => {
    if (!account && leaving.current) signIn.current?.focus();
    leaving.current = false;
  }, [account]);
  const forms = person?.forms ?? [];
  const form = forms.find(({ number }) => number === under.form);
  const purposes = form?.purposes ?? [];
  const needsCase = form?.caseRequired === true && under.caseNumber.trim() === '';
  return (
    <header className="top">
      <button className="plain icon" onClick={onSide} aria-label={sideOpen ? words.hidePanel : words.showPanel} title={sideOpen ? words.hidePanel : words.showPanel}>
        <svg viewBox="0 0 20 20" width="18" height="18" aria-hidden="true">
          <path d="M3 4h14v12H3zM8 4v12" fill="none" stroke="currentColor" strokeWidth="1.5" />
        </svg>
      </button>
      <h1>
        <span className="brand">cityquery</span>
        <span className="brand-says">{words.brand}</span>
      </h1>
      {account && (
        <div className="under">
          <label title={words.formHint}>
            <span>{words.form}</span>
            <select
              value={under.form}
              disabled={forms.length === 0}
              onChange={(event) => {
                const next = forms.find(({ number }) => number === event.target.value);
                onUnder({ ...under, form: event.target.value, purpose: next?.purposes[0]?.code ?? '' });
              }}
            >
              {forms.length === 0 && <option value="">{words.noForm}</option>}
              {forms.map(({ number, title }) => (
                <option key={number} value={number}>
                  {number} {title}
                </option>
              ))}
            </select>
          </label>
          <label title={words.purposeHint}>
            <span>{words.purpose}</span>
            <select value={under.purpose} disabled={purposes.length === 0} onChange={(event) => onUnder({ ...under, purpose: event.target.value })}>
              {purposes.length === 0 && <option value={under.purpose}>{words.noPurpose}</option>}
              {purposes.map(({ code, title }) => (
                <option key={code} value={code}>
                  {title}
                </option>
              ))}
            </select>
          </label>
          <label title={words.caseHint} className={needsCase ? 'needed' : ''}>
            <span>{words.caseNumber}</span>
            <input
              value={under.caseNumber}
              placeholder={form?.caseRequired ? words.caseNeeded : '—'}
              aria-invalid={needsCase}
              spellCheck={false}
              autoComplete="off"
              onChange={(event) => onUnder({ ...under, caseNumber: event.target.value })}
            />
          </label>
        </div>
      )}
      <span className="gap" />
      {account && session.passwordDays !== null && <span className="ended">{words.passwordEnds(session.passwordDays)}</span>}
      {session.ended && !account && <span className="ended">{words.sessionEnded}</span>}
      <button className="plain" onClick={onLanguage} title={words.languageHint} data-part="language">
        {words.language}
      </button>
      {account && inbox}
      {account ? (
        <div className="who">
          <span className="avatar" aria-hidden="true">
            {account.slice(0, 1).toUpperCase()}
          </span>
          <button className="plain who-name" onClick={onSignIn} title={`${words.signedInAs} ${account}`} data-part="account">
            <b>{account}</b>
            <small>{person?.agency ?? ''}</small>
          </button>
          <button
            className="quiet"
            onClick={() => {
              leaving.current = true;
              void session.signOut();
            }}
          >
            {words.signOut}
          </button>
        </div>
      ) : (
        <button className="main" onClick={onSignIn} ref={signIn} data-part="sign-in">
          {words.signIn}
        </button>
      )}
    </header>
  );
}
