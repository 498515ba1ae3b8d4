// The schema as the server publishes it, and what its descriptions say about class and dataset.
import { buildSchema, getNamedType, isEnumType, isInputObjectType, isInterfaceType, isObjectType, type GraphQLSchema } from 'graphql';
import { useEffect, useState } from 'react';

export type SchemaState = { kind: 'loading' } | { kind: 'ready'; schema: GraphQLSchema } | { kind: 'closed' } | { kind: 'missing' };

/** Reads /schema.graphql; again after a sign-in, since an installation may keep its schema to those signed in. */
export function useSchema(account: string | null, headers: () => Promise<Record<string, string>>): SchemaState {
  const [state, setState] = useState<SchemaState>({ kind: 'loading' });
  useEffect(() => {
    let current = true;
    const load = async () => {
      try {
        const response = await fetch('/schema.graphql', { headers: await headers() });
        if (response.status === 401 || response.status === 403) return { kind: 'closed' } as const;
        if (!response.ok) return { kind: 'missing' } as const;
        return { kind: 'ready', schema: buildSchema(await response.text(), { assumeValid: true }) } as const;
      } catch {
        return { kind: 'missing' } as const;
      }
    };
    // A schema that is here already stays; it is the same for everybody who may see it.
    if (state.kind !== 'ready') void load().then((found) => current && setState(found));
    return () => {
      current = false;
    };
    // `state` is left out on purpose: a failed attempt is repeated after a sign-in, not at once.
  }, [account, headers]);
  return state;
}

export interface Found {
  type: string;
  field?: string;
  description: string;
}

/** Types and fields whose name or description holds every word, names first. */
export function findInSchema(schema: GraphQLSchema, text: string, limit: number): Found[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return [];
  const named: Found[] = [];
  const described: Found[] = [];
  const consider = (name: string, description: string, found: Found) => {
    const [a, b] = [name.toLowerCase(), `${name} ${description}`.toLowerCase()];
    if (words.every((word) => a.includes(word))) named.push(found);
    else if (words.every((word) => b.includes(word))) described.push(found);
  };
  for (const type of Object.values(schema.getTypeMap())) {
    if (type.name.startsWith('__')) continue;
    const description = type.description ?? '';
    if (!/(Filter|Order|Comparison|Edge|Connection)$/.test(type.name)) consider(type.name, description, { type: type.name, description });
    if (!isObjectType(type) && !isInterfaceType(type)) continue;
    if (/(Edge|Connection)$/.test(type.name)) continue;
    for (const field of Object.values(type.getFields())) {
      consider(`${type.name}.${field.name}`, field.description ?? '', { type: type.name, field: field.name, description: field.description ?? '' });
    }
  }
  return [...named, ...described].slice(0, limit);
}

/** What a description says beside its words; the server writes it into the lines after the first. */
export interface Described {
  text: string;
  dataClass: string;
  /** How the value looks to those who may see it masked only. */
  masked: string;
  custodian: string;
  /** Code and title of the dataset. */
  dataset: string;
}

/** Splits a description into its words and the marks that it states, so that they can be shown as marks. */
export function describe(description: string | null | undefined): Described {
  const [text = '', ...rest] = (description ?? '').split('\n').filter((line) => line.trim() !== '');
  const more = rest.join(' ');
  const find = (pattern: RegExp) => pattern.exec(more)?.[1]?.trim() ?? '';
  return {
    text,
    dataClass: find(/\b(OPEN|INTERNAL|PERSONAL|SENSITIVE)\b/),
    masked: find(/Masked 遮罩: (.+?)\.(?: |$)/),
    custodian: find(/Custodian 管理機關: (.+?)\.(?: |$)/),
    dataset: find(/Dataset 資料庫: (.+?)\.(?: |$)/),
  };
}

export interface Root {
  /** `parcels`, `parcel` */
  names: string[];
  type: string;
  text: string;
}

/** Where a query can start, by dataset: fields that lead to the same type stand together. */
export function rootsByDataset(schema: GraphQLSchema): [string, Root[]][] {
  const groups = new Map<string, Map<string, Root>>();
  for (const field of Object.values(schema.getQueryType()?.getFields() ?? {})) {
    let target = getNamedType(field.type);
    const nodes = isObjectType(target) ? target.getFields().nodes : undefined;
    if (nodes) target = getNamedType(nodes.type);
    const { text, dataset } = describe(target.description);
    const group = groups.get(dataset) ?? new Map<string, Root>();
    groups.set(dataset, group);
    const root = group.get(target.name) ?? { names: [], type: target.name, text };
    group.set(target.name, root);
    root.names.push(field.name);
  }
  // What the five datasets share comes after them.
  const last = (dataset: string) => (dataset.startsWith('shared') ? 1 : 0);
  return [...groups].sort(([a], [b]) => last(a) - last(b)).map(([dataset, roots]) => [dataset, [...roots.values()]]);
}

/** A type that has something to show when it is opened. */
export function opens(schema: GraphQLSchema, name: string): boolean {
  const type = schema.getType(name);
  return type !== undefined && (isObjectType(type) || isInputObjectType(type) || isEnumType(type) || type.description != null);
}

export { getNamedType };
