// SPDX-License-Identifier: Apache-2.0
// Spellings of a priced path: thousands of them, against upstreams that read
// paths the way the frameworks in use do.  Nothing that any of them takes for
// the priced resource may arrive unpaid; the configuration is the worst one,
// with everything else passed on free.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createConnection } from 'node:net';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { payment, priced, raw, startGateway, startUpstream } from './harness.mjs';

const run = promisify(execFile);
const PAID = '/paid/answer';

let upstream;
const gateways = {};

before(async () => {
  upstream = await startUpstream((req, res) => res.end('ok\n'));
  const bare = (more) => ({
    server: `${more} ${priced(`= ${PAID}`, upstream)} ${priced('/api/', upstream)} ${priced('~ ^/premium/.+\\.bin$', upstream)}
      location / { proxy_pass http://127.0.0.1:${upstream.port}; }
      location = /free { proxy_pass http://127.0.0.1:${upstream.port}/free; }`,
  });
  gateways.merged = await startGateway(bare(''));
  gateways.unmerged = await startGateway(bare('merge_slashes off;'));
  gateways.mapped = await startGateway({
    server: `${priced(`= ${PAID}`, { port: `${upstream.port}${PAID}` })} ${priced('/api/', { port: `${upstream.port}/api/` })}
      ${priced('~ ^/premium/.+\\.bin$', upstream)} location / { proxy_pass http://127.0.0.1:${upstream.port}/; }`,
  });
});
after(async () => {
  for (const g of Object.values(gateways))
    await g.stop();
  await upstream.close();
});

