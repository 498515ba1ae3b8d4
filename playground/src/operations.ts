// The ready-made operations: reads the comment at the front of each file in playground/operations.
export interface Operation {
  id: string;
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
  variables: string;
  query: string;
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
  return {
    id,
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
    variables: entry('variables'),
    query: `${lines.slice(end).join('\n').trim()}\n`,
  };
}

const files = import.meta.glob('../operations/*.graphql', { query: '?raw', import: 'default', eager: true });

export const operations: Operation[] = Object.entries(files as Record<string, string>)
  .sort(([a], [b]) => (a < b ? -1 : 1))
  .map(([path, text]) => readOperation(path.replace(/.*\/|\.graphql$/g, ''), text));
