// A modal dialog with its head. It closes by itself before it leaves the page: only then does the browser give the focus
// back to what opened it.
import { useEffect, type ReactNode, type RefObject } from 'react';
import type { Words } from './words.ts';

interface Props {
  words: Words;
  dialog: RefObject<HTMLDialogElement | null>;
  /** Names the dialog's parts for style sheet and labels. */
  name: string;
  title: string;
  /** What is focused first; the button that closes would be, without it. */
  first?: RefObject<HTMLElement | null>;
  onClose: () => void;
  children: ReactNode;
}

export function Dialog({ words, dialog, name, title, first, onClose, children }: Props) {
  useEffect(() => {
    dialog.current?.showModal();
    first?.current?.focus();
    // Once: what is focused later is the reader's choice.
  }, []);
  return (
    <dialog ref={dialog} className={name} onClose={onClose} aria-labelledby={`${name}-title`}>
      <div className="dialog-head">
        <h2 id={`${name}-title`}>{title}</h2>
        <button className="plain icon" onClick={() => dialog.current?.close()} aria-label={words.close} title={words.close}>
          ✕
        </button>
      </div>
      {children}
    </dialog>
  );
}
