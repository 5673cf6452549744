// SPDX-License-Identifier: Apache-2.0
// Subrequests and internal redirects: every way from one location into
// another, between free, cheap and dear.  At most one charge per request, and
// never something for nothing.
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { header, permit2 } from '../harness/pay-permit2.mjs';
import { payer, payment, requirement, startGateway, startUpstream } from './harness.mjs';

let g;
let upstream;

const PRICE = { free: '', cheap: 'x402 on; x402_price 0.001 USDC;', same: 'x402 on; x402_price 0.0010 USDC;', dear: 'x402 on; x402_price 5 USDC;' };
const KINDS = Object.keys(PRICE);
const METER = '0x70997970C51812dc3A010C7d01b50e0d17dc79C8';

before(async () => {
  upstream = await startUpstream();
  const to = `proxy_pass http://127.0.0.1:${upstream.port};`;
  let server = '';
  for (const kind of KINDS) {
    server += `
      location /to-${kind}/ { ${PRICE[kind]} ${to} }
      location @${kind} { ${PRICE[kind]} ${to} }
      location /file-${kind}/ { ${PRICE[kind]} }`;
    for (const from of KINDS) {
      const at = `${from}-${kind}`;
      server += `
      location = /error-${at} { ${PRICE[from]} error_page 404 500 502 = /to-${kind}/page; proxy_intercept_errors on; ${to} }
      location = /error200-${at} { ${PRICE[from]} error_page 404 500 502 =200 /to-${kind}/page; proxy_intercept_errors on; ${to} }
      location = /local200-${at} { ${PRICE[from]} error_page 404 =200 /file-${kind}/page; }
      location = /errornamed-${at} { ${PRICE[from]} error_page 404 500 502 = @${kind}; proxy_intercept_errors on; ${to} }
      location = /accel-${at} { ${PRICE[from]} ${to} }
      location = /try-${at} { ${PRICE[from]} try_files /none /to-${kind}/page; }
      location = /trynamed-${at} { ${PRICE[from]} try_files /none @${kind}; }
      location = /rewrite-${at} { ${PRICE[from]} rewrite ^ /to-${kind}/page last; ${to} }
      location = /index-${at}/ { ${PRICE[from]} index /to-${kind}/page; }
      location = /ssi-${at} { ${PRICE[from]} ssi on; ssi_types *; ${to} }
      location = /auth-${at} { ${PRICE[from]} auth_request /to-${kind}/page; ${to} }
      location = /mirror-${at} { ${PRICE[from]} mirror /to-${kind}/page; ${to} }
      location = /add-${at} { ${PRICE[from]} add_after_body /to-${kind}/page; addition_types *; ${to} }
      location = /after-${at} { ${PRICE[from]} post_action /to-${kind}/page; ${to} }`;
    }
  }
  server += `
    location /metered { x402 on; x402_price 0.02 USDC; x402_scheme upto ${METER}; ${to} }
    location /by-path { x402 on; x402_price $by_path USDC; ${to} }`;
  g = await startGateway({ server, http: 'map $uri $by_path { volatile; default 0.001; ~dear 5; }' }, {
    files: Object.fromEntries(KINDS.flatMap((kind) => [[`file-${kind}/page`, `file ${kind}\n`], ...KINDS.map((to) => [`index-${kind}-${to}/x`, ''])])),
  });
  g.tolerate = (lines) => lines.every((line) => line.includes('subrequest into a priced'));
});
after(async () => {
  await g.stop();
  await upstream.close();
});
beforeEach(() => {
  g.till.reset();
  upstream.hits.length = 0;
});

const target = (url) => url.startsWith('/to-');
const AMOUNT = { cheap: '1000', same: '1000', dear: '5000000' };
const costs = (kind) => AMOUNT[kind] ?? null;

/** Sends unpaid, or paid for the price of `kind`. */
async function send(path, kind) {
  g.till.reset();
  upstream.hits.length = 0;
  const headers = kind === null ? {} : await payment(path, { offer: { amount: costs(kind) } });
  const res = await g.http.send(path, { headers });
  await new Promise((resolve) => setTimeout(resolve, 20));
  return { res, asked: g.till.names().filter((name) => name !== 'STARTED' && name !== 'DONE'), hits: upstream.hits.map((hit) => hit.url) };
}

const fails = (req, res) => {
  res.statusCode = target(req.url) ? 200 : 404;
  res.end(`${req.url}\n`);
};

