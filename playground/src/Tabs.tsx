// Tabs as the keyboard expects them: one stop, and the arrow keys move between them.
import type { KeyboardEvent } from 'react';

interface Props<Name extends string> {
  tabs: [Name, string][];
  chosen: Name;
  onChoose: (name: Name) => void;
}

export function Tabs<Name extends string>({ tabs, chosen, onChoose }: Props<Name>) {
  const press = (event: KeyboardEvent<HTMLDivElement>) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step) return;
    const at = tabs.findIndex(([name]) => name === chosen);
    const next = (at + step + tabs.length) % tabs.length;
    const tab = tabs[next];
    if (tab) onChoose(tab[0]);
    (event.currentTarget.children[next] as HTMLElement | undefined)?.focus();
  };
  return (
    <div className="tabs" role="tablist" onKeyDown={press}>
      {tabs.map(([name, title]) => (
        <button key={name} role="tab" aria-selected={name === chosen} tabIndex={name === chosen ? 0 : -1} onClick={() => onChoose(name)}>
          {title}
        </button>
      ))}
    </div>
  );
}
