// The playground as people use it, in a real browser, against a running demonstration: CITYQUERY_URL=… node run.mjs
// Leaves screenshots in target/screenshots.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { applyAndBeTold } from './apply.mjs';
import { open, Watch } from './browser.mjs';
import { hands } from './hands.mjs';
import { keepAndClear } from './keeping.mjs';
import { tryOperations } from './operations.mjs';
import { walkProcedure } from './procedure.mjs';
import { walkOnThePage } from './walk.mjs';

const url = process.env.CITYQUERY_URL;
if (!url) throw new Error('CITYQUERY_URL is not set: the address of a running `cityquery demo`');
const pictures = join(fileURLToPath(new URL('../../', import.meta.url)), 'target/screenshots');
mkdirSync(pictures, { recursive: true });

const browser = await open();
const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, locale: 'en-US' });
const page = await context.newPage();
const watch = new Watch(page, url);
const step = async (name, work, where = page) => {
  const start = performance.now();
  await work();
  await where.screenshot({ path: join(pictures, `${name}.png`) });
  console.log(`ok ${name} (${Math.round(performance.now() - start)} ms)`);
};
const must = (condition, text) => {
  if (!condition) throw new Error(text);
};
const answerText = () => page.locator('.pane.answer .cm-content').innerText();
const { on: part, run } = hands(page);

try {
  await step('1-first-sight', async () => {
    await page.goto(`${url}/`);
    await page.locator('.pane.query .cm-content').getByText('BuildingAtRisk').first().waitFor();
    must(await page.locator('[data-operation]').count() >= 40, 'the ready-made operations are listed');
    for (const name of ['Data queries', 'The procedure']) await page.getByRole('heading', { name, exact: true }).waitFor();
  });

  await step('2-demo-accounts', async () => {
    await part('sign-in').click();
    await page.locator('[data-account="newcomer"]').waitFor();
  });

  let record = '';
  await step('3-building-at-risk', async () => {
    await page.locator('[data-account="fire.officer"]').click();
    await part('account').getByText('fire.officer').waitFor();
    await page.locator('.under select').first().locator('option:checked:not([value=""])').waitFor({ state: 'attached' });
    const { body, sent } = await run();
    const headers = sent.headers();
    must(headers['x-form'] && headers['x-purpose'] && headers['x-case-number'], 'form, purpose and case number are sent');
    must(body.data?.usePermit?.parcels?.length > 0, `the building was found: ${JSON.stringify(body.errors ?? body.data)}`);
    must(/"nationalId": "[A-Z][A-Z0-9]{2}\*{4}\d{3}"/.test(JSON.stringify(body, null, 1)), 'national ids come masked');
    must(!/"nationalId": ?"[A-Z][A-Z0-9]\d{8}"/.test(JSON.stringify(body)), 'no national id comes in full');
    must((await answerText()).includes('"usePermit"'), 'the answer is shown');
    record = (await part('record').getAttribute('data-record')) ?? '';
    must(record.length > 8, 'the number of the record is shown');
    must((await part('cost').innerText()).length > 0, 'the cost is shown');
  });

  await step('4-schema', async () => {
    await page.getByRole('tab', { name: 'Schema' }).click();
    await page.getByPlaceholder('Find a type or field').fill('fire inspection result');
    await page.getByRole('button', { name: /FireInspection\.result/ }).first().click();
    await page.locator('.fields .chosen').waitFor();
  });

  const editor = page.locator('.pane.query .cm-content').first();
  await step('5-the-editor-knows-the-schema', async () => {
    await page.getByRole('tab', { name: 'Operations' }).click();
    await page.getByRole('button', { name: 'New query' }).click();
    await editor.click();
    await page.keyboard.insertText('{ persons { nodes { birthDay } } }');
    await page.locator('.cm-lintRange-error').first().waitFor();
    await editor.press('End');
    for (let i = 0; i < 6; i += 1) await editor.press('ArrowLeft');
    await page.keyboard.type(' relat', { delay: 30 });
    await page.locator('.cm-tooltip-autocomplete').getByText('relationToHead').waitFor();
  });

  await step('6-a-field-refused', async () => {
    await page.getByRole('button', { name: 'New query' }).click();
    await editor.press('Control+a');
    await page.keyboard.insertText('{ firePremises(first: 2) { nodes { name residents(first: 3) { members { name indigenousStatus maritalStatus } } } } }');
    await editor.press('Control+Shift+f');
    const { body } = await run();
    must(body.errors?.some(({ extensions }) => extensions.coordinate === 'Person.indigenousStatus'), `the sensitive field is refused: ${JSON.stringify(body.errors)}`);
    await page.locator('.problems [data-code="FORBIDDEN"]').filter({ hasText: 'Person.indigenousStatus' }).first().waitFor();
    await page.getByRole('heading', { name: 'What is missing' }).waitFor();
    await page.getByRole('button', { name: 'Apply for it' }).waitFor();
  });

  await step('7-chinese', async () => {
    await part('language').click();
    await page.getByRole('tab', { name: '查詢範例' }).waitFor();
    must((await page.locator('html').getAttribute('lang')) === 'zh-Hant-TW', 'the page says its language');
    const { body } = await run();
    must(/[一-鿿]/.test(body.errors[0].message), `the server answers in Chinese: ${body.errors[0].message}`);
    await page.locator('.problems').getByText(body.errors[0].message).first().waitFor();
    await page.locator('[data-operation]').first().click();
  });

  await step('8-newcomer', async () => {
    await part('account').click();
    await page.locator('[data-account="newcomer"]').click();
    await part('account').getByText('newcomer').waitFor();
    const { body } = await run();
    must(!JSON.stringify(body.data ?? null).match(/"permitNo":\s*"/), 'a newcomer gets no row');
    await page.locator('.problems li').first().waitFor();
    must((await page.locator('.problems .code').first().innerText()).length > 4, 'the refusal has its code');
  });

  await step('9-reload-keeps-the-session', async () => {
    await page.reload();
    await part('account').getByText('newcomer').waitFor();
    await page.getByRole('button', { name: '登出' }).click();
    await part('sign-in').waitFor();
    must((await page.evaluate(() => sessionStorage.getItem('session'))) === null, 'signing out forgets the tokens');
  });

  await step('10-wrong-password-by-keyboard', async () => {
    await part('sign-in').focus();
    await page.keyboard.press('Enter');
    await page.keyboard.type('fire.officer');
    await page.keyboard.press('Tab');
    await page.keyboard.type('not the password');
    await page.keyboard.press('Enter');
    await page.getByRole('alert').waitFor();
    await page.keyboard.press('Escape');
    await page.locator('dialog').waitFor({ state: 'detached' });
  });

  await step('11-dark', async () => {
    await page.emulateMedia({ colorScheme: 'dark' });
    await page.reload();
    await page.locator('[data-operation]').first().waitFor();
  });

  await applyAndBeTold({ url, browser, page, step, must });
  await keepAndClear({ url, browser, step, must });
  await walkOnThePage({ url, browser, step, must });

  watch.check();
  console.log(`ok the page asked ${watch.requests} times, always of its own server, and the console stayed clean`);
  await tryOperations(url);
  await walkProcedure(url);
} catch (error) {
  await page.screenshot({ path: join(pictures, 'failed.png') }).catch(() => {});
  console.error(`browser: ${error.message}`);
  console.error(watch.faults.join('\n'));
  process.exitCode = 1;
} finally {
  await browser.close();
}
