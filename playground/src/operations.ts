// The ready-made operations: reads the comment at the front of each file in playground/operations.
export type Group = 'data' | 'procedure';

/** A variable that earlier operations of the group answer. */
export interface Take {
  variable: string;
  /** Number of that operation, `02`; or of the first and last of several, of which the last one answered counts. */
  first: string;
  last: string;
  /** Where in its answer: a JSON pointer, with `*` for each of a list. */
  pointer: string;
}

export interface Operation {
  id: string;
  group: Group;
  /** Place in its group, `02`. */
  number: string;
  title: string;
  titleZh: string;
  /** Who asks, and why. */
  says: string;
  saysZh: string;
  account: string;
  purpose: string;
  caseNumber: string;
  /** How to find another value for a variable. */
  find: string;
  findZh: string;
  /** The part of the officials' question that needs an aggregate. */
  later: string;
  laterZh: string;
  takes: Take[];
  variables: string;
  query: string;
  /** Name of the operation that is the point of the document; others in it help to find values. */
  name: string;
}

/** `# key: value`, continued on lines that start with `#   `. */
export function readOperation(id: string, text: string): Operation {
  const lines = text.split('\n');
  const end = lines.findIndex((line) => !line.startsWith('#'));
  const entries = new Map<string, string>();
  let key = '';
  for (const line of lines.slice(0, end)) {
    const start = /^# ([a-z-]+|[一-鿿]+): ?(.*)$/.exec(line);
    if (start) {
      key = start[1] ?? '';
      entries.set(key, start[2] ?? '');
    } else if (key !== '') {
      const more = line.replace(/^# ? ? ?/, '');
      const glue = key === 'variables' ? '\n' : /[　-鿿＀-￯]$/.test(entries.get(key) ?? '') ? '' : ' ';
      entries.set(key, `${entries.get(key) ?? ''}${glue}${more}`.trim());
    }
  }
  const entry = (name: string) => entries.get(name) ?? '';
  const query = `${lines.slice(end).join('\n').trim()}\n`;
  return {
    id,
    group: id.startsWith('procedure/') ? 'procedure' : 'data',
    number: /\d+/.exec(id)?.[0] ?? '',
    title: entry('title'),
    titleZh: entry('標題'),
    says: entry('asks'),
    saysZh: entry('說明'),
    account: entry('account'),
    purpose: entry('purpose'),
    caseNumber: entry('case'),
    find: entry('find'),
    findZh: entry('取值'),
    later: entry('later'),
    laterZh: entry('留待'),
    takes: [...entry('takes').matchAll(/(\w+) from (\d+)(?:-(\d+))? ([^\s,]+)/g)].map(([, variable = '', first = '', last = first, pointer = '']) => ({ variable, first, last, pointer })),
    variables: entry('variables'),
    query,
    name: /^(?:query|mutation) (\w+)/m.exec(query)?.[1] ?? '',
  };
}

const files = import.meta.glob(['../operations/*.graphql', '../operations/procedure/*.graphql'], { query: '?raw', import: 'default', eager: true });

export const operations: Operation[] = Object.entries(files as Record<string, string>)
  .map(([path, text]) => readOperation(path.replace(/^.*operations\/|\.graphql$/g, ''), text))
  .sort((a, b) => (a.group === b.group ? a.id.localeCompare(b.id) : a.group === 'data' ? -1 : 1));
