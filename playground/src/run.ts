// Runs what is on the desk, one at a time, and holds the answer.
import { useCallback, useRef, useState } from 'react';
import { ask, type Answer, type Question } from './answer.ts';
import type { SessionState } from './session.ts';
import type { Words } from './words.ts';

export interface Running {
  answer: Answer | null;
  running: boolean;
  /** Null when it was stopped, or another was running. */
  run: (question: Question, words: Words) => Promise<Answer | null>;
  stop: () => void;
  /** Stops what runs and takes the answer away. */
  clear: () => void;
}

export function useRun({ headers, renewed }: SessionState): Running {
  const [answer, setAnswer] = useState<Answer | null>(null);
  const [running, setRunning] = useState(false);
  const current = useRef<AbortController | null>(null);

  const run = useCallback(
    async (question: Question, words: Words) => {
      if (current.current) return null;
      const controller = new AbortController();
      current.current = controller;
      setRunning(true);
      try {
        const identity = await headers();
        let next = await ask(question, identity, words, controller.signal);
        if (next.status === 401 && (await renewed(identity))) next = await ask(question, await headers(), words, controller.signal);
        if (controller.signal.aborted) return null;
        setAnswer(next);
        return next;
      } catch {
        return null; // stopped; the answer before stays
      } finally {
        if (current.current === controller) {
          current.current = null;
          setRunning(false);
        }
      }
    },
    [headers, renewed],
  );

  const stop = useCallback(() => {
    current.current?.abort();
    current.current = null;
    setRunning(false);
  }, []);

  const clear = useCallback(() => {
    stop();
    setAnswer(null);
  }, [stop]);

  return { answer, running, run, stop, clear };
}
