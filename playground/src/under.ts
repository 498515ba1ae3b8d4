// Form, purpose and case number: what an operation is asked under, and what of it a person holds.
import { headerValue } from './answer.ts';
import type { Form } from './server.ts';

/** It goes out as X-Form, X-Purpose and X-Case-Number. */
export interface Under {
  form: string;
  purpose: string;
  caseNumber: string;
}

export const NOTHING: Under = { form: '', purpose: '', caseNumber: '' };

/**
 * Form and purpose as far as they are held. A purpose that is wished for is looked for in all forms, the chosen one first;
 * what is chosen stays as long as it is held.
 */
export function settle(forms: Form[], under: Under, wished: string): Under {
  const purpose = wished || under.purpose;
  const chosen = forms.find(({ number }) => number === under.form);
  const serves = (form: Form | undefined) => form?.purposes.some(({ code }) => code === purpose) ?? false;
  const form = serves(chosen) ? chosen : (forms.find(serves) ?? chosen ?? forms[0]);
  return { ...under, form: form?.number ?? '', purpose: serves(form) ? purpose : (form?.purposes[0]?.code ?? purpose) };
}

export function headersOf({ form, purpose, caseNumber }: Under): [string, string][] {
  const all: [string, string][] = [
    ['X-Form', form],
    ['X-Purpose', purpose],
    ['X-Case-Number', caseNumber.trim()],
  ];
  return all.filter(([, value]) => value !== '').map(([name, value]) => [name, headerValue(value)]);
}