/* A location that answers by itself hands over only after its own gate. */
for (const way of ['error', 'errornamed']) {
  test(`${way}: the upstream failed; what answers in its place is priced like it, or not sent`, async () => {
    for (const from of KINDS) {
      for (const kind of KINDS) {
        const path = `/${way}-${from}-${kind}`;
        upstream.handler = (req, res) => {
          /* a named location keeps the URI: the second hit is the stand-in */
          res.statusCode = target(req.url) || upstream.hits.length > 1 ? 200 : 404;
          res.end('stand-in\n');
        };
        const unpaid = await send(path, null);
        if (costs(from) || costs(kind))
          assert.equal(unpaid.res.status, 402, `${path} unpaid`);
        else
          assert.equal(unpaid.res.status, 200);
        if (costs(kind))
          assert.ok(!unpaid.res.body.includes('stand-in'), `${path} unpaid: content`);
        if (costs(from))
          assert.deepEqual(unpaid.hits, [], `${path} unpaid: hit`);
        if (!costs(from))
          continue;
        const paid = await send(path, from);
        if (kind === 'free' || costs(kind) === costs(from)) {
          /* the last upstream answered well: an answer */
          assert.equal(paid.res.status, 200, path);
          assert.deepEqual(paid.asked, ['RESERVE', 'CAPTURE'], path);
        } else {
          assert.equal(paid.res.status, 500, path);
          assert.deepEqual(paid.asked, ['RESERVE', 'RELEASE'], path);
          assert.ok(!paid.res.body.includes('stand-in'), path);
        }
      }
    }
  });
}

test('error_page =200 makes no answer of a failure: never charged', async () => {
  upstream.handler = (req, res) => { res.statusCode = 500; res.end('broken\n'); };
  for (const path of ['/error200-cheap-cheap', '/error200-cheap-free', '/error200-cheap-same', '/local200-cheap-free', '/local200-cheap-same', '/local200-dear-free']) {
    const paid = await send(path, path.includes('dear') ? 'dear' : 'cheap');
    assert.equal(paid.res.status, path.startsWith('/local') ? 200 : paid.res.status);
    assert.deepEqual(paid.asked, ['RESERVE', 'RELEASE'], path);
    assert.equal(paid.res.headers['payment-response'], undefined);
  }
});

test('X-Accel-Redirect', async () => {
  for (const from of KINDS) {
    for (const kind of KINDS) {
      const path = `/accel-${from}-${kind}`;
      upstream.handler = (req, res) => {
        if (!target(req.url))
          res.setHeader('X-Accel-Redirect', `/to-${kind}/page`);
        res.end('content\n');
      };
      const unpaid = await send(path, null);
      assert.equal(unpaid.res.status, costs(from) || costs(kind) ? 402 : 200, path);
      if (costs(from))
        assert.deepEqual(unpaid.hits, []);
      if (costs(kind))
        assert.ok(!unpaid.hits.some(target), path);
      const payer = costs(from) ? from : kind;
      if (!costs(payer))
        continue;
      const paid = await send(path, payer);
      if (!costs(from) || kind === 'free' || costs(kind) === costs(from)) {
        assert.equal(paid.res.status, 200, path);
        assert.deepEqual(paid.asked, ['RESERVE', 'CAPTURE'], path);
      } else {
        assert.equal(paid.res.status, 500, path);
        assert.deepEqual(paid.asked, ['RESERVE', 'RELEASE'], path);
        assert.ok(!paid.hits.some(target));
      }
    }
  }
});

test('a price that depends on the path is looked at again, inside of one location too', async () => {
  upstream.handler = (req, res) => {
    const to = new URL(req.url, g.base).searchParams.get('to');
    if (to)
      res.setHeader('X-Accel-Redirect', `/by-path/${to}`);
    res.end('content\n');
  };
  for (const [to, status] of [['like', 200], ['dear', 500]]) {
    const paid = await send(`/by-path/cheap?to=${to}`, 'cheap');
    assert.equal(paid.res.status, status, to);
    assert.deepEqual(paid.asked, ['RESERVE', status === 200 ? 'CAPTURE' : 'RELEASE'], to);
    assert.equal(paid.hits.includes('/by-path/dear'), false);
  }
});

