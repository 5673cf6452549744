// SPDX-License-Identifier: Apache-2.0
// The HTTP layer alone: limits, who may ask, what a refusal looks like, clients
// that leave or are slow, the end of the process.  The cashier is a stub that
// does what the payment's nonce says.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { describe, test } from 'node:test';
import { sleep } from '../../devnet/process.mjs';
import { until } from '../harness/witness.mjs';
import { Daemon, PAY_TO, STUB, ports, useDaemon, yaml } from './daemon.mjs';
import { body, post, stubNonce } from './payments.mjs';

const { facilitator: port, third, fourth } = await ports(1);
const daemon = await useDaemon({ program: STUB, port, text: yaml({ port, more: 'log: debug' }) });
const { url } = daemon;
const BODY_MAX = 65536;

/** Bytes as they are; everything that comes back until the end or the time. */
function raw(text, { wait = 3000, to = port, half = false } = {}) {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port: to });
    let got = '';
    const done = () => { socket.destroy(); resolve(got); };
    const timer = setTimeout(done, wait);
    socket.on('data', (data) => {
      got += data;
    });
    socket.on('error', () => {});
    socket.on('close', () => { clearTimeout(timer); done(); });
    socket.on('connect', () => { socket.write(text); if (half) socket.end(); });
  });
}

const request = (path, headers = {}, text = '', method = text ? 'POST' : 'GET') =>
  `${method} ${path} HTTP/1.1\r\n${Object.entries({
    Host: `127.0.0.1:${port}`,
    Connection: 'close',
    ...(text ? { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) } : {}),
    ...headers,
  }).filter(([, value]) => value !== null).map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${text}`;

const statusOf = (answer) => Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1] ?? 0);

function assertRefusal(path, json) {
  if (path === '/verify') {
    assert.equal(json.isValid, false);
    assert.equal(typeof json.invalidReason, 'string');
  } else {
    assert.equal(json.success, false);
    assert.equal(typeof json.errorReason, 'string');
    assert.equal(json.transaction, '');
    assert.equal(typeof json.network, 'string');
  }
}

async function inFlight() {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(/^x402_http_in_flight (\d+)$/m.exec(text)[1]);
}

