// Runs every ready-made operation as the demonstration account that its comment names, as the page would.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('../../playground/operations/', import.meta.url));

export async function tryOperations(url) {
  const accounts = await (await fetch(`${url}/playground/demo.json`)).json();
  const tokens = new Map();
  const faults = [];
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.graphql')).sort()) {
    const operation = read(readFileSync(join(folder, file), 'utf8'));
    const account = accounts.find((entry) => entry.account === operation.account);
    if (!account) {
      faults.push(`${file}: there is no demonstration account ${operation.account}`);
      continue;
    }
    if (!tokens.has(account.account)) tokens.set(account.account, await signIn(url, account));
    const { token, forms } = tokens.get(account.account);
    const code = (purpose) => purpose.code ?? purpose;
    const form = forms.find(({ purposes }) => purposes.some((purpose) => code(purpose) === operation.purpose));
    if (!form) {
      faults.push(`${file}: ${account.account} holds no form with purpose ${operation.purpose}`);
      continue;
    }
    for (const name of operation.names) {
      const headers = {
        'Content-Type': 'application/json',
        Authorization: `Bearer ${token}`,
        'X-Form': form.number,
        'X-Purpose': operation.purpose,
        'X-Case-Number': operation.caseNumber,
      };
      const body = JSON.stringify({ query: operation.query, variables: operation.variables, operationName: name });
      const answer = await (await fetch(`${url}/graphql`, { method: 'POST', headers, body })).json();
      const rows = count(answer.data);
      if (answer.errors) {
        for (const { message, extensions } of answer.errors) faults.push(`${file} ${name}: ${extensions?.code} ${message}`);
      } else if (rows === 0) faults.push(`${file} ${name}: no row`);
      else console.log(`ok ${file} ${name} as ${account.account}: ${rows} rows at the root`);
    }
  }
  if (faults.length > 0) throw new Error(`ready-made operations:\n  ${faults.join('\n  ')}`);
}

export async function signIn(url, { account, password }) {
  const headers = { 'Content-Type': 'application/json' };
  const answer = await fetch(`${url}/auth/sign-in`, { method: 'POST', headers, body: JSON.stringify({ account, password }) });
  const { access_token: token } = await answer.json();
  const { forms } = await (await fetch(`${url}/auth/me`, { headers: { Authorization: `Bearer ${token}` } })).json();
  return { token, forms };
}

/** What the comment in front says; the page reads more of it. */
export function read(text) {
  const entry = (key) => new RegExp(`^# ${key}: (.*)$`, 'm').exec(text)?.[1].trim() ?? '';
  const front = /^(?:#.*\n)*/.exec(text)[0].replace(/^# ?/gm, '');
  const variables = /^variables: ([\s\S]*)$/m.exec(front)?.[1]; // always the last entry
  const query = text.replace(/^#.*\n/gm, '');
  return {
    account: entry('account'),
    purpose: entry('purpose'),
    caseNumber: entry('case'),
    variables: variables ? JSON.parse(variables) : undefined,
    query,
    takes: [...entry('takes').matchAll(/(\w+) from (?:\d+-)?(\d+) ([^\s,]+)/g)].map(([, variable, from, pointer]) => ({ variable, from, pointer })),
    names: [...query.matchAll(/^(?:query|mutation) (\w+)/gm)].map(([, name]) => name),
  };
}

/** Rows at the root: of a connection its nodes, of one row one. */
function count(data) {
  const roots = Object.values(data ?? {});
  return roots.reduce((sum, root) => sum + (root === null ? 0 : (root.nodes?.length ?? 1)), 0);
}
