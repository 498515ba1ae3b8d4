// What the page asks of the server, and the shapes of what it answers. Keeping the session is left to session.ts.
export interface Tokens {
  access_token: string;
  expires_in: number;
  refresh_token: string;
  /** Only when the password ends within two weeks. */
  password_expires_in_days?: number;
}

export interface DemoAccount {
  account: string;
  password: string;
  agency: string;
  role: string;
  form: string | null;
  says: string;
  saysZh: string;
}

export interface Purpose {
  code: string;
  title: string;
}

export interface Form {
  number: string;
  title: string;
  purposes: Purpose[];
  caseRequired: boolean;
}

export interface Person {
  account: string;
  agency: string;
  name: string;
  roles: string[];
  forms: Form[];
}

/** A refusal or failure in the server's words. */
export class Refusal extends Error {
  readonly code: string;
  readonly status: number;
  constructor(message: string, code: string, status: number) {
    super(message);
    this.code = code;
    this.status = status;
  }
}

/** Reads JSON, or throws the error that the server sent in its place. */
export async function readJson(response: Response): Promise<unknown> {
  const body: unknown = await response.json().catch(() => null);
  if (response.ok) return body;
  const bag = (body ?? {}) as Record<string, unknown>;
  const first = (Array.isArray(bag.errors) ? bag.errors[0] : (bag.error ?? bag)) as Record<string, unknown> | string;
  if (typeof first === 'string') {
    throw new Refusal(String(bag.error_description ?? bag.message ?? first), first, response.status);
  }
  const extensions = (first.extensions ?? {}) as Record<string, unknown>;
  const code = String(first.code ?? extensions.code ?? response.status);
  throw new Refusal(String(first.message ?? response.statusText), code, response.status);
}

export async function post(path: string, body: unknown, headers: Record<string, string>): Promise<unknown> {
  const response = await fetch(path, {
    method: 'POST',
    headers: { ...headers, 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  });
  return readJson(response);
}

/** Asks the procedure a question, or takes one step of it; a refusal is thrown with all that the server says. */
export async function askProcedure(query: string, variables: unknown, headers: Record<string, string>): Promise<Record<string, unknown>> {
  const response = await fetch('/graphql', {
    method: 'POST',
    headers: { ...headers, 'Content-Type': 'application/json' },
    body: JSON.stringify({ query, variables }),
  });
  const body = (await response.json().catch(() => ({}))) as { data?: Record<string, unknown>; errors?: { message: string; extensions?: { code?: string } }[] };
  const first = body.errors?.[0];
  if (first) throw new Refusal(body.errors?.map(({ message }) => message).join('\n') ?? '', first.extensions?.code ?? '', response.status);
  if (!body.data) throw new Refusal(`HTTP ${response.status}`, String(response.status), response.status);
  return body.data;
}

/** The demonstration's accounts; none on a real installation, which answers without content. */
export async function loadDemoAccounts(): Promise<DemoAccount[]> {
  try {
    const response = await fetch('/playground/demo.json');
    if (response.status !== 200) return [];
    const all = (await response.json()) as Partial<DemoAccount>[];
    return all.filter((entry): entry is DemoAccount => typeof entry.account === 'string');
  } catch {
    return [];
  }
}

/** Who is signed in and under which forms they may ask. */
export async function loadPerson(headers: Record<string, string>): Promise<Person> {
  const person = (await readJson(await fetch('/auth/me', { headers }))) as Record<string, unknown>;
  const forms = (Array.isArray(person.forms) ? person.forms : []) as Record<string, unknown>[];
  return {
    account: String(person.account ?? ''),
    agency: String(person.agencyTitle ?? person.agency ?? ''),
    name: String(person.name ?? person.account ?? ''),
    roles: (Array.isArray(person.roles) ? person.roles : []).map(String),
    forms: forms.map((form) => ({
      number: String(form.number),
      title: String(form.title ?? ''),
      purposes: (Array.isArray(form.purposes) ? form.purposes : []).map(readPurpose),
      caseRequired: form.caseRequired === true,
    })),
  };
}

function readPurpose(value: unknown): Purpose {
  if (typeof value === 'string') return { code: value, title: value };
  const bag = value as Record<string, unknown>;
  return { code: String(bag.code), title: String(bag.title ?? bag.code) };
}
