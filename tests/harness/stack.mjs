// SPDX-License-Identifier: Apache-2.0
// A whole stack for a test: started on free ports, stopped after it, and its
// logs read for what must never be in them.
import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before } from 'node:test';
import { account } from '../../devnet/accounts.mjs';
import { PROJECT } from '../../devnet/paths.mjs';
import { findFree } from '../../devnet/ports.mjs';
import { Stack, freshDir } from '../../devnet/stack.mjs';
import { client } from './http.mjs';
import { checkInvariants } from './invariants.mjs';
import { offerOf, pay } from './payment.mjs';
import { Witness } from './witness.mjs';

const FIRST_PORT = Number(process.env.X402_TEST_PORT_BASE ?? 15200);

export async function newStack(options = {}) {
  const ports = await findFree(FIRST_PORT);
  const dir = freshDir(join(PROJECT, 'tests', '.run'));
  const stack = new Stack({ ports, dir, ...options });
  stack.on('fatal', (error) => { throw error; });
  return stack.start();
}

/* No worker died, nothing leaked, no sanitizer spoke. */
const NEVER = [
  /\[(alert|emerg|crit)\]/,
  /exited on signal/,
  /http request count is zero/,
  /open socket #\d+ left/,
  /AddressSanitizer|LeakSanitizer|ThreadSanitizer|runtime error:|UndefinedBehavior/,
  /Assertion .* failed/,
];

export function complaints(dir, allowed = []) {
  return ['nginx-error.log', 'x402d.log']
    .map((name) => join(dir, name))
    .filter(existsSync)
    .flatMap((file) => readFileSync(file, 'utf8').split('\n'))
    .filter((line) => NEVER.some((bad) => bad.test(line)))
    .filter((line) => !allowed.some((good) => good.test(line)));
}

/** Declares a stack for all tests of a file.  `allowed` are log lines that
 *  the file causes on purpose; `ready` runs once it is up, `done` before it is
 *  stopped.  At the end the invariants are checked. */
export function useStack(options = {}, { allowed = [], connections = 16, invariants = true, ready, done } = {}) {
  const world = {};

  before(async () => {
    const stack = await newStack(options);
    world.stack = stack;
    world.witness = new Witness(stack);
    world.http = client(stack.url('gateway'), { connections });
    world.get = (path, headers, more) => world.http.send(path, { headers, ...more });
    world.offer = async (path, more) => offerOf(await world.http.send(path, more));
    world.payer = account(2);
    /** A payment for a path, by account 2 unless another one is given. */
    world.pay = async (path, { payer = world.payer, change, domain, ...more } = {}) =>
      pay(payer, await world.offer(path, more), change, domain);
    await ready?.(world);
  });

  after(async () => {
    try { // whatever fails, nothing is left running: it would hold the file's process
      await done?.(world);
      if (invariants && world.stack)
        await checkInvariants(world);
    } finally {
      world.http?.close();
      await world.stack?.stop();
    }
    if (!world.stack)
      return;
    const lines = complaints(world.stack.dir, allowed);
    assert.deepEqual(lines, [], 'lines that must not be in the logs');
    if (!process.env.X402_KEEP)
      rmSync(world.stack.dir, { recursive: true, force: true });
  });

  return world;
}
