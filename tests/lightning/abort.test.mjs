// SPDX-License-Identifier: Apache-2.0
// Clients that leave while the daemon is asked for an invoice or about a
// proof, reloads and a daemon that dies meanwhile: nothing of a request that
// is gone is touched, and the shop works on.
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { before, test } from 'node:test';
import { proofs, sleep, useShop } from './shop.mjs';

const SEED = Number(process.env.X402_ABORT_SEED ?? Date.now() % 1e9);
const ROUNDS = Number(process.env.X402_ABORT_ROUNDS ?? 300);
console.log(`# X402_ABORT_SEED=${SEED}`);
let state = SEED;
const below = (n) => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return Math.floor((state / 2 ** 32) * n);
};

// more invoices than a shop would have open
const shop = useShop({ lightning: '  outstanding: 100000' });
before(() => shop.start(), { timeout: 60_000 });

/** Sends requests in one write and leaves after `ms`: by FIN, RST, or half. */
function leave(bytes, ms) {
  return new Promise((resolve) => {
    const socket = connect(shop.ports.gateway, '127.0.0.1');
    socket.on('error', () => {});
    socket.on('data', () => {});
    socket.on('close', resolve);
    socket.on('connect', () => {
      socket.write(bytes);
      setTimeout(() => (below(2) ? socket.resetAndDestroy() : socket.destroy()), ms);
      if (below(4) === 0)
        socket.end();
    });
  });
}

const request = (path, headers = {}, method = 'GET', body = '') => `${method} ${path} HTTP/1.1\r\nHost: shop\r\n${
  Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`).join('')}${body ? `Content-Length: ${body.length}\r\n` : ''}\r\n${body}`;

test(`${ROUNDS} clients that leave at any moment`, { timeout: 120_000 }, async () => {
  const asked = await shop.ask('/ln?left');
  const preimage = shop.lnd.pay(asked.entry.extra.invoice);
  const wrong = Buffer.alloc(32, 7);
  shop.answer = (req, res) => setTimeout(() => res.end('content\n'), below(20));
  const lane = async (lanes) => {
    for (let i = 0; i < ROUNDS / lanes; i += 1) {
      const one = () => [
        () => request('/ln'), () => request('/post', {}, 'POST', 'x'.repeat(1 + below(3000))),
        () => request('/ln?left', proofs.l402(asked, wrong)), () => request('/ln?left', proofs.mpp(asked, wrong)),
        () => request('/ln?left', proofs.lnbtc(asked, wrong)), () => request('/page', { Accept: 'text/html' }),
        () => request('/ln?left', proofs.l402(asked, preimage)),
      ][below(7)]();
      await leave(Array.from({ length: 1 + below(3) }, one).join(''), below(30));
    }
  };
  await Promise.all(Array.from({ length: 8 }, () => lane(8)));
  shop.answer = (req, res) => res.end('content\n');
  assert.equal((await shop.offered()).response.status, 402);
});

test('the daemon dies and comes back, nginx is reloaded: requests under way end, and none is served unpaid', { timeout: 60_000 }, async () => {
  const hits = shop.hits.length;
  let over = false;
  const lane = async () => {
    while (!over) {
      const res = await shop.get('/ln').catch(() => ({ status: 0 }));
      assert.ok([0, 402, 503].includes(res.status), `${res.status}`);
      await leave(request('/ln'), below(20));
    }
  };
  const lanes = Array.from({ length: 6 }, lane);
  for (let i = 0; i < 3; i += 1) {
    await sleep(300);
    process.kill(shop.nginx.pid, 'SIGHUP');
    await sleep(300);
    await shop.restartDaemon();
  }
  over = true;
  await Promise.all(lanes);
  await shop.offered();
  assert.equal(shop.hits.length, hits);
});
