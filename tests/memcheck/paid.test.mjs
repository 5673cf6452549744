// SPDX-License-Identifier: Apache-2.0
// A short paid run with x402d and the client under valgrind's memcheck: bought,
// refused, failed, settled through the API, stopped.  Any error, and any block
// that is definitely lost, is a failure.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { PROGRAMS } from '../../devnet/paths.mjs';
import { body, post } from '../facilitator/payments.mjs';
import { ITEMS } from '../harness/promises.mjs';
import { useStack } from '../harness/stack.mjs';
import { until } from '../harness/witness.mjs';

const ERROR = 99;
const logs = mkdtempSync(join(tmpdir(), 'x402-memcheck-'));
const memcheck = (name) => ['valgrind', '--quiet', `--error-exitcode=${ERROR}`, '--leak-check=full', '--errors-for-leak-kinds=definite',
  '--track-origins=no', `--log-file=${join(logs, `${name}.%p`)}`];
const silent = () => { // memcheck marks its own lines so; others are hints about syscalls
  for (const name of readdirSync(logs))
    assert.deepEqual(readFileSync(join(logs, name), 'utf8').split('\n').filter((line) => line.startsWith('==')), [], name);
};

const world = useStack({ conf: { server: ITEMS }, wrapper: memcheck('x402d') }, {
  done: async ({ stack }) => {
    stack.stopping = true; // it is not to come back
    await stack.nginx.stop({ patience: 5000 });
    await stack.x402d.stop({ patience: 30_000 });
    stack.stopping = false;
    assert.equal(stack.x402d.how, 'exit code 0');
    silent();
    rmSync(logs, { recursive: true, force: true });
  },
  invariants: false, // they look at x402d's command line
});

function x402(...args) {
  const home = mkdtempSync(join(tmpdir(), 'x402-home-'));
  const [command, ...before] = memcheck('x402');
  return new Promise((resolve) => {
    const child = spawn(command, [...before, PROGRAMS.x402, ...args], { env: { HOME: home, PATH: process.env.PATH } });
    let out = '';
    child.stdout.on('data', (data) => { out += data; });
    child.stderr.on('data', (data) => { out += data; });
    child.once('close', (code) => { rmSync(home, { recursive: true, force: true }); resolve({ code, out }); });
  });
}

const get = (path, ...more) => x402('get', '--key-file', join(world.stack.dir, 'payer.key'), '--network', 'base-sepolia', ...more, `${world.stack.url('gateway')}${path}`);

test('x402 buys, and is refused, without an error of memory', { timeout: 120_000 }, async () => {
  const bought = await get('/item/one');
  assert.equal(bought.code, 0, bought.out);
  const refused = await get('/item/two', '--max-amount', '0.0001');
  assert.equal(refused.code, 101, refused.out);
  const failed = await get('/fail');
  assert.equal(failed.code, 0, failed.out);
  silent();
});

test('x402d reserves, captures, releases and settles without an error of memory', { timeout: 120_000 }, async () => {
  const payments = [];
  for (const wire of ['v2', 'seed000', 'seed001', 'v1']) {
    const payment = await world.pay('/item/x');
    assert.equal((await world.get('/item/x', payment.header(wire))).status, 200);
    assert.equal((await world.get('/item/x', payment.header(wire))).status, 402);
    payments.push(payment);
  }
  const first = await world.pay('/strict');
  assert.equal((await world.get('/strict', first.header('v2'))).status, 200);
  const request = await body(2);
  for (const path of ['/verify', '/settle', '/settle']) {
    const { status } = await post(`${world.stack.url('facilitator')}${path}`, request);
    assert.equal(status, 200);
  }
  assert.equal((await post(`${world.stack.url('facilitator')}/settle`, '{')).status, 400);
  for (const path of ['/supported', '/health', '/metrics'])
    assert.equal((await fetch(`${world.stack.url('facilitator')}${path}`)).status, 200);
  await world.witness.settled([...payments, first], 60_000);
  await world.stack.rpc.mine(80);
  await until('FINAL', 60_000, () => world.witness.finalNonces(), (nonces) => nonces.length >= payments.length + 1);
});
