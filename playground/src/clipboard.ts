// Copies text for the reader. Browsers lend the clipboard to pages of a secure origin only; over plain HTTP the old way is left.
import { useCallback, useState } from 'react';

async function copy(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copySelected(text);
  }
}

function copySelected(text: string): boolean {
  const before = document.activeElement;
  const area = document.createElement('textarea');
  area.className = 'unseen';
  area.value = text;
  document.body.append(area);
  area.select();
  try {
    return document.execCommand('copy');
  } catch {
    return false;
  } finally {
    area.remove();
    if (before instanceof HTMLElement) before.focus();
  }
}

export type Copied = '' | 'copied' | 'failed';

/** How the last copying went, said for a moment, and the way to copy. */
export function useCopy(): [Copied, (text: string) => void] {
  const [said, setSaid] = useState<Copied>('');
  const start = useCallback((text: string) => {
    void copy(text).then((done) => {
      setSaid(done ? 'copied' : 'failed');
      setTimeout(() => setSaid(''), done ? 1500 : 4000);
    });
  }, []);
  return [said, start];
}
