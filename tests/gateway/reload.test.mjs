// SPDX-License-Identifier: Apache-2.0
// Reloads, workers that end, workers that are killed: requests under way are
// served, payments end well, old prices stay good for a while.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, before, beforeEach, test } from 'node:test';
import { payment, priced, sleep, startGateway, startUpstream } from './harness.mjs';
import { unbase64 } from '../harness/payment.mjs';

let g;
let upstream;
const conf = (price, more = '', workers = 2) => ({
  workers,
  server: `x402_settle_margin 1;
    ${priced('= /by-size', upstream, 'if ($arg_size = s) { x402_price 0.001 USDC; } if ($arg_size = l) { x402_price 5 USDC; }', '0.01')}
    ${priced('= /paid', upstream, more, price)} ${priced('= /short', upstream, 'x402_timeout 7;', price)}`,
});

before(async () => {
  upstream = await startUpstream();
  g = await startGateway(conf('0.001'));
});
after(async () => {
  await g.stop();
  await upstream.close();
});
beforeEach(() => {
  g.till.reset();
  upstream.hits.length = 0;
  upstream.handler = (req, res) => res.end('content\n');
});

const workers = () => execFileSync('ps', ['-o', 'pid=,args=', '--ppid', String(g.nginx.pid)], { encoding: 'utf8' }).split('\n')
  .filter((line) => line.includes('worker process') && !line.includes('shutting down')).map((line) => Number(line.trim().split(' ')[0]));
const pay = async (path, o = {}) => g.http.send(path, { headers: await payment(path, o) });

test('the price before a reload stays good, for x402_timeout seconds and no longer', { timeout: 40_000 }, async () => {
  await g.reload(conf('0.002'));
  await g.reload(conf('0.003'));
  const begin = Date.now();
  const offer = { maxTimeoutSeconds: 7 };
  assert.equal(unbase64((await g.http.send('/paid')).headers['payment-required']).accepts[0].amount, '3000');
  for (const [amount, status] of [['1000', 200], ['2000', 200], ['3000', 200], ['4000', 402], ['999', 402]]) {
    assert.equal((await pay('/paid', { offer: { amount } })).status, status, amount);
    assert.equal((await pay('/short', { offer: { amount, ...offer } })).status, status, `${amount} short`);
  }
  await sleep(9000 - (Date.now() - begin));
  assert.equal((await pay('/short', { offer: { amount: '1000', ...offer } })).status, 402);
  assert.equal((await pay('/short', { offer: { amount: '2000', ...offer } })).status, 402);
  assert.equal((await pay('/short', { offer: { amount: '3000', ...offer } })).status, 200);
  assert.equal((await pay('/paid', { offer: { amount: '1000' } })).status, 200, 'the long one still');
  await g.reload(conf('0.001'));
});

test('an "if" has no price but its own, before and after a reload', async () => {
  const buy = async (size, amount) => (await pay(`/by-size?size=${size}`, { offer: { amount } })).status;
  for (const moment of ['before', 'after']) {
    assert.equal(await buy('s', '1000'), 200, moment);
    assert.equal(await buy('l', '1000'), 402, moment);
    assert.equal(await buy('l', '5000000'), 200, moment);
    assert.equal(await buy('m', '1000'), 402, moment);
    await g.reload(conf('0.001'));
  }
});

test('reloads under load: no payment is lost or refused, and no old worker stays', { timeout: 60_000 }, async () => {
  const headers = await Promise.all(Array.from({ length: 400 }, () => payment('/paid')));
  g.till.script.RESERVE = async () => { await sleep(5); return {}; };
  g.till.script.CAPTURE = async () => { await sleep(5); return {}; };
  let next = 0;
  const statuses = {};
  let over = false;
  const lane = async () => {
    while (next < headers.length) {
      const mine = headers[next];
      next += 1;
      let res;
      try {
        res = await g.http.send('/paid', { headers: { ...mine, Connection: 'close' } });
      } catch (error) {
        res = { status: error.code };
      }
      statuses[res.status] = (statuses[res.status] ?? 0) + 1;
      await sleep(10);
    }
  };
  const reloads = (async () => {
    while (!over) {
      g.nginx.kill('SIGHUP');
      await sleep(150);
    }
  })();
  await Promise.all(Array.from({ length: 8 }, lane));
  over = true;
  await reloads;
  assert.deepEqual(statuses, { 200: 400 });
  await sleep(1500);
  assert.equal(workers().length, 2);
  const lines = execFileSync('ps', ['-o', 'args=', '--ppid', String(g.nginx.pid)], { encoding: 'utf8' });
  assert.ok(!lines.includes('shutting down'), lines);
  const rids = (name) => new Set(g.till.of(name).map((f) => f.rid));
  assert.equal(rids('CAPTURE').size, 400);
  assert.equal(rids('DONE').size, 400);
});

test('an old worker stays until what it holds is told', { timeout: 30_000 }, async () => {
  let finish;
  upstream.handler = (req, res) => { res.write('first'); finish = () => res.end('last'); };
  const running = pay('/paid');
  while (!finish)
    await sleep(10);
  await g.till.wait('CAPTURE');
  const old = workers();
  g.till.script.DONE = async () => { await sleep(1200); return {}; };
  g.nginx.kill('SIGHUP');
  await sleep(500);
  finish();
  assert.equal((await running).body, 'firstlast');
  g.http.close(); // its idle connection would go at once; the till's answer is what is left
  await g.till.wait('DONE');
  await sleep(300);
  const alive = (pid) => { try { process.kill(pid, 0); return true; } catch { return false; } };
  assert.ok(old.some(alive), 'it left before DONE was answered');
  await sleep(2000);
  assert.ok(!old.some(alive), 'it is still there');
});

test('a worker is killed: the others go on, the new one says what it holds', { timeout: 30_000 }, async () => {
  g.tolerate = (lines) => lines.every((line) => line.includes('exited on signal 9'));
  upstream.handler = () => {};
  const stuck = Promise.all(Array.from({ length: 4 }, () => pay('/paid').catch((error) => error.code)));
  while (g.till.of('RESERVE').length < 4)
    await sleep(10);
  g.till.reset();
  for (const pid of workers())
    process.kill(pid, 'SIGKILL');
  const results = await stuck;
  assert.ok(results.every((r) => r === 'ECONNRESET'), String(results));
  await g.till.wait('READY');
  assert.deepEqual(g.till.of('HOLD'), [], 'a new worker, with a new name, holds nothing');
  upstream.handler = (req, res) => res.end('content\n');
  await sleep(100);
  assert.equal((await pay('/paid')).status, 200);
});

test('worker_shutdown_timeout: closed by us is not the client\'s doing', { timeout: 30_000 }, async () => {
  const impatient = (o) => ({ ...o, main: 'worker_shutdown_timeout 1s;' });
  await g.reload(impatient(conf('0.001')));
  upstream.handler = () => {};
  const before = pay('/paid').catch((error) => error.code);
  await g.till.wait('RESERVE');
  await g.reload(impatient(conf('0.001')));
  assert.equal(await before, 'ECONNRESET');
  await g.till.wait('RELEASE');
  assert.deepEqual(g.till.names(), ['RESERVE', 'RELEASE']);
  g.till.reset();
  upstream.handler = (req, res) => { res.write('first'); };
  const during = pay('/paid').catch((error) => error.code);
  await g.till.wait('STARTED');
  await g.reload(impatient(conf('0.001')));
  assert.equal(await during, 'ECONNRESET');
  assert.equal((await g.till.wait('DONE')).end, 'server');
});
