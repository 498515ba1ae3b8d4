// Tabs that were copied from one another share a session. A refresh token may be used once only: one of them renews, the
// others are told; so none of them is taken for a thief. What is told stays in this browser and is kept nowhere.

/** What is shared; the rest of the session's tokens go along. */
interface Renewable {
  refresh: string;
}

type Talk<Session> = { seek: string } | { spent: string; session: Session };

export interface Siblings<Session> {
  /** Renews, one tab after the other, what no other tab has renewed before; null where one has. */
  renew: (old: Session, work: () => Promise<Session>) => Promise<Session | null>;
  close: () => void;
}

/** An answer from another tab comes at once or never. */
const PATIENCE = 150;

export function openSiblings<Session extends Renewable>(known: () => Session | null, take: (session: Session) => void): Siblings<Session> {
  const channel = new BroadcastChannel('session');
  /** Tokens that are used up, as far as this tab has seen. */
  const spent = new Set<string>();
  const say = (talk: Talk<Session>) => channel.postMessage(talk);

  channel.onmessage = ({ data }: MessageEvent<Talk<Session>>) => {
    const session = known();
    if (!session) return;
    if ('seek' in data) {
      if (spent.has(data.seek)) say({ spent: data.seek, session });
    } else if (session.refresh === data.spent) {
      spent.add(data.spent);
      take(data.session);
    }
  };

  return {
    renew: (old, work) =>
      alone(async () => {
        say({ seek: old.refresh });
        await new Promise((done) => setTimeout(done, PATIENCE));
        if (known() !== old) return null;
        const session = await work();
        spent.add(old.refresh);
        say({ spent: old.refresh, session });
        return session;
      }),
    close: () => channel.close(),
  };
}

/** Browsers lend locks to pages of a secure origin only; elsewhere two tabs have to be lucky. */
async function alone<Result>(work: () => Promise<Result>): Promise<Result> {
  if (!('locks' in navigator)) return work();
  return navigator.locks.request('session', work);
}
