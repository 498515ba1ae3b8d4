// CodeMirror as this page uses it. It lives in a shadow root: there it brings its styles as adopted style sheets,
// which a content security policy without 'unsafe-inline' allows.
import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap } from '@codemirror/commands';
import { json, jsonParseLinter } from '@codemirror/lang-json';
import { bracketMatching, foldGutter, foldKeymap, HighlightStyle, indentOnInput, syntaxHighlighting } from '@codemirror/language';
import { linter, lintKeymap } from '@codemirror/lint';
import { highlightSelectionMatches, search, searchKeymap } from '@codemirror/search';
import { EditorState, StateEffect, StateField, type Extension } from '@codemirror/state';
import { Decoration, drawSelection, EditorView, highlightActiveLine, highlightActiveLineGutter, keymap, lineNumbers, type DecorationSet } from '@codemirror/view';
import { tags } from '@lezer/highlight';
import { graphql } from 'cm6-graphql';

const theme = EditorView.theme({
  '&': { height: '100%', fontSize: '13px', color: 'var(--ink)', backgroundColor: 'var(--paper)' },
  '&.cm-focused': { outline: 'none' },
  '.cm-scroller': { fontFamily: 'var(--mono)', lineHeight: '1.6' },
  '.cm-content': { caretColor: 'var(--accent)', padding: '10px 0' },
  '.cm-cursor': { borderLeftColor: 'var(--accent)', borderLeftWidth: '2px' },
  '&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground': { backgroundColor: 'var(--select)' },
  '.cm-gutters': { backgroundColor: 'var(--paper)', color: 'var(--soft)', border: 'none', paddingLeft: '4px' },
  '.cm-activeLine, .cm-activeLineGutter': { backgroundColor: 'var(--line-soft)' },
  '.cm-foldPlaceholder': { backgroundColor: 'var(--line-soft)', border: 'none', color: 'var(--soft)', padding: '0 6px' },
  '.cm-tooltip': { backgroundColor: 'var(--paper)', color: 'var(--ink)', border: '1px solid var(--line)', borderRadius: '6px', boxShadow: 'var(--shadow)', overflow: 'hidden', fontFamily: 'var(--sans)' },
  '.cm-tooltip-autocomplete > ul': { fontFamily: 'var(--mono)', maxHeight: '16em' },
  '.cm-tooltip-autocomplete > ul > li': { padding: '3px 8px !important' },
  '.cm-tooltip-autocomplete > ul > li[aria-selected]': { backgroundColor: 'var(--accent)', color: 'var(--on-accent)' },
  '.cm-completionInfo': { padding: '6px 10px', maxWidth: '320px', whiteSpace: 'pre-line', fontSize: '12px' },
  '.cm-completionDetail': { color: 'inherit', opacity: '0.7', fontStyle: 'normal' },
  '.cm-diagnostic': { padding: '5px 10px', borderLeftWidth: '3px' },
  // The library draws these as data: images, which the content security policy does not allow.
  '.cm-lintRange': { backgroundImage: 'none', paddingBottom: '0', textDecoration: 'underline wavy var(--bad) 1px', textUnderlineOffset: '3px' },
  '.cm-lintRange-warning, .cm-lintRange-info, .cm-lintRange-hint': { textDecorationColor: 'var(--warn)' },
  '.cm-lintPoint:after': { borderBottomColor: 'var(--bad)' },
  '.cm-panels': { backgroundColor: 'var(--paper)', color: 'var(--ink)', borderColor: 'var(--line)' },
  '.cm-refused': { backgroundColor: 'var(--warn-soft)', boxShadow: 'inset 3px 0 0 var(--warn)' },
  '.cm-shown': { backgroundColor: 'var(--select)' },
});

