// The operation as code that runs elsewhere. The token is never copied: it stands for itself as $TOKEN.
export const kinds = ['curl', 'JavaScript', 'Python'];

export function copyAs(kind: string, query: string, variables: string, name: string | null, headers: [string, string][]): string {
  const body: Record<string, unknown> = { query };
  try {
    if (variables.trim() !== '') body.variables = JSON.parse(variables) as unknown;
  } catch {
    // unreadable variables are left out; the editor marks them
  }
  if (name) body.operationName = name;
  const url = `${location.origin}/graphql`;
  const all: [string, string][] = [['Content-Type', 'application/json'], ...headers];
  if (kind === 'curl') {
    const lines = all.map(([key, value]) => `  -H ${quote(`${key}: ${value}`)} \\\n`).join('');
    return `curl -sS ${url} \\\n  -H "Authorization: Bearer $TOKEN" \\\n${lines}  --data-binary ${quote(JSON.stringify(body))}\n`;
  }
  if (kind === 'Python') {
    const lines = headers.map(([key, value]) => `, ${JSON.stringify(key)}: ${JSON.stringify(value)}`).join('');
    return [
      'import json, os, urllib.request',
      `body = json.loads(${JSON.stringify(JSON.stringify(body))})`,
      `headers = {"Content-Type": "application/json", "Authorization": "Bearer " + os.environ["TOKEN"]${lines}}`,
      `request = urllib.request.Request(${JSON.stringify(url)}, json.dumps(body).encode(), headers)`,
      'print(json.load(urllib.request.urlopen(request)))',
      '',
    ].join('\n');
  }
  const lines = all.map(([key, value]) => `    ${JSON.stringify(key)}: ${JSON.stringify(value)},\n`).join('');
  return `const response = await fetch(${JSON.stringify(url)}, {
  method: 'POST',
  headers: {
    Authorization: \`Bearer \${process.env.TOKEN}\`,
${lines}  },
  body: JSON.stringify(${JSON.stringify(body, null, 2).replace(/\n/g, '\n  ')}),
});
console.log(await response.json());
`;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
