// SPDX-License-Identifier: Apache-2.0
// The demo's own promises, as a stranger would try them: through ./demo and
// the FILE it names, from outside.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { privateKeyToAccount } from 'viem/accounts';
import { account } from '../../devnet/accounts.mjs';
import { PROGRAMS, PROJECT } from '../../devnet/paths.mjs';
import { isFree, portsFrom } from '../../devnet/ports.mjs';
import { sleep } from '../../devnet/process.mjs';
import { client } from '../harness/http.mjs';
import { offerOf, pay } from '../harness/payment.mjs';
import { until } from '../harness/witness.mjs';

const BASE = Number(process.env.X402_TEST_DEMO_BASE ?? 14800);
const PORTS = portsFrom(BASE);
const started = [];

function demo(args = [], env = {}) {
  const child = spawn(join(PROJECT, 'demo'), args, {
    env: { ...process.env, X402_DEMO_PORT_BASE: String(BASE), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const run = { child, out: '', err: '' };
  child.stdout.on('data', (data) => { run.out += data; });
  child.stderr.on('data', (data) => { run.err += data; });
  run.exit = new Promise((resolve) => { child.once('exit', (code, signal) => resolve(code ?? signal)); });
  started.push(run);
  return run;
}

after(async () => {
  for (const { child, exit } of started) {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGTERM');
      await exit;
    }
  }
});

const readyFile = (run) => /^ready (.+)$/m.exec(run.out)?.[1];
const read = (file) => JSON.parse(readFileSync(file, 'utf8'));

async function serve() {
  const run = demo(['--serve']);
  await until('ready', 120_000, () => readyFile(run) || run.child.exitCode !== null);
  assert.ok(readyFile(run), run.err);
  return { ...run, run, file: readyFile(run), state: read(readyFile(run)) };
}

function alive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

test('./demo shows the 402, pays, shows body, receipt and both balances', { timeout: 180_000 }, async () => {
  const run = demo();
  assert.equal(await run.exit, 0, run.err);
  assert.match(run.out, /402 Payment Required/);
  assert.match(run.out, /"answer":\s*42/);
  assert.match(run.out, /"success": true/);
  assert.match(run.out, /before\n.*1000000\.000000 USDC\n.* 0\.000000 USDC/);
  assert.match(run.out, /after\n.*999999\.999000 USDC\n.* 0\.001000 USDC/);
  assert.equal(await isFree(PORTS.gateway), true);
});

test('./demo --serve', { timeout: 240_000 }, async (t) => {
  const { run, child, exit, file, state } = await serve();

  await t.test('FILE holds what it promises', () => {
    const url = (name) => `http://127.0.0.1:${PORTS[name]}`;
    for (const name of ['gateway', 'facilitator', 'rpc', 'upstream'])
      assert.equal(state[name], url(name));
    assert.equal(state.pay_to, account(9).address);
    assert.equal(state.asset, '0x036CbD53842c5426634e7929541eC2318f3dCF7e');
    assert.equal(state.network, 'eip155:84532');
    const key = readFileSync(state.payer_key_file, 'utf8').trim().replace(/^(0x)?/, '0x');
    assert.equal(privateKeyToAccount(key).address, account(2).address);
    assert.equal(statSync(state.payer_key_file).mode & 0o777, 0o600);
    assert.ok(statSync(state.daemon_socket).isSocket());
    assert.ok(existsSync(join(state.config_dir, 'nginx.conf')));
    assert.ok(alive(state.pids.nginx) && alive(state.pids.x402d));
    assert.equal(run.out, `ready ${file}\n`);
  });

  await t.test('routes: free, priced, and nothing else', async () => {
    const http = client(state.gateway);
    const prices = {
      '/paid': '1000', '/paid-v1': '1000', '/v1/chat/completions': '495', '/fail': '1000', '/flaky': '1000',
      '/stream': '1000', '/big': '1000', '/dear': '5000000', '/strict': '1000',
    };
    for (const [path, amount] of Object.entries(prices)) {
      for (const method of ['GET', 'POST', 'PUT', 'DELETE', 'HEAD', 'OPTIONS']) {
        const response = await http.send(path, { method });
        assert.equal(response.status, 402, `${method} ${path}`);
        const { accepts } = offerOf(response);
        assert.equal(accepts[0].amount, amount);
        assert.equal(accepts[0].maxTimeoutSeconds, 300);
      }
    }
    assert.equal((await http.send('/free/anything')).status, 200);
    for (const path of ['/', '/free', '/paid/', '/PAID', '/paid/x', '/nothing', '/__hits', '/paid;x', '/v1'])
      assert.ok([404, 400, 402].includes((await http.send(path)).status), path);
    for (const path of ['/', '/free', '/nothing', '/__hits', '/v1'])
      assert.equal((await http.send(path)).status, 404, path);
    const hits = await (await fetch(`${state.upstream}/__hits`)).json();
    assert.deepEqual(hits, { '/free/anything': 1 });
    http.close();
  });

  await t.test('the upstream matches loosely and counts by plain path', async () => {
    const http = client(state.upstream);
    for (const path of ['/PAID', '/paid/', '/%70aid', '/paid;v=1', '/paid?x=1'])
      assert.equal((await http.send(path, { method: 'PUT' })).status, 200, path);
    assert.equal((await (await fetch(`${state.upstream}/__hits`)).json())['/paid'], 5);
    http.close();
  });

  for (const name of ['x402d', 'nginx']) {
    await t.test(`${name}, killed, is back within 1 s, and FILE names its new pid`, async () => {
      const old = read(file).pids[name];
      process.kill(old, 'SIGKILL');
      const at = Date.now();
      await until('a new pid', 1000, () => read(file).pids[name] !== old && alive(read(file).pids[name]));
      const where = name === 'nginx' ? `${state.gateway}/paid` : `${state.facilitator}/supported`;
      await until('it answers', 5000, () => fetch(where).then(() => true, () => false));
      t.diagnostic(`${name} answered again after ${Date.now() - at} ms`);
      const http = client(state.gateway);
      const bought = await until('and sells', 10_000, async () => {
        const offer = offerOf(await http.send('/paid'));
        return (await http.send('/paid', { headers: (await pay(account(2), offer)).header('v2') })).status;
      }, (status) => status === 200);
      assert.equal(bought, 200);
      http.close();
    });
  }

  await t.test('a route is in the catalogue within 10 s of its first settled payment, and x402 finds it', async () => {
    const http = client(state.gateway);
    const payment = await pay(account(2), offerOf(await http.send('/paid')));
    assert.equal((await http.send('/paid', { headers: payment.header('v2') })).status, 200);
    const listed = async () => (await (await fetch(`${state.facilitator}/discovery/resources`)).json()).items;
    const [item] = await until('the listing', 10_000, listed, (items) => items.length > 0);
    assert.equal(item.resource, `${state.gateway}/paid`);
    const found = spawnSync(PROGRAMS.x402, ['discover', '--bazaar', state.facilitator, 'answer'], { encoding: 'utf8' });
    assert.equal(found.status, 0, found.stderr);
    assert.match(found.stdout, new RegExp(`^GET ${state.gateway}/paid\n  An answer in JSON\n  0.001 USDC on Base Sepolia\n`));
    assert.match(await (await fetch(`${state.facilitator}/bazaar`)).text(), /x402 Bazaar/);
    http.close();
  });

  await t.test('a second demo on the same ports says so and harms nothing', async () => {
    const second = demo(['--serve']);
    assert.equal(await second.exit, 1);
    assert.match(second.err, new RegExp(`port ${PORTS.gateway} .*in use`));
    assert.match(second.err, /X402_DEMO_PORT_BASE/);
    assert.equal((await fetch(`${state.gateway}/free/x`)).status, 200);
  });

  await t.test('SIGTERM: everything it started is gone within 10 s', async () => {
    const { pids } = read(file);
    child.kill('SIGTERM');
    const at = Date.now();
    assert.equal(await exit, 0);
    assert.ok(Date.now() - at < 10_000);
    for (const port of Object.values(PORTS))
      assert.equal(await isFree(port), true, `port ${port}`);
    for (const [name, pid] of Object.entries(pids))
      assert.equal(alive(pid), false, name);
    t.diagnostic(`gone after ${Date.now() - at} ms`);
  });
});

test('each start has a new chain and a new ledger', { timeout: 120_000 }, async () => {
  const { child, exit, state } = await serve();
  const response = await fetch(state.rpc, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'eth_call', params: [{ to: state.asset, data: `0x70a08231${account(9).address.slice(2).padStart(64, '0')}` }, 'latest'] }),
  });
  assert.equal(BigInt((await response.json()).result), 0n);
  child.kill('SIGTERM');
  assert.equal(await exit, 0);
});

test('a supervisor that is killed leaves nothing behind', { timeout: 120_000 }, async () => {
  const { child, exit } = await serve();
  child.kill('SIGKILL');
  await exit;
  for (const [name, port] of Object.entries(PORTS))
    await until(`port ${port} (${name}) free`, 10_000, () => isFree(port));
});

test('a port in use is named, with what to do', { timeout: 60_000 }, async () => {
  const squatter = createServer().listen(PORTS.facilitator, '127.0.0.1');
  await sleep(100);
  const run = demo();
  assert.equal(await run.exit, 1);
  assert.match(run.err, new RegExp(`port ${PORTS.facilitator} \\(facilitator\\) is in use`));
  squatter.close();
});
