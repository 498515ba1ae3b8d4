// Walks the ready-made operations of the procedure in their order, each as the demonstration account that its comment
// names, with what earlier answers give. The last ones take everything back, so that it can be walked again.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { read, signIn } from './operations.mjs';

const folder = fileURLToPath(new URL('../../playground/operations/procedure/', import.meta.url));

export async function walkProcedure(url) {
  const accounts = await (await fetch(`${url}/playground/demo.json`)).json();
  const answers = new Map();
  for (const file of readdirSync(folder).sort()) {
    const operation = read(readFileSync(join(folder, file), 'utf8'));
    const account = accounts.find((entry) => entry.account === operation.account);
    if (!account) throw new Error(`${file}: there is no demonstration account ${operation.account}`);
    // Signed in anew each time: rights have changed on the way.
    const { token, forms } = await signIn(url, account);
    const form = forms.find(({ purposes }) => purposes.some((purpose) => (purpose.code ?? purpose) === operation.purpose));
    if (operation.purpose && !form) throw new Error(`${file}: ${account.account} holds no form with purpose ${operation.purpose}`);
    const headers = { 'Content-Type': 'application/json', Authorization: `Bearer ${token}` };
    if (form) Object.assign(headers, { 'X-Form': form.number, 'X-Purpose': operation.purpose, 'X-Case-Number': operation.caseNumber });
    for (const variables of filledIn(operation, answers)) {
      const body = JSON.stringify({ query: operation.query, variables, operationName: operation.names[0] });
      const answer = await (await fetch(`${url}/graphql`, { method: 'POST', headers, body })).json();
      if (answer.errors) throw new Error(`${file} as ${account.account}: ${answer.errors.map(({ message }) => message).join('; ')}`);
      answers.set(file.slice(0, 2), answer);
    }
    console.log(`ok procedure/${file} as ${account.account}`);
    for (const name of operation.names.slice(1)) {
      const body = JSON.stringify({ query: operation.query, variables: filledIn(operation, answers)[0], operationName: name });
      const answer = await (await fetch(`${url}/graphql`, { method: 'POST', headers, body })).json();
      if (answer.errors) throw new Error(`${file} ${name}: ${answer.errors.map(({ message }) => message).join('; ')}`);
    }
  }
  if (!(answers.get('14').data.usePermit?.parcels.length > 0)) throw new Error('what was applied for was not answered with a row');
}

/** The variables with what was answered before; several of them where each of a list is meant. */
function filledIn({ variables = {}, takes }, answers) {
  let all = [variables];
  for (const { variable, from, pointer } of takes) {
    const [front, each] = pointer.split('/*');
    const at = (value, path) => path.split('/').slice(1).reduce((part, key) => part[key], value);
    const found = at(answers.get(from), front);
    const values = each === undefined ? [found] : found.map((one) => at(one, each));
    all = values.flatMap((value) => all.map((one) => ({ ...one, [variable]: value })));
  }
  return all;
}
