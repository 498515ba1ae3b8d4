// What the custodians let be applied for: the terms that an application to several of them has to keep.
import { askProcedure, type Purpose } from './server.ts';

interface Offer {
  custodian: string;
  purposes: Purpose[];
  legalBases: string[];
  longestDays: number;
}

/** Of several custodians together; an empty list leaves it to the applicant, and so do no days. */
export interface Terms {
  purposes: Purpose[];
  legalBases: string[];
  longestDays: number | null;
}

export const FREE: Terms = { purposes: [], legalBases: [], longestDays: null };

const OFFERS = `query Offers {
  offers { custodian purposes { code title } legalBases longestDays }
}`;

export async function loadTerms(custodians: string[], headers: Record<string, string>): Promise<Terms> {
  const { offers } = (await askProcedure(OFFERS, {}, headers)) as { offers: Offer[] };
  const asked = offers.filter(({ custodian }) => custodians.includes(custodian));
  return {
    purposes: inAll(asked.map(({ purposes }) => purposes), ({ code }) => code),
    legalBases: inAll(asked.map(({ legalBases }) => legalBases), (basis) => basis),
    longestDays: asked.length > 0 ? Math.min(...asked.map(({ longestDays }) => longestDays)) : null,
  };
}

/** What stands in each of the lists that name anything. */
function inAll<Value>(lists: Value[][], key: (value: Value) => string): Value[] {
  const [first = [], ...others] = lists.filter((list) => list.length > 0);
  return first.filter((value) => others.every((list) => list.some((one) => key(one) === key(value))));
}

/** Today where the city is, and days after; as date inputs write it. */
export function dayAfter(day: string, days: number): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) + days * 86_400_000).toISOString().slice(0, 10);
}

export function today(): string {
  return new Intl.DateTimeFormat('en-CA', { timeZone: 'Asia/Taipei' }).format(new Date());
}
