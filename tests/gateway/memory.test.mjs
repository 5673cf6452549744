// SPDX-License-Identifier: Apache-2.0
// Every allocation of a request fails once, in turn: nothing is served unpaid, no reservation is left without an end.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { payment, priced, sleep, startGateway, startUpstream } from './harness.mjs';

const HERE = dirname(fileURLToPath(import.meta.url));
const skip = process.env.X402_NGINX_PRELOAD ? 'another library is preloaded' : false;

let g;
let upstream;
let dir;
let counter;

before(async () => {
  if (skip)
    return;
  dir = mkdtempSync(join(tmpdir(), 'x402-fail-'));
  execFileSync('cc', ['-shared', '-fPIC', '-O1', '-o', join(dir, 'fail.so'), join(HERE, 'fail_alloc.c'), '-ldl']);
  writeFileSync(join(dir, 'left'), Buffer.alloc(4096));
  counter = openSync(join(dir, 'left'), 'r+');
  upstream = await startUpstream();
  g = await startGateway({
    http: 'request_pool_size 256; connection_pool_size 256;', // nearly every piece of memory is an allocation
    server: priced('= /paid', upstream) + priced('= /variable', upstream, '', '$arg_price'),
  }, { env: { LD_PRELOAD: join(dir, 'fail.so'), FAIL_ALLOC: join(dir, 'left') } });
  /* signal 6: the library makes no fingerprint of less than everything, and
   * ends the process where libcrypto has no memory for one (nothing is asked
   * or proxied then).  No other signal. */
  g.tolerate = (lines) => lines.every((line) => /Cannot allocate memory|exited on signal 6/.test(line))
    && lines.filter((line) => line.includes('signal 6')).length <= 12;
});
after(async () => {
  if (skip)
    return;
  await g.stop();
  await upstream.close();
  closeSync(counter);
  rmSync(dir, { recursive: true, force: true });
});

const arm = (n) => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(n);
  writeSync(counter, bytes, 0, 4, 0);
};
const left = () => {
  const bytes = Buffer.alloc(4);
  readSync(counter, bytes, 0, 4, 0);
  return bytes.readInt32LE();
};

/** Fails the 1st, 2nd, … allocation until a run needs fewer. */
async function torture(make) {
  const statuses = {};
  for (let n = 1; n < 600; n += 1) {
    const request = await make();
    g.till.reset();
    upstream.hits.length = 0;
    arm(n);
    let status;
    try {
      ({ status } = await g.http.send(request.path, { timeout: 5000, ...request, headers: { ...request.headers, Connection: 'close' } }));
    } catch (error) {
      status = error.code ?? error.message;
    }
    const over = left() > 0;
    arm(0);
    await sleep(5);
    statuses[status] = (statuses[status] ?? 0) + 1;
    assert.ok(!String(status).startsWith('no answer'), `hangs at ${n}`);
    for (const rid of g.till.of('RESERVE').map((f) => f.rid).filter(Boolean)) {
      for (let i = 0; i < 200 && !g.till.names(rid).some((name) => name === 'CAPTURE' || name === 'RELEASE'); i += 1)
        await sleep(5);
      const story = g.till.names(rid);
      assert.ok(story.includes('CAPTURE') !== story.includes('RELEASE'), `${n}: ${story}`);
    }
    if (upstream.hits.length)
      assert.ok(g.till.of('RESERVE').length > 0, `${n}: a hit without a reservation`);
    if (status === 200)
      assert.ok(g.till.names().includes('CAPTURE'), `${n}: 200 without a capture`);
    if (over)
      return { statuses, n };
  }
  throw new Error('it never ends');
}

test('an unpaid request', { skip }, async () => {
  const { statuses, n } = await torture(() => ({ path: '/paid' }));
  assert.ok(n > 5 && statuses[402] > 0 && !statuses[200], JSON.stringify(statuses));
});

test('a price from a variable', { skip }, async () => {
  const { statuses } = await torture(() => ({ path: '/variable?price=1' }));
  assert.ok(statuses[402] > 0 && !statuses[200], JSON.stringify(statuses));
});

for (const wire of ['v2', 'seed001']) {
  test(`a paid request, ${wire}`, { skip, timeout: 120_000 }, async () => {
    const { statuses, n } = await torture(async () => ({ path: '/paid', method: 'POST', body: 'x'.repeat(5000), headers: await payment('/paid', { wire }) }));
    assert.ok(n > 20 && statuses[200] > 0, JSON.stringify(statuses));
  });
}

test('a failing upstream', { skip, timeout: 120_000 }, async () => {
  upstream.handler = (req, res) => { res.statusCode = 500; res.end('broken'); };
  const { statuses } = await torture(async () => ({ path: '/paid', headers: await payment('/paid') }));
  assert.ok(!statuses[200], JSON.stringify(statuses));
});

test('a refused payment', { skip, timeout: 120_000 }, async () => {
  const { statuses } = await torture(async () => ({ path: '/paid', headers: await payment('/paid', { offer: { amount: '1' } }) }));
  assert.ok(!statuses[200] && statuses[402] > 0, JSON.stringify(statuses));
});
