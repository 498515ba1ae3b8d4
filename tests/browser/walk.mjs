// The way that the README describes, on the page: a refused query, "Apply for it", and the procedure from there until the
// same query is answered, each step by one click as the account whose step it is.
import { Watch } from './browser.mjs';
import { hands } from './hands.mjs';

export async function walkOnThePage({ url, browser, step, must }) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, locale: 'en-US' });
  const page = await context.newPage();
  const watch = new Watch(page, url);
  const { on, run, signIn } = hands(page);
  await page.goto(`${url}/`);
  await page.locator('[data-operation]').first().waitFor();
  const choose = async (id) => {
    await page.locator(`[data-operation="${id}"]`).click();
    if ((await on('sign-in-as').count()) > 0) await on('sign-in-as').click();
    await page.locator('.about .ready').waitFor();
  };
  const take = async (id) => {
    await choose(id);
    const { body } = await run();
    must(!body.errors, `${id}: ${JSON.stringify(body.errors)}`);
    return body;
  };
  const procedure = await page.locator('[data-operation^="procedure/"]').evaluateAll((all) => all.map((one) => one.dataset.operation));
  const steps = async (first, last) => {
    for (const id of procedure.filter((one) => one.slice(10, 12) >= first && one.slice(10, 12) <= last)) await take(id);
  };

  await step('21-the-way-from-a-refusal', async () => {
    await page.locator('[data-operation="01-building-at-risk"]').click();
    await signIn('newcomer');
    must((await run()).body.errors, 'the newcomer is refused');
    await on('apply').click();
    const dialog = page.locator('dialog.apply');
    must((await dialog.getByRole('combobox').inputValue()) === 'fire-safety', 'the purpose asked for is chosen among those offered');
    await dialog.getByLabel('Legal basis').fill('消防法第六條');
    await dialog.getByLabel('Reason').fill('複查風險建築');
    await on('draft').click();
    await on('draft-number').waitFor();
    must((await on('hand-in').count()) === 0, 'handing in is not for the newcomer');
    await page.keyboard.press('Escape');
    await steps('03', '13');
    const { data } = await take('procedure/14-ask-again');
    must(data.usePermit?.parcels.length > 0, 'the same building is answered');
    await page.reload(); // what was answered so far is not forgotten by it
    await on('account').getByText('newcomer').waitFor();
    await steps('15', '17');
  }, page);

  await step('22-each-entry-in-turn', async () => {
    const finding = 'procedure/18-record-a-finding';
    for (;;) {
      const { data } = await take(finding);
      if (data.recordFinding.entries.every((entry) => entry.finding)) break;
    }
    await steps('19', '26');
  }, page);

  await context.close();
  watch.check();
}