for (const path of ['/verify', '/settle']) {
  for (const [why, text] of [
    ['nothing', ''],
    ['not JSON', 'hello'],
    ['an array', '[]'],
    ['a string', '"x"'],
    ['null', 'null'],
    ['an empty object', '{}'],
    ['half an object', '{"x402Version":2,'],
    ['two values', '{} {}'],
    ['a NUL byte', '{"x402Version":2}\0'],
    ['not UTF-8', Buffer.from('{"x402Version":2,"a":"\xff"}', 'latin1')],
    ['a duplicate key', '{"x402Version":2,"x402Version":2}'],
    ['version 3', '{"x402Version":3,"paymentPayload":{},"paymentRequirements":{}}'],
    ['version as text', '{"x402Version":"2","paymentPayload":{},"paymentRequirements":{}}'],
    ['depth 10000', `${'['.repeat(10000)}${']'.repeat(10000)}`],
    ['a deep member', `{"x402Version":2,"paymentPayload":${'{"a":'.repeat(40)}1${'}'.repeat(40)}}`],
    ['5000 keys', `{${Array.from({ length: 5000 }, (_, i) => `"k${i}":0`).join(',')}}`],
  ]) {
    test(`${path}: malformed, ${why}: 400 with the answer's shape`, async () => {
      const response = await fetch(url + path, {
        method: 'POST', headers: { 'content-type': 'application/json' }, body: text,
      });
      assert.equal(response.status, 400);
      assertRefusal(path, await response.json());
    });
  }

  test(`${path}: a body of 65536 bytes is read, one more is 413`, async () => {
    const good = JSON.stringify(await body(2, { change: { nonce: stubNonce() } }));
    const at = await post(url + path, good.padEnd(BODY_MAX, ' '));
    assert.equal(at.status, 200);
    assert.equal(at.json.isValid ?? at.json.success, true);
    const over = await post(url + path, good.padEnd(BODY_MAX + 1, ' '));
    assert.equal(over.status, 413);
    assertRefusal(path, over.json);
  });

  test(`${path}: chunked and too large: 413; endless: cut off`, async () => {
    const piece = ' '.repeat(0x8000);
    const head = request(path, { 'Content-Type': 'application/json', 'Transfer-Encoding': 'chunked' }, '', 'POST');
    const chunk = `8000\r\n${piece}\r\n`;
    const answer = await raw(head + chunk.repeat(3) + '0\r\n\r\n');
    assert.equal(statusOf(answer), 413);
    const began = Date.now();
    assert.doesNotMatch(await raw(head + chunk.repeat(100)), /"isValid":true|"success":true/);
    assert.ok(Date.now() - began < 2900, 'the connection was left open');
  });

  test(`${path}: a gigabyte announced is refused at once`, async () => {
    const answer = await raw(request(path, { 'Content-Type': 'application/json', 'Content-Length': 1 << 30 }, '', 'POST'));
    assert.equal(statusOf(answer), 413);
    assertRefusal(path, JSON.parse(answer.split('\r\n\r\n')[1]));
  });

  for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/jsonx', 'multipart/form-data', null]) {
    test(`${path}: Content-Type ${type} is refused`, async () => {
      const text = JSON.stringify(await body(2, { change: { nonce: stubNonce() } }));
      const answer = await raw(request(path, { 'Content-Type': type }, text));
      assert.equal(statusOf(answer), 400);
      assertRefusal(path, JSON.parse(answer.split('\r\n\r\n')[1]));
    });
  }

  test(`${path}: Content-Type with a charset, in capitals, is fine`, async () => {
    const { status } = await post(url + path, await body(2, { change: { nonce: stubNonce() } }),
      { 'content-type': 'Application/JSON; charset=utf-8' });
    assert.equal(status, 200);
  });

  test(`${path}: a compressed body is refused`, async () => {
    assert.equal((await post(url + path, '{}', { 'content-encoding': 'gzip' })).status, 400);
  });

  test(`${path}: other methods are 405`, async () => {
    for (const method of ['GET', 'PUT', 'DELETE', 'OPTIONS']) {
      const response = await fetch(url + path, { method });
      assert.equal(response.status, 405, method);
      assert.equal(response.headers.get('allow'), 'POST');
      assertRefusal(path, await response.json());
    }
  });
}

test('Host: loopback names and the configured ones, nothing else', async () => {
  for (const host of [`127.0.0.1:${port}`, 'localhost', 'LocalHost:1', '[::1]', `[::1]:${port}`])
    assert.equal(statusOf(await raw(request('/health', { Host: host }))), 200, host);
  for (const host of ['evil.example', `evil.example:${port}`, '127.0.0.1.evil.example', 'localhost.evil.example',
    '127.0.0.2', '[::2]', 'localhost@evil.example', ''])
    assert.equal(statusOf(await raw(request('/health', { Host: host }))), 403, host);
  assert.equal(statusOf(await raw('GET /health HTTP/1.0\r\n\r\n')), 403);
});

test('Host: names from http.hosts', async () => {
  const other = await new Daemon({
    program: STUB, port: third, text: yaml({ port: third, http: 'any_payee: true, hosts: [pay.example]' }),
  }).start();
  try {
    for (const [host, status] of [['pay.example', 200], ['PAY.example:443', 200], ['x.pay.example', 403]])
      assert.equal(statusOf(await raw(request('/health', { Host: host }), { to: third })), status, host);
  } finally {
    await other.stop();
  }
});

