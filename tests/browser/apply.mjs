// From a refusal to an application, and the news of its decision: on the page what people do there, the steps of the
// others through the API. What was applied for is taken back at the end.
import { signIn } from './operations.mjs';
import { Watch } from './browser.mjs';

/** On a page that is in Chinese and signed out. */
export async function applyAndBeTold({ url, browser, page, step, must }) {
  const on = (where, name) => where.locator(`[data-part="${name}"]`);
  let number = '';

  await step('12-apply', async () => {
    await signInOn(page, on, 'newcomer');
    await page.locator('[data-operation="procedure/14-ask-again"]').click();
    await on(page, 'run').click();
    await on(page, 'missing').getByText('臺北市政府民政局').waitFor();
    await on(page, 'apply').getByText('申請所缺項目').waitFor();
    await on(page, 'apply').focus();
    await page.keyboard.press('Enter');
    const dialog = page.getByRole('dialog', { name: '申請所缺項目' });
    must((await dialog.getByLabel('目的').inputValue()) === 'fire-safety', 'the purpose that was asked for is the one applied for');
    await dialog.getByLabel('法律依據').fill(' ');
    await dialog.getByLabel('理由').fill('複查不合格場所');
    await on(page, 'draft').click();
    await dialog.getByRole('alert').getByText('應載明法律依據').waitFor();
    must((await dialog.getByLabel('理由').inputValue()) === '複查不合格場所', 'what was typed stays after a refusal');
    await dialog.getByLabel('法律依據').fill('消防法第六條');
    await on(page, 'draft').dblclick();
    await on(page, 'draft-number').waitFor();
    number = (await on(page, 'draft-number').getAttribute('data-number')) ?? '';
    must(/^A-\d{4}-\d{4}$/.test(number), `the number of the draft is shown: ${number}`);
  });

  await step('13-the-draft', async () => {
    await page.keyboard.press('Escape');
    must((await page.evaluate(() => document.activeElement?.dataset.part)) === 'apply', 'the focus goes back to where it came from');
    await on(page, 'apply').click();
    await on(page, 'show-application').click();
    await on(page, 'run').click();
    await page.locator('.pane.answer').getByText(number).waitFor();
  });

  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, locale: 'en-US' });
  const desk = await context.newPage();
  const watch = new Watch(desk, url);
  const accounts = await (await fetch(`${url}/playground/demo.json`)).json();
  const as = async (account, query, variables) => {
    const { token } = await signIn(url, accounts.find((entry) => entry.account === account));
    const headers = { 'Content-Type': 'application/json', Authorization: `Bearer ${token}` };
    const answer = await (await fetch(`${url}/graphql`, { method: 'POST', headers, body: JSON.stringify({ query, variables }) })).json();
    must(!answer.errors, `${account}: ${JSON.stringify(answer.errors)}`);
    return answer.data;
  };
  const unread = async () => Number(await on(desk, 'inbox').getAttribute('data-unread'));

  await step(
    '14-the-inbox',
    async () => {
      await desk.goto(`${url}/`);
      const listed = desk.waitForResponse((response) => response.request().postData()?.includes('query Inbox') ?? false);
      await signInOn(desk, on, 'fire.admin');
      await listed;
      await desk.locator('[data-part="inbox"][data-live="true"]').waitFor();
      const drafts = (await as('fire.admin', '{ applications(status: DRAFT) { title number draftedBy } }')).applications;
      must(drafts.filter((draft) => draft.title.includes('複查不合格場所') && draft.number >= number).length === 1, 'a double click drafts once');
      await as('fire.admin', 'mutation($number: String!) { submitApplication(number: $number, revision: 1) { number } }', { number });
      await desk.locator('[data-part="inbox"]:not([data-unread="0"])').waitFor(); // the demo was made by the procedure
      const before = await unread();
      const decide = 'mutation($number: String!) { decideAnnex(number: $number, revision: 2, decision: APPROVE) { number } }';
      await as('household.dba', decide, { number });
      await desk.locator(`[data-part="inbox"][data-unread="${before + 1}"]`).waitFor();
      await desk.getByRole('button', { name: before === 0 ? 'Inbox, 1 unread notice' : `Inbox, ${before + 1} unread notices` }).click();
      const inbox = desk.getByRole('dialog', { name: 'Inbox' });
      const newest = inbox.locator('[data-notice]').first();
      await newest.getByText('civil-affairs has decided').waitFor();
      await newest.getByText(number).waitFor();
      await newest.getByRole('button', { name: 'Mark as read' }).click();
      await desk.locator(`[data-part="inbox"][data-unread="${before}"]`).waitFor({ state: 'attached' });
    },
    desk,
  );
  await desk.keyboard.press('Escape');
  must((await desk.evaluate(() => document.activeElement?.dataset.part)) === 'inbox', 'the focus goes back to the inbox');
  await as('fire.admin', 'mutation($number: String!) { withdrawApplication(number: $number, revision: 3) { number } }', { number });
  await context.close();
  watch.check();
}

async function signInOn(page, on, account) {
  await on(page, 'sign-in').click();
  await page.locator(`[data-account="${account}"]`).click();
  await on(page, 'account').getByText(account).waitFor();
}
