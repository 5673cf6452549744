// SPDX-License-Identifier: Apache-2.0
// Chromium for a test file, and the eyes that every page is looked at with: no
// console error, no request to another host, no serious finding of axe.
import assert from 'node:assert/strict';
import { readFileSync, mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync'];
export const WIDTHS = [390, 1280];

export const openBrowser = () => chromium.launch({ executablePath: process.env.X402_CHROMIUM ?? '/usr/bin/chromium', args: FLAGS });

/** A page that notes what must not happen.  `expected` are console errors that
 *  belong to the matter: a browser reports every 402 as one. */
export async function openPage(browser, origin, { width = 1280, dark = false, expected = [] } = {}) {
  const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme: dark ? 'dark' : 'light' });
  const page = await context.newPage();
  const bad = [];
  page.on('console', (message) => {
    if (message.type() === 'error' && !expected.some((pattern) => pattern.test(message.text())))
      bad.push(`console: ${message.text()}`);
  });
  page.on('pageerror', (error) => bad.push(`error: ${error.message}`));
  page.on('request', (request) => {
    const url = new URL(request.url());
    if (url.protocol !== 'blob:' && url.origin !== origin)
      bad.push(`request to ${url.origin}`);
  });
  return Object.assign(page, { bad });
}

export async function accessible(page) {
  /* axe comes in through the debugger, past the page's own policy */
  await page.evaluate(AXE);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document));
  const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
  assert.deepEqual(serious.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(' ')}`), []);
}

/** Pictures go to a folder that the caller names, and only then. */
export async function picture(page, name) {
  const folder = process.env.X402_PICTURES;
  if (!folder)
    return;
  mkdirSync(folder, { recursive: true });
  await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true });
}

export async function noSidewaysScroll(page) {
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth), true, 'wider than the window');
}
