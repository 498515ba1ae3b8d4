// The schema to read: where a query can start, types with their fields, classes and custodians, and a search.
import { isEnumType, isInputObjectType, isObjectType, type GraphQLArgument, type GraphQLField, type GraphQLInputField, type GraphQLSchema } from 'graphql';
import { useEffect, useMemo, useRef, useState } from 'react';
import { describe, details, findInSchema, getNamedType, opens, type SchemaState } from './schema.ts';
import type { Words } from './words.ts';

export interface Place {
  type: string;
  field?: string;
}

interface Props {
  words: Words;
  state: SchemaState;
  place: Place | null;
  onPlace: (place: Place | null) => void;
}

export function Docs({ words, state, place, onPlace }: Props) {
  const [text, setText] = useState('');
  const [past, setPast] = useState<(Place | null)[]>([]);
  const schema = state.kind === 'ready' ? state.schema : null;
  const found = useMemo(() => (schema && text.trim() ? findInSchema(schema, text, 60) : null), [schema, text]);
  const go = (next: Place) => {
    setPast((all) => [...all, place]);
    setText('');
    onPlace(next);
  };
  const back = () => {
    onPlace(past.at(-1) ?? null);
    setPast((all) => all.slice(0, -1));
  };

  if (!schema) {
    const said = { loading: words.schemaLoading, closed: words.schemaSignIn, missing: words.schemaMissing, ready: '' }[state.kind];
    return (
      <div className="scroll" role="tabpanel">
        <p className="soft none">{said}</p>
      </div>
    );
  }
  return (
    <div className="scroll docs" role="tabpanel">
      <div className="filter">
        <input type="search" value={text} onChange={(event) => setText(event.target.value)} placeholder={words.findInSchema} aria-label={words.findInSchema} />
        {!found && place && (
          <div className="crumb">
            <button className="plain" onClick={back}>
              ← {words.back}
            </button>
            <code>{place.type}</code>
          </div>
        )}
      </div>
      {found ? (
        <ul className="found">
          {found.map(({ type, field, description }) => (
            <li key={`${type}.${field ?? ''}`}>
              <button onClick={() => go({ type, field })}>
                <code>{field ? `${type}.${field}` : type}</code>
                <small>{describe(description).text}</small>
              </button>
            </li>
          ))}
          {found.length === 0 && <li className="soft none">{words.noMatch}</li>}
        </ul>
      ) : (
        <TypePage key={place?.type ?? ''} words={words} schema={schema} place={place} onGo={go} />
      )}
    </div>
  );
}

interface PageProps {
  words: Words;
  schema: GraphQLSchema;
  place: Place | null;
  onGo: (place: Place) => void;
}

function TypePage({ words, schema, place, onGo }: PageProps) {
  const target = useRef<HTMLLIElement>(null);
  useEffect(() => void target.current?.scrollIntoView({ block: 'center' }), [place]);
  const type = schema.getType(place?.type ?? 'Query');
  if (!type) return <p className="soft none">{words.noMatch}</p>;
  const atRoot = place === null;
  const fields = isObjectType(type) || isInputObjectType(type) ? Object.values(type.getFields()) : [];
  return (
    <>
      <div className="type-head">
        {atRoot && <h2>{words.roots}</h2>}
        {!atRoot && type.description && <p className="prose">{type.description}</p>}
      </div>
      <ul className="fields" aria-label={isInputObjectType(type) ? words.inputFields : words.fields}>
        {fields.map((field) => (
          <li key={field.name} ref={field.name === place?.field ? target : null} className={field.name === place?.field ? 'chosen' : ''}>
            <FieldEntry words={words} schema={schema} field={field} onGo={onGo} open={field.name === place?.field} />
          </li>
        ))}
        {isEnumType(type) &&
          type.getValues().map((value) => (
            <li key={value.name}>
              <code>{value.name}</code>
              <p>{value.description}</p>
            </li>
          ))}
      </ul>
    </>
  );
}

interface FieldProps {
  words: Words;
  schema: GraphQLSchema;
  field: GraphQLField<unknown, unknown> | GraphQLInputField;
  onGo: (place: Place) => void;
  open: boolean;
}

function FieldEntry({ words, schema, field, onGo, open }: FieldProps) {
  const { text, dataClass } = describe(field.description);
  const more = details(field.description);
  const inputs: readonly GraphQLArgument[] = 'args' in field ? field.args : [];
  return (
    <>
      <div className="field-head">
        <code className="field-name">{field.name}</code>
        <TypeLink schema={schema} type={field.type} onGo={onGo} />
        {dataClass && <span className={`chip class-${dataClass.toLowerCase()}`}>{dataClass}</span>}
      </div>
      {text && <p>{text}</p>}
      {(more || inputs.length > 0) && (
        <details open={open}>
          <summary>{inputs.length > 0 ? `${words.arguments}: ${inputs.map(({ name }) => name).join(', ')}` : '…'}</summary>
          {more && <p className="prose soft">{more}</p>}
          {inputs.map((input) => (
            <p key={input.name} className="argument">
              <code>{input.name}</code> <TypeLink schema={schema} type={input.type} onGo={onGo} /> {input.description}
            </p>
          ))}
        </details>
      )}
    </>
  );
}

function TypeLink({ schema, type, onGo }: { schema: GraphQLSchema; type: GraphQLInputField['type'] | GraphQLField<unknown, unknown>['type']; onGo: (place: Place) => void }) {
  const name = getNamedType(type).name;
  if (!opens(schema, name)) return <code className="type">{String(type)}</code>;
  return (
    <button className="plain type" onClick={() => onGo({ type: name })}>
      <code>{String(type)}</code>
    </button>
  );
}
