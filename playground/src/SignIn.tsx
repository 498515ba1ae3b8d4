// The sign-in dialog: account and password, a new password where the old one has expired, and the demonstration accounts.
import { useRef, useState, type FormEvent } from 'react';
import { Dialog } from './Dialog.tsx';
import { Refusal, type DemoAccount } from './server.ts';
import type { SessionState } from './session.ts';
import type { Language, Words } from './words.ts';

interface Props {
  words: Words;
  language: Language;
  demo: DemoAccount[];
  session: SessionState;
  onClose: () => void;
}

export function SignIn({ words, language, demo, session, onClose }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const first = useRef<HTMLInputElement>(null);
  const [account, setAccount] = useState('');
  const [password, setPassword] = useState('');
  const [wanted, setWanted] = useState('');
  const [expired, setExpired] = useState(false);
  const [trouble, setTrouble] = useState('');
  const [busy, setBusy] = useState(false);

  const attempt = async (work: () => Promise<unknown>) => {
    setBusy(true);
    setTrouble('');
    try {
      await work();
      dialog.current?.close();
      // What opened the dialog is gone: the focus goes to what says who is signed in.
      document.querySelector<HTMLElement>('[data-part="account"]')?.focus();
    } catch (error) {
      if (error instanceof Refusal && error.code === 'PASSWORD_EXPIRED') {
        setExpired(true);
        setTrouble(error.message); // also a first password has to be changed
      } else {
        setTrouble(error instanceof Refusal ? error.message : words.unreachable);
      }
    } finally {
      setBusy(false);
    }
  };

  const submit = (event: FormEvent) => {
    event.preventDefault();
    void attempt(() => (expired ? session.changePassword(account, password, wanted) : session.signIn(account, password)));
  };

  return (
    <Dialog words={words} dialog={dialog} name="sign-in" title={words.signIn} first={first} onClose={onClose}>
      <div className={demo.length > 0 ? 'dialog-parts' : ''}>
        <form onSubmit={submit}>
          <label>
            {words.account}
            <input value={account} onChange={(event) => setAccount(event.target.value)} autoComplete="username" autoCapitalize="none" spellCheck={false} required ref={first} />
          </label>
          <label>
            {words.password}
            <input type="password" value={password} onChange={(event) => setPassword(event.target.value)} autoComplete="current-password" required />
          </label>
          {expired && (
            <label>
              {words.newPassword}
              <input type="password" value={wanted} onChange={(event) => setWanted(event.target.value)} autoComplete="new-password" required autoFocus />
            </label>
          )}
          {trouble && (
            <p className="trouble" role="alert">
              {expired ? '' : words.signInFailed}
              {trouble}
            </p>
          )}
          <button className="main" disabled={busy}>
            {expired ? words.changePassword : words.signIn}
          </button>
        </form>
        {demo.length > 0 && (
          <section aria-label={words.demoAccounts}>
            <h3>{words.demoAccounts}</h3>
            <p className="soft">{words.demoHint}</p>
            <ul className="accounts">
              {demo.map((entry) => (
                <li key={entry.account}>
                  <button
                    data-account={entry.account}
                    disabled={busy}
                    aria-current={session.account === entry.account}
                    onClick={() => void attempt(() => session.signIn(entry.account, entry.password))}
                  >
                    <b>{entry.account}</b>
                    <small>{language === 'en' ? entry.says : entry.saysZh}</small>
                  </button>
                </li>
              ))}
            </ul>
          </section>
        )}
      </div>
    </Dialog>
  );
}