test('a page in a browser is refused: Origin, in any form', async () => {
  for (const origin of ['https://shop.example', 'null', `http://127.0.0.1:${port}`]) {
    const settle = await post(`${url}/settle`, await body(2, { change: { nonce: stubNonce() } }), { origin });
    assert.equal(settle.status, 403);
    assertRefusal('/settle', settle.json);
  }
  const preflight = await raw(request('/settle', { Origin: 'https://shop.example', 'Access-Control-Request-Method': 'POST' }, '', 'OPTIONS'));
  assert.equal(statusOf(preflight), 403);
  assert.doesNotMatch(preflight, /access-control-allow/i);
});

test('an unknown URL is 404 in JSON', async () => {
  for (const path of ['/', '/verify/', '/Verify', '/settle?x=1/../..', '/close', '/discovery/resources', '//verify']) {
    const response = await fetch(url + path);
    assert.ok([404, 405].includes(response.status), path);
    assert.equal(typeof (await response.json()).error === 'string' || path.startsWith('/settle?'), true, path);
  }
});

test('answers are JSON, never stored, never sniffed; HEAD has no body', async () => {
  for (const [path, type] of [['/supported', /^application\/json/], ['/health', /^application\/json/], ['/metrics', /^text\/plain/]]) {
    const response = await fetch(url + path);
    assert.equal(response.status, 200);
    assert.match(response.headers.get('content-type'), type);
    assert.equal(response.headers.get('cache-control'), 'no-store');
    assert.equal(response.headers.get('x-content-type-options'), 'nosniff');
    const head = await fetch(url + path, { method: 'HEAD' });
    assert.equal(head.status, 200);
    assert.equal(await head.text(), '');
  }
});

