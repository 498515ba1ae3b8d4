// Query and variables, with what can be done with them: run, stop, tidy, copy as code.
import type { GraphQLSchema } from 'graphql';
import { useState } from 'react';
import { useCopy } from './clipboard.ts';
import { copyAs, kinds } from './copy.ts';
import { Editor } from './Editor.tsx';
import { tidy } from './tidy.ts';
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
  onShowInDocs: (field?: string, type?: string, parent?: string) => void;
}

export function QueryPane(props: Props) {
  const { words, names, name, running } = props;
  const [copied, copy] = useCopy();
  const [untidied, setUntidied] = useState('');
  const layOut = () => {
    const next = tidy(props.query);
    if (next === 'comments') setUntidied(props.query);
    else if (next) props.onQuery(next.query);
    try {
      if (props.variables.trim() !== '') props.onVariables(JSON.stringify(JSON.parse(props.variables), null, 2));
    } catch {
      // what cannot be read cannot be laid out; the editor marks the place
    }
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
        <button className="plain" onClick={layOut} title={words.tidyHint}>
          {words.tidy}
        </button>
        <select
          className="copy"
          value=""
          aria-label={words.copyAs}
          onChange={(event) => {
            copy(copyAs(event.target.value, props.query, props.variables, name, props.headers));
          }}
        >
          <option value="" disabled hidden>
            {copied ? words.copying[copied] : `${words.copyAs}…`}
          </option>
          {kinds.map((kind) => (
            <option key={kind}>{kind}</option>
          ))}
        </select>
      </div>
      {untidied === props.query && (
        <p className="hint" role="status" data-part="untidied">
          {words.untidied}
        </p>
      )}
      {!props.signedIn && <p className="hint">{words.signInFirst}</p>}
      <Editor
        kind="query"
        label={words.query}
        text={props.query}
        schema={props.schema}
        onChange={props.onQuery}
        onRun={props.onRun}
        onTidy={layOut}
        onShowInDocs={props.onShowInDocs}
      />
      <details className="variables" open>
        <summary>{words.variables}</summary>
        <Editor kind="variables" label={words.variables} text={props.variables} onChange={props.onVariables} onRun={props.onRun} onTidy={layOut} />
      </details>
    </section>
  );
}
