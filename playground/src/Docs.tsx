// The schema to read: where a query can start, types with their fields, classes and custodians, and a search.
import { isEnumType, isInputObjectType, isObjectType, type GraphQLArgument, type GraphQLField, type GraphQLInputField, type GraphQLSchema } from 'graphql';
import { useEffect, useMemo, useRef, useState } from 'react';
import { describe, findInSchema, getNamedType, opens, rootsByDataset, type SchemaState } from './schema.ts';
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
        <>{place ? <TypePage key={place.type} words={words} schema={schema} place={place} onGo={go} /> : <RootPage words={words} schema={schema} onGo={go} />}</>
      )}
    </div>
  );
}

interface PageProps {
  words: Words;
  schema: GraphQLSchema;
  onGo: (place: Place) => void;
}

function RootPage({ words, schema, onGo }: PageProps) {
  const groups = useMemo(() => rootsByDataset(schema), [schema]);
  return (
    <>
      <h2>{words.roots}</h2>
      {groups.map(([dataset, roots]) => (
        <section key={dataset} className="roots">
          <h3>{dataset || words.procedureGroup}</h3>
          <ul>
            {roots.map(({ names, type, text }) => (
              <li key={type}>
                <div className="field-head">
                  {names.map((name) => (
                    <button key={name} className="plain field-name" onClick={() => onGo({ type: 'Query', field: name })}>
                      <code>{name}</code>
                    </button>
                  ))}
                  <button className="plain type" onClick={() => onGo({ type })}>
                    <code>{type}</code>
                  </button>
                </div>
                <p>{text}</p>
              </li>
            ))}
          </ul>
        </section>
      ))}
    </>
  );
}

function TypePage({ words, schema, place, onGo }: PageProps & { place: Place }) {
  const target = useRef<HTMLLIElement>(null);
  useEffect(() => void target.current?.scrollIntoView({ block: 'center' }), [place]);
  const type = schema.getType(place.type);
  if (!type) return <p className="soft none">{words.noMatch}</p>;
  const about = describe(type.description);
  const fields = isObjectType(type) || isInputObjectType(type) ? Object.values(type.getFields()) : [];
  return (
    <>
      {type.description && (
        <div className="type-head">
          <p>{about.text}</p>
          {about.dataset && (
            <p className="soft">
              {words.dataset}: {about.dataset}
            </p>
          )}
          {about.custodian && (
            <p className="soft">
              {words.custodian}: {about.custodian}
            </p>
          )}
        </div>
      )}
      <ul className="fields" aria-label={isInputObjectType(type) ? words.inputFields : words.fields}>
        {fields.map((field) => (
          <li key={field.name} ref={field.name === place.field ? target : null} className={field.name === place.field ? 'chosen' : ''}>
            <FieldEntry words={words} schema={schema} field={field} custodian={about.custodian} onGo={onGo} open={field.name === place.field} />
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
  /** The type's; a field that another dataset adds has its own. */
  custodian: string;
  onGo: (place: Place) => void;
  open: boolean;
}

function FieldEntry({ words, schema, field, custodian, onGo, open }: FieldProps) {
  const about = describe(field.description);
  const inputs: readonly GraphQLArgument[] = 'args' in field ? field.args : [];
  return (
    <>
      <div className="field-head">
        <code className="field-name">{field.name}</code>
        <TypeLink schema={schema} type={field.type} onGo={onGo} />
        {about.dataClass && <span className={`chip class-${about.dataClass.toLowerCase()}`}>{about.dataClass}</span>}
        {about.masked && (
          <span className="chip" title={words.masked}>
            {about.masked}
          </span>
        )}
      </div>
      {about.text && <p>{about.text}</p>}
      {about.custodian && about.custodian !== custodian && (
        <p className="from">
          {words.custodian}: {about.custodian}
        </p>
      )}
      {inputs.length > 0 && (
        <details open={open}>
          <summary>
            {words.arguments}: {inputs.map(({ name }) => name).join(', ')}
          </summary>
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

interface LinkProps {
  schema: GraphQLSchema;
  type: GraphQLInputField['type'] | GraphQLField<unknown, unknown>['type'];
  onGo: (place: Place) => void;
}

function TypeLink({ schema, type, onGo }: LinkProps) {
  const { name } = getNamedType(type);
  if (!opens(schema, name)) return <code className="type">{String(type)}</code>;
  return (
    <button className="plain type" onClick={() => onGo({ type: name })}>
      <code>{String(type)}</code>
    </button>
  );
}
