// The list of ready-made operations in their two groups; the chosen one says who asks and why, and as whom it can be tried.
import { useEffect, useMemo, useRef, useState } from 'react';
import { operations, type Group, type Operation } from './operations.ts';
import { Refusal, type DemoAccount } from './server.ts';
import type { SessionState } from './session.ts';
import type { Language, Words } from './words.ts';

interface Props {
  words: Words;
  language: Language;
  demo: DemoAccount[];
  session: SessionState;
  chosen: Operation | null;
  /** Variables of it that came from earlier answers. */
  filled: string[];
  onChoose: (operation: Operation | null) => void;
  onSignIn: () => void;
}

export function Operations({ words, language, demo, session, chosen, filled, onChoose, onSignIn }: Props) {
  const [filter, setFilter] = useState('');
  const [trouble, setTrouble] = useState('');
  const chinese = language !== 'en';
  const list = useRef<HTMLDivElement>(null);
  const ready = useRef<HTMLParagraphElement>(null);
  // One that was chosen before a reload may lie out of view; where the text of another has closed above it, it has moved up.
  useEffect(() => {
    if (list.current) bringIntoView(list.current, list.current.querySelector('.chosen'));
  }, [chosen]);
  const shown = useMemo(() => {
    const parts = filter.toLowerCase().split(/\s+/).filter(Boolean);
    return operations.filter((operation) => {
      const text = Object.values(operation).join(' ').toLowerCase();
      return parts.every((part) => text.includes(part));
    });
  }, [filter]);

  const signInAs = (entry: DemoAccount) => {
    setTrouble('');
    session.signIn(entry.account, entry.password).then(
      () => ready.current?.focus(), // the button that was pressed has gone
      (error: unknown) => setTrouble(error instanceof Refusal ? error.message : words.unreachable),
    );
  };

  const groups: [Group, string, string][] = [
    ['data', words.dataGroup, words.dataGroupHint],
    ['procedure', words.procedureGroup, words.procedureGroupHint],
  ];

  const about = (operation: Operation) => {
    const entry = demo.find(({ account }) => account === operation.account);
    const find = chinese ? operation.findZh : operation.find;
    const later = chinese ? operation.laterZh : operation.later;
    return (
      <div className="about">
        <p>{chinese ? operation.saysZh : operation.says}</p>
        {find && (
          <p className="soft">
            <b>{words.findValue}</b> {find}
          </p>
        )}
        {filled.length > 0 && (
          <p className="soft" data-part="filled">
            <b>{words.filledIn}</b> {filled.join(words.listComma)}
          </p>
        )}
        {later && (
          <p className="soft">
            <b>{words.leftOut}</b> {later}
          </p>
        )}
        {demo.length > 0 && (
          <p className="as">
            {words.runsAs} <code>{operation.account}</code>
          </p>
        )}
        {session.account === operation.account && (
          <p className="soft ready" tabIndex={-1} ref={ready} data-part="ready">✓ {words.readyAs}</p>
        )}
        {demo.length > 0 && session.account !== operation.account && (
          <button className="quiet" onClick={() => (entry ? signInAs(entry) : onSignIn())} data-part="sign-in-as">
            {words.signInAs(operation.account)}
          </button>
        )}
        {trouble && (
          <p className="trouble" role="alert">
            {trouble}
          </p>
        )}
      </div>
    );
  };

  return (
    <div className="scroll" role="tabpanel" ref={list}>
      <div className="filter">
        <input type="search" value={filter} onChange={(event) => setFilter(event.target.value)} placeholder={words.filterOperations} aria-label={words.filterOperations} />
      </div>
      {groups.map(([group, title, hint]) => {
        const members = shown.filter((operation) => operation.group === group);
        if (members.length === 0) return null;
        return (
          <section key={group} aria-labelledby={`group-${group}`}>
            <h2 className="group" id={`group-${group}`} title={hint}>
              {title}
            </h2>
            <ul className="operations">
              {members.map((operation) => (
                <li key={operation.id} className={operation.id === chosen?.id ? 'chosen' : ''}>
                  <button aria-expanded={operation.id === chosen?.id} data-operation={operation.id} onClick={() => onChoose(operation)}>
                    <span className="number">{operation.number}</span>
                    <span>{chinese ? operation.titleZh : operation.title}</span>
                  </button>
                  {operation.id === chosen?.id && about(operation)}
                </li>
              ))}
            </ul>
          </section>
        );
      })}
      {shown.length === 0 && <p className="soft none">{words.noMatch}</p>}
      <ul className="operations">
        <li>
          <button onClick={() => onChoose(null)} title={words.ownHint}>
            <span className="number">+</span>
            <span>{words.own}</span>
          </button>
        </li>
      </ul>
    </div>
  );
}

/** Height of what stays on top of the list: the search and the name of the group. */
const HEAD = 76;

/** Scrolls only as far as it must. The browser's own way would also move where the Tab key goes on from. */
function bringIntoView(box: HTMLElement, item: Element | null) {
  if (!item) return;
  const [outer, inner] = [box.getBoundingClientRect(), item.getBoundingClientRect()];
  const above = inner.top - outer.top - HEAD;
  const below = inner.bottom - outer.bottom;
  if (above < 0) box.scrollTop += above;
  else if (below > 0) box.scrollTop += Math.min(above, below);
}