test('upto: who redirects still says what it costs', async () => {
  const wanted = requirement({ scheme: 'upto', amount: '20000', extra: { name: 'USDC', version: '2', assetTransferMethod: 'permit2', facilitatorAddress: METER } });
  for (const [say, status, charge] of [['{"amount":"77"}', 200, 77n], ['much', 502, undefined]]) {
    upstream.handler = (req, res) => {
      res.setHeader('X-Accel-Redirect', '/file-free/page');
      res.setHeader('Settlement-Overrides', say);
      res.end();
    };
    g.till.reset();
    const res = await g.http.send('/metered', { headers: header(wanted, await permit2(payer, wanted)) });
    assert.equal(res.status, status);
    assert.equal(g.till.of('CAPTURE')[0]?.charge, charge);
    if (charge)
      assert.equal(res.body, 'file free\n');
  }
});

test('upto, run again: the receipt does not call the most what was taken', async () => {
  const wanted = requirement({ scheme: 'upto', amount: '20000', extra: { name: 'USDC', version: '2', assetTransferMethod: 'permit2', facilitatorAddress: METER } });
  upstream.handler = (req, res) => res.end('content\n');
  for (const [redeemed, amount] of [[false, '20000'], [true, undefined]]) {
    g.till.reset();
    g.till.script.RESERVE = () => ({ redeemed });
    const res = await g.http.send('/metered', { headers: header(wanted, await permit2(payer, wanted)) });
    assert.equal(res.status, 200);
    assert.equal(JSON.parse(Buffer.from(res.headers['payment-response'], 'base64')).amount, amount);
    assert.match(g.access().at(-1), amount ? /amount=20000 / : /amount=- /);
  }
});

for (const way of ['try', 'trynamed', 'rewrite', 'index']) {
  test(`${way}: into a priced location is priced, once`, async () => {
    upstream.handler = (req, res) => res.end('content\n');
    for (const from of KINDS) {
      for (const kind of KINDS) {
        const path = `/${way}-${from}-${kind}${way === 'index' ? '/' : ''}`;
        /* rewrite runs before any gate: only where it leads counts */
        const price = way === 'rewrite' ? costs(kind) : costs(from) ?? costs(kind);
        const unpaid = await send(path, null);
        assert.equal(unpaid.res.status, price ? 402 : 200, path);
        assert.deepEqual(unpaid.hits, price ? [] : unpaid.hits, path);
        const payer = way === 'rewrite' ? kind : costs(from) ? from : kind;
        if (!costs(payer))
          continue;
        const paid = await send(path, payer);
        if (way === 'rewrite' || !costs(from) || kind === 'free' || costs(kind) === costs(from)) {
          assert.equal(paid.res.status, 200, path);
          assert.deepEqual(paid.asked, ['RESERVE', 'CAPTURE'], path);
          assert.equal(paid.hits.length, 1);
        } else {
          assert.equal(paid.res.status, 500, path);
          assert.deepEqual(paid.asked, ['RESERVE', 'RELEASE'], path);
          assert.deepEqual(paid.hits, [], path);
        }
      }
    }
  });
}

test('subrequests never get into a priced location', async () => {
  upstream.handler = (req, res) => res.end(target(req.url) ? 'secret\n' : `<!--# include virtual="/to-${req.url.split('-').pop()}/page" -->\n`);
  for (const way of ['ssi', 'auth', 'mirror', 'add', 'after']) {
    for (const from of KINDS) {
      for (const kind of ['cheap', 'dear']) {
        const path = `/${way}-${from}-${kind}`;
        for (const payer of [null, ...costs(from) ? [from] : []]) {
          const { res, hits, asked } = await send(path, payer);
          assert.ok(!hits.some(target), `${path}: ${hits}`);
          assert.ok(!res.body.includes('secret'), path);
          assert.ok(asked.length <= 2, `${path}: ${asked}`);
          if (way === 'auth')
            assert.ok(res.status === 403 || res.status === 402, `${path} ${res.status}`);
        }
      }
    }
  }
});

test('subrequests into free locations work in paid ones', async () => {
  upstream.handler = (req, res) => res.end(target(req.url) ? 'part\n' : 'page <!--# include virtual="/to-free/page" -->\n');
  for (const way of ['ssi', 'auth', 'mirror', 'add', 'after']) {
    const { res, hits, asked } = await send(`/${way}-cheap-free`, 'cheap');
    assert.equal(res.status, 200);
    assert.deepEqual(asked, ['RESERVE', 'CAPTURE']);
    assert.ok(hits.some(target), way);
    if (way === 'ssi' || way === 'add')
      assert.match(res.body, /page[^]*part/);
  }
});

test('a refusal is never turned into content by error_page', async () => {
  upstream.handler = fails;
  const { res, hits } = await send('/error-cheap-free', null);
  assert.equal(res.status, 402);
  assert.deepEqual(hits, []);
});
