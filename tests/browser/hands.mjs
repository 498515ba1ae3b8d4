// What people do on the page, as the tests do it: sign in with one click, run what is in the editor.
export function hands(page) {
  const on = (name) => page.locator(`[data-part="${name}"]`);
  return {
    on,
    async signIn(account) {
      await page.locator('[data-part="sign-in"], [data-part="account"]').click();
      await page.locator(`[data-account="${account}"]`).click();
      await page.locator('dialog.sign-in').waitFor({ state: 'detached' });
      await on('account').getByText(account).waitFor();
    },
    /** Runs what is in the editor and waits for its answer; the inbox asks by itself. */
    async run() {
      const answered = page.waitForResponse((response) => response.url().endsWith('/graphql') && !response.request().postData()?.includes('query Inbox'));
      await on('run').click();
      const response = await answered;
      await page.locator('.pane.answer[aria-busy="false"]').waitFor();
      return { status: response.status(), sent: response.request(), body: await response.json() };
    },
  };
}
