// The signed-in person: sign-in, refresh before the token expires or when it is refused, sign-out. Tokens stay in this tab
// and those copied from it (siblings.ts), and end with them.
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { flushSync } from 'react-dom';
import { loadPerson, post, Refusal, type Person, type Tokens } from './server.ts';
import { openSiblings, type Siblings } from './siblings.ts';
import type { Language } from './words.ts';

interface Session {
  account: string;
  access: string;
  refresh: string;
  /** Milliseconds since 1970 by this machine's clock. */
  expires: number;
  /** Days until the password must be changed, when they are few. */
  passwordDays: number | null;
}

const KEPT = 'session';
/** A token is renewed this long before its end, so that no request meets an expired one. */
const MARGIN = 60_000;

type Headers = Record<string, string>;

export interface SessionState {
  /** Stays when the session ends by itself: what was chosen and filled in is still there at the next sign-in. */
  person: Person | null;
  account: string | null;
  passwordDays: number | null;
  /** The session has ended by itself, and nobody has signed in or out since. */
  ended: boolean;
  signIn: (account: string, password: string) => Promise<Person>;
  changePassword: (account: string, password: string, wanted: string) => Promise<Person>;
  signOut: () => Promise<void>;
  /** Asks anew under which forms the person may ask. */
  reread: () => Promise<void>;
  /** Headers that identify the caller, with a token that is still good by the clock. */
  headers: () => Promise<Headers>;
  /** After these were refused: whether there is another token to ask with. Where there is none, the session has ended. */
  renewed: (refused: Headers) => Promise<boolean>;
  /** Does it as the person signed in; what a token was refused for is done once more with another. */
  acting: <Result>(work: (headers: Headers) => Promise<Result>) => Promise<Result>;
}

function restore(): Session | null {
  try {
    return JSON.parse(sessionStorage.getItem(KEPT) ?? 'null') as Session | null;
  } catch {
    return null;
  }
}

function sessionOf(account: string, tokens: Tokens): Session {
  const expires = Date.now() + tokens.expires_in * 1000;
  return { account, access: tokens.access_token, refresh: tokens.refresh_token, expires, passwordDays: tokens.password_expires_in_days ?? null };
}

export function useSession(language: Language): SessionState {
  const session = useRef<Session | null>(restore());
  const siblings = useRef<Siblings<Session> | null>(null);
  const renewing = useRef<Promise<void> | null>(null);
  const [account, setAccount] = useState(session.current?.account ?? null);
  const [person, setPerson] = useState<Person | null>(null);
  const [passwordDays, setPasswordDays] = useState(session.current?.passwordDays ?? null);
  const [ended, setEnded] = useState(false);
  // Who is signed in does not change with the language: nothing is asked anew because of it.
  const speaks = useRef(language);
  speaks.current = language;

  const keep = useCallback((next: Session | null) => {
    session.current = next;
    if (next) sessionStorage.setItem(KEPT, JSON.stringify(next));
    else sessionStorage.removeItem(KEPT);
    setAccount(next?.account ?? null);
    setPasswordDays(next?.passwordDays ?? null);
  }, []);

  const said = useCallback((): Headers => ({ 'Accept-Language': speaks.current }), []);

  /** One renewal at a time. */
  const renew = useCallback((): Promise<void> => {
    renewing.current ??= (async () => {
      const old = session.current;
      if (!old || !siblings.current) return;
      try {
        const ask = async () => sessionOf(old.account, (await post('/auth/refresh', { refresh_token: old.refresh }, said())) as Tokens);
        const next = await siblings.current.renew(old, ask);
        if (next && session.current === old) keep(next);
      } catch (error) {
        if (!(error instanceof Refusal)) return; // the network is down; the old token may still be good
        if (session.current !== old) return;
        keep(null);
        setEnded(true);
      }
    })().finally(() => {
      renewing.current = null;
    });
    return renewing.current;
  }, [keep, said]);

  const known = useCallback((): Headers => {
    return session.current ? { ...said(), Authorization: `Bearer ${session.current.access}` } : said();
  }, [said]);

  const headers = useCallback(async () => {
    const left = session.current ? session.current.expires - Date.now() : Infinity;
    if (left < MARGIN / 2) await renew();
    return known();
  }, [known, renew]);

  const renewed = useCallback(
    async (refused: Headers) => {
      if (!refused.Authorization) return false;
      if (known().Authorization === refused.Authorization) await renew();
      const { Authorization } = known();
      return Authorization !== undefined && Authorization !== refused.Authorization;
    },
    [known, renew],
  );

  const acting = useCallback(
    async <Result,>(work: (headers: Headers) => Promise<Result>) => {
      const sent = await headers();
      try {
        return await work(sent);
      } catch (error) {
        if (!(error instanceof Refusal && error.status === 401 && (await renewed(sent)))) throw error;
        return work(known());
      }
    },
    [headers, known, renewed],
  );

  // The person is asked for first: account, form and purpose of one are never seen, or sent, beside another's.
  const signIn = useCallback(
    async (name: string, password: string) => {
      const tokens = (await post('/auth/sign-in', { account: name, password }, said())) as Tokens;
      const next = sessionOf(name, tokens);
      const found = await loadPerson({ ...said(), Authorization: `Bearer ${next.access}` });
      // At once, so that whoever waits for the sign-in finds the page as it is from then on, and can move the focus there.
      flushSync(() => {
        keep(next);
        setPerson(found);
        setEnded(false);
      });
      return found;
    },
    [keep, said],
  );

  const changePassword = useCallback(
    async (name: string, password: string, wanted: string) => {
      await post('/auth/password', { account: name, password, newPassword: wanted }, said());
      return signIn(name, wanted);
    },
    [said, signIn],
  );

  const signOut = useCallback(async () => {
    const current = session.current;
    const sent = known();
    keep(null);
    setPerson(null);
    setEnded(false);
    if (current) await post('/auth/sign-out', { refresh_token: current.refresh }, sent).catch(() => null);
  }, [keep, known]);

  const reread = useCallback(async () => {
    try {
      const whose = session.current?.account;
      const found = await acting(loadPerson);
      if (whose === session.current?.account) setPerson(found);
    } catch {
      // what is known stays
    }
  }, [acting]);

  useEffect(() => {
    const opened = openSiblings(() => session.current, keep);
    siblings.current = opened;
    return () => opened.close();
  }, [keep]);

  // Renews in time, also while the page is idle.
  useEffect(() => {
    const timer = setInterval(() => {
      if (session.current && session.current.expires - Date.now() < MARGIN) void renew();
    }, 10_000);
    return () => clearInterval(timer);
  }, [renew]);

  // A reloaded page still knows its tokens; who they belong to and with which forms, the server says.
  useEffect(() => {
    if (session.current) void reread();
    // Once, at the start.
  }, []);

  return useMemo(
    () => ({ person, account, passwordDays, ended, signIn, changePassword, signOut, reread, headers, renewed, acting }),
    [account, acting, changePassword, ended, headers, passwordDays, person, renewed, reread, signIn, signOut],
  );
}
