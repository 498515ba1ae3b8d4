// An editor as a component; the text flows both ways, the schema and the marks one way.
import { EditorView } from '@codemirror/view';
import { updateSchema } from 'cm6-graphql';
import type { GraphQLSchema } from 'graphql';
import { useEffect, useRef } from 'react';
import { makeEditor, mark, setText, type EditorOptions } from './codemirror.ts';

interface Props extends EditorOptions {
  schema?: GraphQLSchema | null;
  refused?: number[];
  shown?: number | null;
}

export function Editor({ schema, refused, shown, ...options }: Props) {
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView | null>(null);
  const latest = useRef(options);
  latest.current = options;

  useEffect(() => {
    if (!host.current) return;
    const { kind, label, text } = latest.current;
    const made = makeEditor(host.current, {
      kind,
      label,
      text,
      onChange: (value) => latest.current.onChange?.(value),
      onRun: () => latest.current.onRun?.(),
      onTidy: () => latest.current.onTidy?.(),
      onShowInDocs: (...place) => latest.current.onShowInDocs?.(...place),
    });
    view.current = made;
    return () => made.destroy();
  }, [options.kind, options.label]);

  useEffect(() => {
    if (view.current) setText(view.current, options.text);
  }, [options.text]);

  useEffect(() => {
    if (view.current && schema) updateSchema(view.current, schema);
  }, [schema, options.label]);

  useEffect(() => {
    if (!view.current || !refused) return;
    const line = shown && shown <= view.current.state.doc.lines ? view.current.state.doc.line(shown) : null;
    const effects: Parameters<EditorView['dispatch']>[0]['effects'] = line
      ? [mark.of({ refused, shown: shown ?? null }), EditorView.scrollIntoView(line.from, { y: 'center' })]
      : [mark.of({ refused, shown: null })];
    view.current.dispatch({ effects });
  }, [options.text, refused, shown]);

  return <div className="editor" ref={host} />;
}
