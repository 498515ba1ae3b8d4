// Query and variables, with what can be done with them: run, stop, tidy, copy as code.
import type { GraphQLSchema } from 'graphql';
import { useState } from 'react';
import { copyAs, kinds } from './copy.ts';
import { Editor } from './Editor.tsx';
import type { Words } from './words.ts';

interface Props {
  words: Words;
  schema: GraphQLSchema | null;
  query: string;
  variables: string;
  names: string[];
  name: string | null;
  headers: [string, string][];
  running: boolean;
  signedIn: boolean;
  onQuery: (text: string) => void;
  onVariables: (text: string) => void;
  onName: (name: string) => void;
  onRun: () => void;
  onStop: () => void;
  onTidy: () => void;
  onShowInDocs: (field?: string, type?: string, parent?: string) => void;
}

export function QueryPane(props: Props) {
  const { words, names, name, running } = props;
  const [copied, setCopied] = useState('');
  const copy = async (kind: string) => {
    await navigator.clipboard.writeText(copyAs(kind, props.query, props.variables, name, props.headers));
    setCopied(kind);
    setTimeout(() => setCopied(''), 1500);
  };
  return (
    <section className="pane query" id="query" aria-label={words.query} tabIndex={-1}>
      <div className="bar">
        {running ? (
          <button className="main" onClick={props.onStop}>
            {words.stop}
          </button>
        ) : (
          <button className="main" onClick={props.onRun} title={words.runHint} data-part="run" disabled={props.query.trim() === ''}>
            <svg viewBox="0 0 12 12" width="11" height="11" aria-hidden="true">
              <path d="M2 1l9 5-9 5z" fill="currentColor" />
            </svg>
            {words.run}
          </button>
        )}
        {names.length > 1 ? (
          <select value={name ?? ''} onChange={(event) => props.onName(event.target.value)} aria-label={words.operationName} title={words.operationName}>
            {names.map((entry) => (
              <option key={entry}>{entry}</option>
            ))}
          </select>
        ) : (
          <code className="name">{name ?? ''}</code>
        )}
        <span className="gap" />
        <button className="plain" onClick={props.onTidy} title={words.tidyHint}>
          {words.tidy}
        </button>
        <select
          className="copy"
          value=""
          aria-label={words.copyAs}
          onChange={(event) => {
            void copy(event.target.value);
          }}
        >
          <option value="" disabled hidden>
            {copied ? `✓ ${words.copied}` : `${words.copyAs}…`}
          </option>
          {kinds.map((kind) => (
            <option key={kind}>{kind}</option>
          ))}
        </select>
      </div>
      {!props.signedIn && <p className="hint">{words.signInFirst}</p>}
      <Editor
        kind="query"
        label={words.query}
        text={props.query}
        schema={props.schema}
        onChange={props.onQuery}
        onRun={props.onRun}
        onTidy={props.onTidy}
        onShowInDocs={props.onShowInDocs}
      />
      <details className="variables" open>
        <summary>{words.variables}</summary>
        <Editor kind="variables" label={words.variables} text={props.variables} onChange={props.onVariables} onRun={props.onRun} onTidy={props.onTidy} />
      </details>
    </section>
  );
}