const colours = HighlightStyle.define([
  { tag: [tags.keyword, tags.definitionKeyword], color: 'var(--code-key)' },
  { tag: [tags.propertyName, tags.attributeName], color: 'var(--code-name)' },
  { tag: [tags.variableName, tags.special(tags.variableName)], color: 'var(--code-var)' },
  { tag: tags.string, color: 'var(--code-text)' },
  { tag: [tags.number, tags.bool], color: 'var(--code-number)' },
  { tag: tags.null, color: 'var(--soft)' },
  { tag: [tags.typeName, tags.atom], color: 'var(--code-type)' },
  { tag: tags.comment, color: 'var(--soft)' },
]);

/** Lines to mark: those of refused fields, and the one that was asked for. */
export const mark = StateEffect.define<{ refused: number[]; shown: number | null }>();

const marks = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(value, transaction) {
    for (const effect of transaction.effects) {
      if (!effect.is(mark)) continue;
      const { refused, shown } = effect.value;
      const lines = [...new Set(shown ? [...refused, shown] : refused)].sort((a, b) => a - b);
      return Decoration.set(
        lines
          .filter((line) => line <= transaction.state.doc.lines)
          .map((line) => Decoration.line({ class: line === shown ? 'cm-refused cm-shown' : 'cm-refused' }).range(transaction.state.doc.line(line).from)),
      );
    }
    return transaction.docChanged ? Decoration.none : value;
  },
  provide: (field) => EditorView.decorations.from(field),
});

export interface EditorOptions {
  kind: 'query' | 'variables' | 'answer';
  label: string;
  text: string;
  onChange?: (text: string) => void;
  onRun?: () => void;
  onTidy?: () => void;
  onShowInDocs?: (field?: string, type?: string, parent?: string) => void;
}

/** Makes an editor inside `host`. Tab leaves it, as the keyboard expects; indentation is kept by the language. */
export function makeEditor(host: HTMLElement, options: EditorOptions): EditorView {
  const root = host.shadowRoot ?? host.attachShadow({ mode: 'open' });
  const frame = document.createElement('div');
  frame.style.height = '100%';
  root.replaceChildren(frame);
  const extensions: Extension[] = [
    lineNumbers(),
    foldGutter(),
    history(),
    drawSelection(),
    bracketMatching(),
    highlightSelectionMatches(),
    search({ top: true }),
    syntaxHighlighting(colours),
    theme,
    marks,
    EditorView.contentAttributes.of({ 'aria-label': options.label }),
  ];
  if (options.kind === 'answer') {
    extensions.push(EditorState.readOnly.of(true), EditorView.editable.of(false), json(), EditorView.contentAttributes.of({ tabindex: '0' }));
  } else {
    const run = { key: 'Mod-Enter', run: () => (options.onRun?.(), true) };
    const tidy = { key: 'Mod-Shift-f', run: () => (options.onTidy?.(), true) };
    extensions.push(
      keymap.of([run, tidy]),
      highlightActiveLine(),
      highlightActiveLineGutter(),
      indentOnInput(),
      closeBrackets(),
      autocompletion(),
      EditorView.updateListener.of((update) => {
        if (update.docChanged) options.onChange?.(update.state.doc.toString());
      }),
    );
    if (options.kind === 'query') extensions.push(graphql(undefined, { onShowInDocs: options.onShowInDocs }));
    else {
      const check = jsonParseLinter();
      extensions.push(json(), linter((view) => (view.state.doc.toString().trim() === '' ? [] : check(view))));
    }
  }
  extensions.push(keymap.of([...closeBracketsKeymap, ...defaultKeymap, ...searchKeymap, ...historyKeymap, ...foldKeymap, ...completionKeymap, ...lintKeymap]));
  return new EditorView({ state: EditorState.create({ doc: options.text, extensions }), parent: frame, root });
}

/** Replaces the text when it differs, and keeps the cursor where it can. */
export function setText(view: EditorView, text: string) {
  const old = view.state.doc.toString();
  if (old === text) return;
  const anchor = Math.min(view.state.selection.main.anchor, text.length);
  view.dispatch({ changes: { from: 0, to: old.length, insert: text }, selection: { anchor } });
}