const decode = (text) => text.replace(/(%[0-9a-f]{2})+/gi, (run) => { try { return decodeURIComponent(run); } catch { return Buffer.from(run.replaceAll('%', ''), 'hex').toString('latin1'); } });
const clean = (path) => {
  const out = [];
  for (const segment of path.split('/'))
    if (segment === '..')
      out.pop();
    else if (segment !== '' && segment !== '.')
      out.push(segment);
  return `/${out.join('/')}`;
};
const cut = (path) => path.replace(/[?#].*$/s, '');

/** How a framework finds its route: raw target to plain path. */
const READERS = {
  node: (t) => cut(t),
  express: (t) => decode(cut(t)).toLowerCase().replace(/(.)\/+$/, '$1'),
  flask: (t) => decode(cut(t)).replace(/\/{2,}/g, '/').replace(/(.)\/$/, '$1'),
  go: (t) => clean(decode(cut(t))),
  spring: (t) => clean(decode(cut(t).split('/').map((s) => s.replace(/;.*$/s, '')).join('/'))),
  tomcat: (t) => clean(decode(cut(t)).replaceAll('\\', '/').split('/').map((s) => s.replace(/;.*$/s, '')).join('/')),
  php: (t) => clean(decode(cut(t)).split('\0')[0]),
  iis: (t) => clean(decode(decode(cut(t))).toLowerCase().replaceAll('\\', '/')).replace(/[ .]+$/, ''),
  twice: (t) => clean(decode(decode(t)).replace(/[?#;].*$/s, '')),
  late: (t) => clean(cut(decode(t))),
};

const isPaid = (path) => path === PAID || /^\/api(\/|$)/.test(path) || /^\/premium\/.+\.bin$/.test(path);

function spellings() {
  const out = new Set();
  const bases = [PAID, '/api/x', '/api/', '/premium/a.bin', '/paid', '/free'];
  const inserts = ['/', '//', '/./', '/../', '/.', '/..', '\\', '/\\', ';', ';a=b', ';/', '/;/', '/..;/', '/.;/', '%2f', '%2F', '%5c', '%5C', '%2e', '%2e%2e', '%2E/', '/%2e/', '/%2e%2e/',
    '/%2e./', '%252f', '%252e%252e', '%255c', '%00', '%0a', '%0d', '%09', '%20', '%e2%80%a8', '%c0%af', '%c0%ae', '%ff', '%u002f', '%', '%z', '%1', '#', '%23', '?', '%3f', '%3b', '%3bx', '.', '..', ' ', '+', '~', '%7f',
    '%ef%bc%8f', '%25%32%66', '.json', '%2541', '%2', ':', '@', '|', '*', '&', '='];
  for (const base of bases) {
    for (const text of [base, base.toUpperCase(), base.replace(/[a-z]/, (c) => c.toUpperCase()), `${base}/`, `/x/..${base}`, `/free/..${base}`, `/free/%2e%2e${base}`, `/free/..%2f${base.slice(1)}`, `/free;/..${base}`, `/${base}`, `//${base}`,
      [...base].map((c) => (c === '/' ? c : `%${c.charCodeAt(0).toString(16)}`)).join(''), [...base].map((c) => `%25${c.charCodeAt(0).toString(16)}`).join(''), `http://x${base}`, `HTTP://x${base.toUpperCase()}`]) {
      out.add(text);
      for (const insert of inserts)
        for (const at of [1, 3, text.length >> 1, text.length - 1, text.length, text.lastIndexOf('/'), text.lastIndexOf('/') + 1])
          out.add(text.slice(0, at) + insert + text.slice(at));
    }
    for (let i = 1; i < base.length; i += 1) {
      const code = base.charCodeAt(i).toString(16);
      out.add(`${base.slice(0, i)}%${code}${base.slice(i + 1)}`);
      out.add(`${base.slice(0, i)}%25${code}${base.slice(i + 1)}`);
      out.add(`${base.slice(0, i)}${base[i].toUpperCase()}${base.slice(i + 1)}`);
    }
  }
  return [...out];
}

/** Pipelined on one connection, a new one whenever nginx closes it. */
async function sendAll(port, targets) {
  const statuses = {};
  let next = 0;
  while (next < targets.length) {
    const batch = targets.slice(next, next + 1);
    const { text } = await new Promise((resolve) => {
      const socket = createConnection(port, '127.0.0.1');
      const state = { text: '' };
      socket.on('data', (data) => { state.text += data.toString('latin1'); });
      socket.on('close', () => resolve(state));
      socket.on('error', () => resolve(state));
      socket.write(Buffer.from(batch.map((t) => `GET ${t} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`).join(''), 'latin1'));
    });
    const status = text.slice(9, 12) || 'none';
    statuses[status] = (statuses[status] ?? 0) + 1;
    next += 1;
  }
  return statuses;
}

for (const name of ['merged', 'unmerged', 'mapped']) {
  test(`no spelling gets past the price: ${name}`, { timeout: 120_000 }, async () => {
    const g = gateways[name];
    const targets = spellings();
    assert.ok(targets.length > 5000, `${targets.length} spellings`);
    upstream.hits.length = 0;
    const lanes = Array.from({ length: 8 }, (_, i) => sendAll(g.port, targets.filter((_t, j) => j % 8 === i)));
    const statuses = await Promise.all(lanes);
    const total = {};
    for (const lane of statuses)
      for (const [status, n] of Object.entries(lane))
        total[status] = (total[status] ?? 0) + n;
    assert.ok(total[402] > 50 && total[200] > 50 && total[400] > 500, JSON.stringify(total));
    assert.equal(total[500], undefined);
    const bad = upstream.hits.flatMap((hit) => Object.entries(READERS).filter(([, read]) => isPaid(read(hit.url))).map(([reader]) => `${reader} reads ${hit.url}`));
    assert.deepEqual(bad, []);
    assert.deepEqual(g.till.names(), []);
  });
}

test('a control: the readers do find the paid path', () => {
  for (const [reader, read] of Object.entries(READERS))
    assert.ok(isPaid(read(PAID)), reader);
  assert.ok(isPaid(READERS.express('/PAID/answer/')));
  assert.ok(isPaid(READERS.tomcat('/x/..;/paid;a/answer')));
  assert.ok(isPaid(READERS.iis('/%2550AID%5canswer.')));
});

test('HTTP/2 sees the same', async () => {
  const g = gateways.merged;
  upstream.hits.length = 0;
  for (const [path, status] of [[PAID, 402], ['/PAID/answer', 404], ['/paid/answer/', 404], ['/paid;x/answer', 404], ['/paid%2fanswer', 400], ['/x/../paid/answer', 400],
    ['/paid//answer', 402], ['/%70aid/answer', 402], ['/paid/answer%00', 400], ['/api', 301], ['/API/x', 404], ['/premium/A.BIN', 404], ['/free', 200], ['/other', 200]]) {
    const { stdout } = await run('curl', ['-s', '-o', '/dev/null', '--path-as-is', '-w', '%{http_code}', '--http2-prior-knowledge', `${g.h2}${path}`]);
    assert.equal(Number(stdout), status, path);
    const h1 = await run('curl', ['-s', '-o', '/dev/null', '--path-as-is', '-w', '%{http_code}', `${g.base}${path}`]);
    assert.equal(Number(h1.stdout), status, `${path} over HTTP/1.1`);
  }
  assert.deepEqual(upstream.hits.map((hit) => hit.url), ['/free', '/free', '/other', '/other']);
});

test('a paid request is forwarded as what was matched', async () => {
  for (const [name, path] of [['merged', '/%70aid/answer?a=%20b'], ['merged', '/api/a%20b/%C3%A4?x=/../y'], ['mapped', '/paid//answer']]) {
    upstream.hits.length = 0;
    const res = await gateways[name].http.send(path, { headers: await payment(path) });
    assert.equal(res.status, 200, path);
    assert.ok(isPaid(READERS.flask(upstream.hits[0].url)), upstream.hits[0].url);
  }
});

test('ordinary paths and queries are left alone', async () => {
  upstream.hits.length = 0;
  const paths = ['/', '/a/b/', '/a.b/c..d', '/%C3%A4/%E2%82%AC', '/a%20b', '/a+b', '/x;v=1', '/what%3F', '/a%25', '/a%25zz', '/~u/@x:y', '/?q=/../paid/answer', '/a?b=%2f%5c%00', '/A/B', '/paid', '/paid/answers', '/premium/', '/...', '/a/.b', '/apix'];
  for (const path of paths)
    assert.equal((await gateways.merged.http.send(path)).status, 200, path);
  assert.deepEqual(upstream.hits.map((hit) => hit.url), paths);
});

test('long paths', async () => {
  const long = `/${'a'.repeat(9000)}`;
  const { text } = await raw(gateways.merged.port, `GET ${long} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
  assert.match(text, /^HTTP\/1\.1 400/);
  assert.equal((await gateways.merged.http.send(`/${'a'.repeat(8000)}`)).status, 200);
});
