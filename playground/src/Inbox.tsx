// The bell in the top bar with the number of unread notices, and the dialog that lists them, newest first.
import { useEffect, useRef, useState } from 'react';
import { Dialog } from './Dialog.tsx';
import { useInbox, type InboxState, type Notice } from './inbox.ts';
import { SHOW } from './next.ts';
import type { SessionState } from './session.ts';
import type { Language, Words } from './words.ts';

const GRANTS = new Set(['master form', 'sub-form', 'user group']);

interface Props {
  words: Words;
  language: Language;
  session: SessionState;
  onWrite: (query: string, variables: unknown) => void;
}

export function Inbox({ words, language, session, onWrite }: Props) {
  const inbox = useInbox(session, words.unreachable);
  const [open, setOpen] = useState(false);
  const { unread, news } = inbox;
  // A grant that one is told of stands in the list of forms at once.
  useEffect(() => {
    if (news && GRANTS.has(news.about)) void session.reread();
  }, [news]);
  const label = unread > 0 ? words.inboxUnread(unread) : words.inbox;
  return (
    <>
      <button className="plain icon bell" onClick={() => setOpen(true)} aria-label={label} title={label} data-part="inbox" data-unread={unread} data-live={inbox.live}>
        <svg viewBox="0 0 20 20" width="18" height="18" aria-hidden="true">
          <path d="M3 12.5V5.5A1.5 1.5 0 0 1 4.5 4h11A1.5 1.5 0 0 1 17 5.5v7M3 11h4l1 2h4l1-2h4v4a1 1 0 0 1-1 1H4a1 1 0 0 1-1-1z" fill="none" stroke="currentColor" strokeWidth="1.5" strokeLinejoin="round" />
        </svg>
        {unread > 0 && (
          <span className="count" aria-hidden="true">
            {unread > 99 ? '99+' : unread}
          </span>
        )}
      </button>
      <span className="unseen" role="status">
        {news ? `${words.newNotice}${textOf(news, language)}` : ''}
      </span>
      {open && <List words={words} language={language} inbox={inbox} onWrite={onWrite} onClose={() => setOpen(false)} />}
    </>
  );
}

interface ListProps {
  words: Words;
  language: Language;
  inbox: InboxState;
  onWrite: (query: string, variables: unknown) => void;
  onClose: () => void;
}

function List({ words, language, inbox, onWrite, onClose }: ListProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const list = useRef<HTMLUListElement>(null);
  const { notices, unread, live, trouble, read, mark, markAll } = inbox;
  useEffect(() => {
    if (!live) void read();
    // Once, when it is opened: a live list is up to date.
  }, []);

  // The button that was pressed goes away: the focus stays in the list.
  const markRead = (work: Promise<void>) => {
    list.current?.focus();
    void work;
  };
  const write = (notice: Notice) => {
    dialog.current?.close();
    const query = SHOW[notice.about];
    if (query) onWrite(query, { number: notice.number });
  };

  return (
    <Dialog words={words} dialog={dialog} name="inbox" title={words.inbox} first={list} onClose={onClose}>
      <div className="inbox-bar">
        <span className="soft">{live ? words.inboxLive : words.inboxNotLive}</span>
        <button className="quiet" disabled={unread === 0} onClick={() => markRead(markAll())} data-part="mark-all">
          {words.markAllRead}
        </button>
      </div>
      {trouble && (
        <p className="trouble" role="alert">
          {trouble}
        </p>
      )}
      <ul className="notices" ref={list} tabIndex={-1} aria-label={words.inbox}>
        {notices.map((notice) => (
          <li key={notice.id} className={notice.readAt ? '' : 'unread'} data-notice={notice.id}>
            <p>
              {!notice.readAt && <span className="unseen">{words.unread} </span>}
              {textOf(notice, language)}
            </p>
            <p className="soft row">
              <time dateTime={notice.at}>{when(notice.at, language)}</time>
              {SHOW[notice.about] ? (
                <button className="plain small" onClick={() => write(notice)} title={words.putInEditor}>
                  <code>{notice.number}</code>
                </button>
              ) : (
                <code>{notice.number}</code>
              )}
              {notice.dueOn && <span className="chip class-personal">{words.dueOn(notice.dueOn)}</span>}
              <span className="gap" />
              {!notice.readAt && (
                <button className="plain small" onClick={() => markRead(mark([notice.id]))} data-part="mark">
                  {words.markRead}
                </button>
              )}
            </p>
          </li>
        ))}
        {notices.length === 0 && <li className="soft">{words.noNotices}</li>}
      </ul>
    </Dialog>
  );
}

function textOf(notice: Notice, language: Language): string {
  return language === 'en' ? notice.textEn : notice.textZh;
}

function when(at: string, language: Language): string {
  const locale = language === 'en' ? 'en-GB' : 'zh-Hant-TW';
  return new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'short', timeZone: 'Asia/Taipei' }).format(new Date(at));
}
