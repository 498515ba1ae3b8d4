// Starts Chromium without any talk of its own, and watches what a page asks for and complains about.
import { chromium } from 'playwright-core';

const QUIET = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export function open() {
  return chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: QUIET });
}

/** No request may leave for another origin, and the console stays clean but for refusals that were asked for. */
export class Watch {
  requests = 0;
  faults = [];

  constructor(page, url) {
    const { origin } = new URL(url);
    page.on('request', (request) => {
      this.requests += 1;
      const address = request.url();
      if (!address.startsWith(`${origin}/`) && !address.startsWith('data:')) this.faults.push(`request to outside: ${address}`);
    });
    page.on('websocket', (socket) => {
      if (new URL(socket.url()).host !== new URL(url).host) this.faults.push(`WebSocket to outside: ${socket.url()}`);
    });
    page.on('console', (message) => {
      const { url: from = '' } = message.location();
      // The browser itself notes each answer of 4xx; refusing is what these paths are tested for.
      const refusal = message.text().startsWith('Failed to load resource') && /\/(graphql|auth\/(sign-in|refresh))$/.test(from);
      if (['error', 'warning'].includes(message.type()) && !refusal) this.faults.push(`console: ${message.text()} (${from})`);
    });
    page.on('pageerror', (error) => this.faults.push(`error on the page: ${error.message}`));
  }

  check() {
    if (this.faults.length > 0) throw new Error(['the page asked outside or complained:', ...this.faults].join('\n  '));
  }
}