test('metrics: valid text format, sums only', async () => {
  const text = await (await fetch(`${url}/metrics`)).text();
  for (const line of text.trimEnd().split('\n'))
    assert.match(line, /^(# (HELP|TYPE) x402_[a-z_]+ .+|x402_[a-z_]+(\{(state|network)="[a-z0-9:]+"(,asset="[A-Za-z0-9]+")?\})? \d+)$/);
  assert.doesNotMatch(text, /0x[0-9a-f]{40}/i);
  assert.match(text, /^x402_payments\{state="captured"\} 3$/m);
  assert.match(text, /^x402_signer_balance_wei\{network="eip155:84532"\} 1000000000000000000$/m);
  const usdc = '\\{network="eip155:84532",asset="USDC"\\}';
  for (const [name, value] of [['unsettled_amount', 7000], ['unsettled_payer_most_amount', 4000], ['unsettled_payers', 2], ['lost_amount', 7],
    ['settle_first_payers', 1]])
    assert.match(text, new RegExp(`^x402_${name}${usdc} ${value}$`, 'm'));
  assert.match(text, /^x402_verify_total \d+$/m);
  assert.match(text, /^x402_recoveries_total [1-9]/m);
});

test('metrics: whole with the most networks and keys there can be', async () => {
  const most = ['8453', '84532', '1', '137', '42161', '143', '43114', '43113'].map((id) => `eip155:${id}`);
  const names = Array.from({ length: 64 }, (_, i) => `key-${String(i).padStart(3, '0')}-`.padEnd(32, 'x'));
  const full = new Daemon({ program: STUB, port: fourth, text: `ledger: ledger.db
http:
  listen: "127.0.0.1:${fourth}"
  any_payee: true
  keys:
${names.map((name, i) => `    - {name: ${name}, sha256: "${i.toString(16).padStart(64, '0')}", payees: ["${PAY_TO}"], gas: 1000000000000}`).join('\n')}
networks:
${most.map((id) => `  - {network: "${id}", rpc: ["http://127.0.0.1:1"], signers: [{key_file: signer.key}]}`).join('\n')}
` });
  await full.start();
  try {
    const response = await fetch(`${full.url}/metrics`);
    const text = await response.text();
    assert.equal(Number(response.headers.get('content-length')), text.length);
    assert.ok(text.length > 16_384, `${text.length}`);
    for (const name of names)
      assert.equal(text.split(`{key="${name}"} `).length, 3);
    for (const id of most)
      assert.equal(text.split(`{network="${id}"} `).length, 5, id);
    assert.match(text, /\nx402_http_in_flight \d+\n$/);
    for (const path of ['/health', '/supported']) {
      const page = await (await fetch(full.url + path)).json();
      assert.ok(JSON.stringify(page).length > 500, path);
    }
  } finally {
    await full.stop();
  }
});

/* UNAVAILABLE, BUSY, FEES, UNKNOWN_RESERVATION, CREDIT: nothing is known of the payment. */
const NOTHING_KNOWN = [25, 26, 28, 30, 82];

test('every reason of the cashier becomes an answer, 503 only where nothing is known', async () => {
  for (let err = 0; err < 86; err += 1) {
    for (const version of [1, 2]) {
      const one = await body(version, { change: { nonce: stubNonce({ err }) } });
      const verify = await post(`${url}/verify`, one);
      const settle = await post(`${url}/settle`, one);
      for (const { status, headers } of [verify, settle]) {
        assert.ok((NOTHING_KNOWN.includes(err) ? [503] : [200, 400]).includes(status), `${err}: ${status}`);
        assert.equal(headers.get('retry-after'), status === 503 ? '1' : null);
      }
      assert.equal(verify.json.isValid, err === 0);
      assert.equal(settle.json.success, err === 0);
      assert.equal(settle.json.network || (settle.status === 400 ? '' : 'none'),
        version === 1 ? 'base-sepolia' : 'eip155:84532');
      if (err !== 0) {
        assert.ok(verify.json.invalidReason);
        assert.ok(settle.json.errorReason);
      }
      assert.equal(settle.json.transaction, [0, 24].includes(err) ? `0x${'ab'.repeat(32)}` : '');
    }
  }
});

test('the answer to version 1 has version 1\'s reason', async () => {
  const change = { nonce: stubNonce({ err: 17 }) };
  assert.equal((await post(`${url}/verify`, await body(1, { change }))).json.invalidReason, 'insufficient_funds');
  assert.equal((await post(`${url}/verify`, await body(2, { change }))).json.invalidReason, 'invalid_exact_evm_insufficient_balance');
});

test('a connection serves many requests, also after refusals', async () => {
  const good = JSON.stringify(await body(2, { change: { nonce: stubNonce({ tenths: 1 }) } }));
  const keep = { Connection: 'keep-alive' };
  const answer = await raw([
    request('/health', keep),
    request('/verify', keep, 'nonsense'),
    request('/nowhere', keep, 'text'),
    request('/verify', { ...keep, 'Content-Type': 'text/plain' }, good),
    request('/verify', keep, good),
    request('/health'),
  ].join(''));
  assert.deepEqual([...answer.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => Number(status)), [200, 400, 404, 400, 200, 200]);
});

test('100 at once wait together, not one after another', async () => {
  const bodies = await Promise.all(Array.from({ length: 100 }, () => body(2, { change: { nonce: stubNonce({ tenths: 10 }) } })));
  const began = Date.now();
  const answers = await Promise.all(bodies.map((one) => post(`${url}/settle`, one)));
  assert.ok(answers.every(({ status, json }) => status === 200 && json.success));
  assert.ok(Date.now() - began < 5000, `${Date.now() - began} ms`);
});

test('clients that leave while the cashier works leave nothing behind', async () => {
  const text = JSON.stringify(await body(2, { change: { nonce: stubNonce({ tenths: 5 }) } }));
  await Promise.all(Array.from({ length: 50 }, () => raw(request('/settle', {}, text), { wait: 200 })));
  await until('only this question in flight', 5000, inFlight, (n) => n === 1);
  assert.equal((await fetch(`${url}/health`)).status, 200);
});

test('clients that leave in the middle of a body', async () => {
  const text = JSON.stringify(await body(2, { change: { nonce: stubNonce() } }));
  await Promise.all(Array.from({ length: 50 }, () => raw(request('/settle', {}, text).slice(0, -100), { wait: 200, half: true })));
  // an end that comes in one packet with the data may be seen only by the time limit
  await until('only this question in flight', 15_000, inFlight, (n) => n === 1);
});

test('a chain that cannot settle: /supported is silent about it, /health red', async () => {
  for (const [rpc, why] of [['http://poor', /gas/], ['http://down', /reached/]]) {
    const poor = await new Daemon({ program: STUB, port: third, text: yaml({ port: third, rpc }) }).start();
    try {
      const supported = await (await fetch(`${poor.url}/supported`)).json();
      assert.deepEqual(supported, { kinds: [], extensions: [], signers: { 'eip155:*': [] } });
      const health = await fetch(`${poor.url}/health`);
      assert.equal(health.status, 503);
      const { status, networks } = await health.json();
      assert.equal(status, 'error');
      assert.match(networks[0].reason, why);
    } finally {
      await poor.stop();
    }
  }
});

test('SIGTERM: new requests are refused, old ones answered, then the end', async () => {
  const other = await new Daemon({ program: STUB, port: fourth, text: yaml({ port: fourth }) }).start();
  const slow = post(`${other.url}/settle`, await body(2, { change: { nonce: stubNonce({ tenths: 15 }) } }));
  await sleep(300);
  const began = Date.now();
  const stopped = other.stop();
  await sleep(200);
  await assert.rejects(fetch(`${other.url}/health`));
  const { status, json } = await slow;
  assert.equal(status, 200);
  assert.equal(json.success, true);
  assert.equal(await stopped, 'exit code 0');
  assert.ok(Date.now() - began < 3000);
  assert.deepEqual(other.events().map(({ event }) => event), ['ready', 'stopping', 'settle', 'stopped']);
});

test('SIGHUP reads the log level again, and refuses a file that became wrong', async () => {
  const other = await new Daemon({ program: STUB, port: fourth, text: yaml({ port: fourth, more: 'log: warn' }) }).start();
  const hup = async (text) => {
    writeFileSync(other.config, text);
    process.kill(other.process.pid, 'SIGHUP');
    await sleep(200);
    return other.events();
  };
  const refused = await hup(yaml({ port: fourth, more: 'log: loud' }));
  assert.match(refused.at(-1).reason, /log: "loud": write debug/);
  assert.equal(refused.at(-1).event, 'reload_refused');
  const odd = await hup(yaml({ port: fourth, more: 'log: "a\\"b\\\\c\\x01\\x1b[31m\\u2028\\n{}"' }));
  assert.equal(odd.at(-1).event, 'reload_refused'); // and the line is JSON
  assert.match(odd.at(-1).reason, /a"b\\c\u0001\u001b\[31m\u2028\n\{\}/);
  assert.equal(other.logText().includes('\u001b'), false);
  const reloaded = await hup(yaml({ port: fourth, more: 'log: debug' }));
  assert.equal(reloaded.at(-1).event, 'reloaded');
  await post(`${other.url}/verify`, '{}');
  assert.equal(other.events().at(-1).event, 'verify');
  assert.equal(await other.stop(), 'exit code 0');
});

test('a port in use is said in words', async () => {
  const second = new Daemon({ program: STUB, port, text: yaml({ port }) });
  await second.start().catch(() => {});
  await second.process.exited;
  assert.match(second.logText(), new RegExp(`start_failed","reason":"cannot listen on 127\\.0\\.0\\.1 port ${port}: Address already in use`));
  assert.equal(second.process.how, 'exit code 1');
});

test('a flood of one event is cut to 100 lines a second, and counted', async () => {
  const before = daemon.events().filter(({ event }) => event === 'verify').length;
  await Promise.all(Array.from({ length: 400 }, () => post(`${url}/verify`, '{}')));
  await sleep(1100);
  await post(`${url}/verify`, '{}');
  const events = daemon.events();
  const lines = events.filter(({ event }) => event === 'verify').length - before;
  const suppressed = events.filter(({ event, of }) => event === 'log_suppressed' && of === 'verify')
    .reduce((sum, { count }) => sum + Number(count), 0);
  assert.ok(suppressed > 0);
  assert.ok(lines <= 300, `${lines} lines`);
});

test('the process holds no core file, no dumpable memory, many sockets', () => {
  const limits = readFileSync(`/proc/${daemon.process.pid}/limits`, 'utf8');
  assert.match(limits, /Max core file size\s+0\s+0/);
  const files = Number(/Max open files\s+(\d+)/.exec(limits)[1]);
  assert.ok(files > 1024 || files === Number(/Max open files\s+\d+\s+(\d+)/.exec(limits)[1]));
});

/* Nothing but waiting: beside each other. */
describe('slow clients', { concurrency: 4 }, () => {
  test('a client that drips its headers is cut off, others are served meanwhile', { timeout: 60_000 }, async () => {
    const began = Date.now();
    const sockets = Array.from({ length: 100 }, () => connect({ host: '127.0.0.1', port }));
    const closed = Promise.all(sockets.map((socket) => new Promise((resolve) => {
      socket.on('error', () => {});
      socket.on('close', resolve);
      socket.resume();
    })));
    for (const socket of sockets)
      socket.write('GET /health HTTP/1.1\r\nHost: localhost\r\nX-Slow: ');
    const drip = setInterval(() => sockets.forEach((socket) => socket.writable && socket.write('x')), 1000);
    await sleep(2000);
    assert.equal((await fetch(`${url}/health`)).status, 200);
    await closed;
    clearInterval(drip);
    const took = Date.now() - began;
    assert.ok(took > 10_000 && took < 25_000, `${took} ms`);
  });

  test('more clients than connections: served again as soon as the idle ones are cut off', { timeout: 60_000 }, async () => {
    const other = await new Daemon({ program: STUB, port: third, text: yaml({ port: third }) }).start();
    const sockets = Array.from({ length: 1100 }, () => connect({ host: '127.0.0.1', port: third }));
    for (const socket of sockets)
      socket.on('error', () => {});
    try {
      await sleep(1000);
      assert.ok(readdirSync(`/proc/${other.process.pid}/fd`).length < 1060, 'the limit does not hold');
      const { status } = await fetch(`${other.url}/health`);
      assert.equal(status, 200);
    } finally {
      sockets.forEach((socket) => socket.destroy());
      assert.equal(await other.stop(), 'exit code 0');
    }
  });

  test('a client that drips its body is cut off', { timeout: 60_000 }, async () => {
    const began = Date.now();
    const socket = connect({ host: '127.0.0.1', port });
    socket.on('error', () => {});
    socket.resume();
    const closed = new Promise((resolve) => socket.on('close', resolve));
    socket.write(request('/verify', { 'Content-Length': 5000, 'Content-Type': 'application/json' }, '', 'POST'));
    const drip = setInterval(() => socket.writable && socket.write(' '), 1000);
    await closed;
    clearInterval(drip);
    assert.ok(Date.now() - began < 16_000);
    assert.equal(await inFlight(), 1);
  });

  test('SIGTERM while the cashier is silent: 503 within the grace, exit code 0', { timeout: 30_000 }, async () => {
    const other = await new Daemon({ program: STUB, port: fourth, text: yaml({ port: fourth }) }).start();
    const slow = post(`${other.url}/settle`, await body(2, { change: { nonce: stubNonce({ tenths: 250 }) } }));
    await sleep(300);
    const began = Date.now();
    const stopped = other.stop();
    const { status, json } = await slow;
    assert.equal(status, 503);
    assertRefusal('/settle', json);
    assert.equal(await stopped, 'exit code 0');
    assert.ok(Date.now() - began < 8500, `${Date.now() - began} ms`);
  });
});
