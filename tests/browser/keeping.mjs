// What stays on the page and what goes: across a language, a reload, another account, a session that ended, a copied tab.
import { Watch } from './browser.mjs';
import { hands } from './hands.mjs';

export async function keepAndClear({ url, browser, step, must }) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, locale: 'en-US' });
  const page = await context.newPage();
  const watch = new Watch(page, url);
  const { on, run, signIn } = hands(page);
  const [form, purpose, caseNumber] = [page.locator('.under select').first(), page.locator('.under select').nth(1), page.locator('.under input')];
  const query = page.locator('.pane.query .cm-content').first();
  const variables = page.locator('.pane.query .cm-content').nth(1);
  const answer = page.locator('.pane.answer .cm-content');
  const put = async (editor, text) => {
    await editor.click();
    await page.keyboard.press('Control+a');
    await page.keyboard.insertText(text);
  };
  const focused = () => page.evaluate(() => document.activeElement?.dataset.part);
  /** As if somebody ended the session from elsewhere. */
  const endSession = () =>
    page.evaluate(async () => {
      const { access, refresh } = JSON.parse(sessionStorage.getItem('session'));
      const headers = { 'Content-Type': 'application/json', Authorization: `Bearer ${access}` };
      await fetch('/auth/sign-out', { method: 'POST', headers, body: JSON.stringify({ refresh_token: refresh }) });
    });

  await step(
    '15-what-was-chosen-stays',
    async () => {
      await page.goto(`${url}/`);
      await page.locator('[data-operation]').first().waitFor();
      await page.keyboard.press('Tab');
      must(await page.locator('.skip:focus').count(), 'the keyboard begins at the top');
      await signIn('fire.officer');
      must((await focused()) === 'account', 'the focus is where it is said who is signed in');
      await purpose.selectOption('fire-rescue');
      await caseNumber.fill('119-R%7');
      await put(variables, '{"no": "115使字第0002號"}');
      const chosen = async (when) => {
        must((await purpose.inputValue()) === 'fire-rescue', `the purpose stays ${when}`);
        must((await caseNumber.inputValue()) === '119-R%7', `the case number stays ${when}`);
        must((await variables.innerText()).includes('0002'), `the variables stay ${when}`);
      };
      await on('language').click();
      await page.getByRole('tab', { name: '查詢範例' }).waitFor();
      await page.waitForTimeout(300); // what a language asks anew would be there by now
      await chosen('with the language');
      await page.reload();
      await on('account').getByText('fire.officer').waitFor();
      await form.locator('option:checked:not([value=""])').waitFor({ state: 'attached' });
      await page.waitForTimeout(300);
      await chosen('across a reload');
      const sent = (await run()).sent.headers();
      must(sent['x-purpose'] === 'fire-rescue', `what was chosen is sent: ${sent['x-purpose']}`);
      must(sent['x-case-number'] === '119-R%257', `a percent sign is encoded: ${sent['x-case-number']}`);
      await on('language').click();
    },
    page,
  );

  await step(
    '16-what-was-answered-goes',
    async () => {
      await signIn('tax.clerk');
      await answer.waitFor({ state: 'detached' });
      must((await caseNumber.inputValue()) === '115-FS-0001', 'the case number is the operation’s again');
      await signIn('fire.officer');
      await run();
      await answer.waitFor();
      await page.getByRole('button', { name: 'Sign out' }).click();
      await answer.waitFor({ state: 'detached' });
      must(!(await variables.innerText()).includes('0002'), 'signing out takes the variables along');
      must((await focused()) === 'sign-in', 'the focus is where one signs in');
      await on('sign-in-as').click();
      await on('account').getByText('fire.officer').waitFor();
      must((await focused()) === 'ready', 'the focus is where it is said that one is signed in');
      await page.getByRole('button', { name: 'Sign out' }).click();
      const kept = await page.evaluate(() => JSON.stringify(sessionStorage));
      must(!kept.includes('0002') && !kept.includes('119-R'), 'nothing of it is kept');
    },
    page,
  );

  await step(
    '17-a-session-that-ended',
    async () => {
      await signIn('newcomer');
      await run();
      await on('apply').click();
      const dialog = page.locator('dialog.apply');
      await dialog.getByLabel('Reason').fill('typed for ten minutes');
      await dialog.getByLabel('Legal basis').fill('消防法第六條');
      await endSession();
      await on('draft').click();
      await dialog.getByText('Your session has ended').waitFor();
      await dialog.getByRole('button', { name: 'Sign in' }).click();
      await page.locator('dialog.sign-in [data-account="newcomer"]').click();
      await page.locator('dialog.sign-in').waitFor({ state: 'detached' });
      must((await dialog.getByLabel('Reason').inputValue()) === 'typed for ten minutes', 'what was typed is still there');
      await page.keyboard.press('Escape');
      await put(variables, '{"no": "115使字第0003號"}');
      await endSession();
      await run();
      await on('signed-out').getByText('Your session has ended').waitFor();
      must((await on('account').count()) === 0, 'the page no longer says that somebody is signed in');
      await on('signed-out').getByRole('button', { name: 'Sign in' }).click();
      await page.locator('dialog.sign-in [data-account="newcomer"]').click();
      await on('account').getByText('newcomer').waitFor();
      must((await variables.innerText()).includes('0003'), 'who comes back finds the variables');
      await endSession();
      await run();
      await on('signed-out').waitFor();
      await signIn('tax.clerk');
      must(!(await variables.innerText()).includes('0003'), 'another does not');
      await signIn('newcomer');
    },
    page,
  );

  await step(
    '18-a-copied-tab',
    async () => {
      const [copy] = await Promise.all([context.waitForEvent('page'), page.evaluate(() => void window.open('/playground/'))]);
      await copy.locator('[data-part="account"]').getByText('newcomer').waitFor();
      for (const tab of [page, copy]) {
        await tab.evaluate(() => {
          const now = Date.now;
          Date.now = () => now() + 14.6 * 60_000;
        });
      }
      const both = await Promise.all([run(), hands(copy).run()]);
      must(both.every(({ status }) => status !== 401), 'both tabs are still signed in');
      const [one, other] = await Promise.all([page, copy].map((tab) => tab.evaluate(() => sessionStorage.getItem('session'))));
      must(one === other, 'and share their tokens');
      await copy.close();
    },
    page,
  );

  await step(
    '19-comments-and-copies',
    async () => {
      await page.getByRole('button', { name: 'New query' }).click();
      await put(query, '# in front\nquery Q { offers { custodian # why I ask\n } }');
      await page.getByRole('button', { name: 'Tidy' }).click();
      await on('untidied').waitFor();
      must((await query.innerText()).includes('# why I ask'), 'a comment inside is not lost');
      // As on a page over plain HTTP, where the browser has no clipboard to lend.
      await page.evaluate(() => Object.defineProperty(navigator, 'clipboard', { value: undefined }));
      await page.locator('.copy').selectOption('curl');
      await page.locator('.copy').getByText('Copied').waitFor({ state: 'attached' });
      await page.evaluate(() => (document.execCommand = () => false));
      await page.locator('.copy').selectOption('Python');
      await page.locator('.copy').getByText('Not copied').waitFor({ state: 'attached' });
    },
    page,
  );

  await step(
    '20-narrow',
    async () => {
      await page.setViewportSize({ width: 400, height: 800 });
      await page.reload();
      await on('account').getByText('newcomer').waitFor();
      const fits = () => page.evaluate(() => document.documentElement.scrollWidth <= innerWidth);
      must(await fits(), 'nothing is cut off on a narrow screen');
      await page.getByRole('button', { name: 'Show the side panel' }).click();
      await page.locator('[data-operation="01-building-at-risk"]').click();
      await page.locator('.side').getByRole('button', { name: 'Hide the side panel' }).click();
      await run();
      await on('apply').click();
      await page.locator('dialog.apply').waitFor();
      must(await fits(), 'nor is the dialog');
      await page.keyboard.press('Escape');
    },
    page,
  );

  await context.close();
  watch.check();
}
