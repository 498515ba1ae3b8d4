// One's notices: read at sign-in, when the panel is opened and after each new connection; in between they arrive over a
// WebSocket, and nothing is polled.
import { createClient } from 'graphql-ws/client';
import { useCallback, useEffect, useRef, useState } from 'react';
import { askProcedure, Refusal } from './server.ts';
import type { SessionState } from './session.ts';

export interface Notice {
  id: string;
  at: string;
  about: string;
  number: string;
  textEn: string;
  textZh: string;
  dueOn: string | null;
  readAt: string | null;
}

const FIELDS = 'id at about number textEn textZh dueOn readAt';
const READ = `query Inbox { inbox { ${FIELDS} } }`;
const UNREAD = 'query Unread { inbox(unreadOnly: true) { id } }';
const MARK = 'mutation MarkRead($notices: [ID!]!) { markNoticesRead(notices: $notices) }';
const WATCH = `subscription InboxNotices { inboxNotices { ${FIELDS} } }`;

/** How often the page asks whether the server is still there; the server asks by itself, too. */
const SIGN_OF_LIFE = 20_000;
const SOON = 1_000;
const LATE = 60_000;
/** A connection that is not there by then does not hold up reading the list. */
const PATIENCE = 3_000;

/** The server closes so (protocol error) what it will not begin: the token does not hold. */
const REFUSED = 1002;

type Asker = Pick<SessionState, 'account' | 'headers' | 'acting'>;

export interface InboxState {
  notices: Notice[];
  unread: number;
  /** Whether new notices arrive by themselves now. */
  live: boolean;
  /** The one that arrived last, to be said aloud. */
  news: Notice | null;
  trouble: string;
  read: () => Promise<void>;
  mark: (ids: string[]) => Promise<void>;
  markAll: () => Promise<void>;
}

export function useInbox({ account, headers, acting }: Asker, unreachable: string): InboxState {
  const [notices, setNotices] = useState<Notice[]>([]);
  const [live, setLive] = useState(false);
  const [news, setNews] = useState<Notice | null>(null);
  const [trouble, setTrouble] = useState('');
  // What changes with the language must not open another connection.
  const known = useRef(unreachable);
  known.current = unreachable;
  const whose = useRef(account);
  whose.current = account;

  const ask = useCallback((query: string, variables: unknown) => acting((sent) => askProcedure(query, variables, sent)), [acting]);

  const attempt = useCallback(async (work: () => Promise<void>) => {
    try {
      setTrouble('');
      await work();
    } catch (error) {
      setTrouble(error instanceof Refusal ? error.message : known.current);
    }
  }, []);

  const read = useCallback(
    () =>
      attempt(async () => {
        const asked = whose.current;
        const data = await ask(READ, {});
        if (asked === whose.current) setNotices(data.inbox as Notice[]);
      }),
    [ask, attempt],
  );

  const mark = useCallback(
    (ids: string[]) =>
      attempt(async () => {
        await ask(MARK, { notices: ids });
        const readAt = new Date().toISOString();
        setNotices((old) => old.map((notice) => (ids.includes(notice.id) && !notice.readAt ? { ...notice, readAt } : notice)));
      }),
    [ask, attempt],
  );

  // The list that is shown is the newest part only; what is older may be unread as well.
  const markAll = useCallback(
    () =>
      attempt(async () => {
        for (;;) {
          const { inbox } = await ask(UNREAD, {});
          const ids = (inbox as Notice[]).map(({ id }) => id);
          if (ids.length === 0) break;
          await ask(MARK, { notices: ids });
        }
        await read();
      }),
    [ask, attempt, read],
  );

  useEffect(() => {
    setNotices([]);
    setNews(null);
    if (!account) return;
    const take = (notice: Notice) => {
      setNotices((old) => (old.some(({ id }) => id === notice.id) ? old : [notice, ...old]));
      setNews(notice);
    };
    return watch(headers, { onNotice: take, onLive: setLive, onGap: () => void read() });
  }, [account, headers, read]);

  return { notices, unread: notices.filter(({ readAt }) => !readAt).length, live, news, trouble, read, mark, markAll };
}

interface Heard {
  onNotice: (notice: Notice) => void;
  onLive: (live: boolean) => void;
  /** Something may have been missed: at the start, and after each time without a connection. */
  onGap: () => void;
}

/** Watches until it is stopped. The server ends what is watched with the token; then it begins again with the next one. */
function watch(headers: Asker['headers'], heard: Heard): () => void {
  let stopped = false;
  let started = false;
  let pause = SOON;
  let timer: ReturnType<typeof setTimeout>;
  const start = () => {
    if (!started && !stopped) heard.onGap();
    started = true;
  };
  const client = createClient({
    url: `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/graphql`,
    connectionParams: headers,
    connectionAckWaitTimeout: 10_000,
    keepAlive: SIGN_OF_LIFE,
    retryAttempts: 0, // `again` sees to that, with another token where the old one has ended
    on: {
      connected: () => {
        if (stopped) return;
        heard.onLive(true);
        started = true;
        setTimeout(heard.onGap); // what is watched is asked for first, so that nothing falls in between
      },
    },
  });
  const listen = () => {
    const begun = Date.now();
    const again = (why?: unknown) => {
      if (stopped) return;
      heard.onLive(false);
      start();
      // Reading the list renews the token that was refused, or finds that the session has ended.
      if (why instanceof CloseEvent && why.code === REFUSED) heard.onGap();
      pause = Date.now() - begun > LATE ? SOON : Math.min(pause * 2, LATE);
      timer = setTimeout(listen, pause);
    };
    client.subscribe<{ inboxNotices: Notice }>(
      { query: WATCH },
      { next: ({ data }) => data && !stopped && heard.onNotice(data.inboxNotices), error: again, complete: () => again() },
    );
  };
  const patience = setTimeout(start, PATIENCE);
  listen();
  return () => {
    stopped = true;
    heard.onLive(false);
    clearTimeout(timer);
    clearTimeout(patience);
    // What is still being opened fails by this, and nobody waits for it any more.
    Promise.resolve(client.dispose()).catch(() => null);
  };
}
