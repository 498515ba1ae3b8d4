// The signed-in person: sign-in, refresh before the token expires, sign-out. Tokens stay in this tab and end with it.
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { loadPerson, post, Refusal, type Person, type Tokens } from './server.ts';
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

export interface SessionState {
  person: Person | null;
  account: string | null;
  passwordDays: number | null;
  /** Said once after a session ended by itself. */
  ended: boolean;
  signIn: (account: string, password: string) => Promise<Person>;
  changePassword: (account: string, password: string, wanted: string) => Promise<Person>;
  signOut: () => Promise<void>;
  /** Asks anew under which forms the person may ask. */
  reread: () => Promise<void>;
  /** Headers that identify the caller, with a token that is still good. */
  headers: () => Promise<Record<string, string>>;
}

function restore(): Session | null {
  try {
    return JSON.parse(sessionStorage.getItem(KEPT) ?? 'null') as Session | null;
  } catch {
    return null;
  }
}

export function useSession(language: Language): SessionState {
  const session = useRef<Session | null>(restore());
  const renewing = useRef<Promise<void> | null>(null);
  const [account, setAccount] = useState(session.current?.account ?? null);
  const [person, setPerson] = useState<Person | null>(null);
  const [passwordDays, setPasswordDays] = useState(session.current?.passwordDays ?? null);
  const [ended, setEnded] = useState(false);

  const keep = useCallback((next: Session | null) => {
    session.current = next;
    if (next) sessionStorage.setItem(KEPT, JSON.stringify(next));
    else sessionStorage.removeItem(KEPT);
    setAccount(next?.account ?? null);
    setPasswordDays(next?.passwordDays ?? null);
    if (!next) setPerson(null);
  }, []);

  const take = useCallback(
    (name: string, tokens: Tokens) => {
      const expires = Date.now() + tokens.expires_in * 1000;
      const passwordDays = tokens.password_expires_in_days ?? null;
      keep({ account: name, access: tokens.access_token, refresh: tokens.refresh_token, expires, passwordDays });
    },
    [keep],
  );

  /** One renewal at a time: a refresh token may be used once only. */
  const renew = useCallback((): Promise<void> => {
    renewing.current ??= (async () => {
      const current = session.current;
      if (!current) return;
      try {
        const body = { refresh_token: current.refresh };
        const tokens = (await post('/auth/refresh', body, { 'Accept-Language': language })) as Tokens;
        if (session.current === current) take(current.account, tokens);
      } catch (error) {
        if (!(error instanceof Refusal)) return; // the network is down; the old token may still be good
        if (session.current !== current) return;
        keep(null);
        setEnded(true);
      }
    })().finally(() => {
      renewing.current = null;
    });
    return renewing.current;
  }, [keep, language, take]);

  const headers = useCallback(async () => {
    const left = session.current ? session.current.expires - Date.now() : Infinity;
    if (left < MARGIN / 2) await renew();
    const found: Record<string, string> = { 'Accept-Language': language };
    if (session.current) found.Authorization = `Bearer ${session.current.access}`;
    return found;
  }, [language, renew]);

  const greet = useCallback(async () => {
    const found = await loadPerson(await headers());
    setPerson(found);
    return found;
  }, [headers]);

  const signIn = useCallback(
    async (name: string, password: string) => {
      const body = { account: name, password };
      const tokens = (await post('/auth/sign-in', body, { 'Accept-Language': language })) as Tokens;
      take(name, tokens);
      setEnded(false);
      return greet();
    },
    [greet, language, take],
  );

  const changePassword = useCallback(
    async (name: string, password: string, wanted: string) => {
      const body = { account: name, password, newPassword: wanted };
      await post('/auth/password', body, { 'Accept-Language': language });
      return signIn(name, wanted);
    },
    [language, signIn],
  );

  const signOut = useCallback(async () => {
    const current = session.current;
    const known = await headers();
    keep(null);
    if (current) await post('/auth/sign-out', { refresh_token: current.refresh }, known).catch(() => null);
  }, [headers, keep]);

  const reread = useCallback(async () => {
    await greet().catch(() => null); // what is known stays
  }, [greet]);

  // Renews in time, also while the page is idle.
  useEffect(() => {
    const timer = setInterval(() => {
      if (session.current && session.current.expires - Date.now() < MARGIN) void renew();
    }, 10_000);
    return () => clearInterval(timer);
  }, [renew]);

  // A reloaded page still knows its tokens; who they belong to and with which forms, the server says.
  useEffect(() => {
    if (!session.current) return;
    greet().catch((error: unknown) => {
      if (error instanceof Refusal && error.status === 401) keep(null);
    });
  }, [greet, keep]);

  return useMemo(
    () => ({ person, account, passwordDays, ended, signIn, changePassword, signOut, reread, headers }),
    [account, changePassword, ended, headers, passwordDays, person, reread, signIn, signOut],
  );
}
