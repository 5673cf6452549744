// SPDX-License-Identifier: Apache-2.0
// API keys: who may settle, for whom, how often.  The cashier is a stub, so
// that nothing but the door is measured.
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { spawnSync } from 'node:child_process';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { account } from '../../devnet/accounts.mjs';
import { Daemon, PAY_TO, STUB, freshDir, ports, useDaemon } from './daemon.mjs';
import { body, post, stubNonce } from './payments.mjs';

const { facilitator: port, third, fourth } = await ports(6);
const newKey = () => randomBytes(32).toString('hex');
const sha256 = (text) => createHash('sha256').update(text).digest('hex');
const SHOP = newKey(), SLOW = newKey(), OTHER = newKey(), EURO = newKey();
const OTHER_PAYEE = account(5).address;

const text = (keys, { listen = `127.0.0.1:${port}`, more = '' } = {}) => `ledger: ledger.db
http:
  listen: "${listen}"
${more}${keys === '' ? '' : `  keys:\n${keys}`}
payees: [{network: base-sepolia, address: "${PAY_TO}"}]
networks:
  - network: base-sepolia
    rpc: ["http://127.0.0.1:1"]
    signers: [{key_file: signer.key}]
log: debug
`;
const KEYS = `    - {name: shop, sha256: ${sha256(SHOP)}}
    - {name: slow, file: slow.key, rates: {verify: 3, settle: 1}}
    - {name: other, sha256: ${sha256(OTHER)}, payees: ["${OTHER_PAYEE}"], assets: [usdc]}
`;

const dir = freshDir();
writeFileSync(join(dir, 'slow.key'), `${SLOW}\n`, { mode: 0o600 });
const daemon = await useDaemon({ program: STUB, dir, port, text: text(KEYS) });

const bearer = (key) => ({ authorization: `Bearer ${key}` });
const good = (requirement) => body(2, { change: { nonce: stubNonce() }, requirement });
const ask = async (path, headers, request) => post(daemon.url + path, request ?? await good(), headers);

for (const path of ['/verify', '/settle']) {
  test(`${path}: no key, a wrong one, another scheme: 401 in the shape of the answer`, async () => {
    for (const headers of [{}, bearer(newKey()), bearer(''), bearer(sha256(SHOP)), bearer(`${SHOP}0`), bearer(SHOP.slice(1)),
      bearer('x'.repeat(2000)), { authorization: `Basic ${SHOP}` }, { authorization: SHOP }, { 'x-api-key': SHOP }]) {
      const { status, json, headers: answer } = await ask(path, headers);
      assert.equal(status, 401, JSON.stringify(headers));
      assert.equal(answer.get('www-authenticate'), 'Bearer');
      assert.equal(path === '/verify' ? json.isValid : json.success, false);
      assert.equal(typeof (json.invalidReason ?? json.errorReason), 'string');
      if (path === '/settle')
        assert.deepEqual([json.transaction, json.network], ['', '']);
    }
  });

  test(`${path}: the right key, from the configuration or a file`, async () => {
    for (const headers of [bearer(SHOP), bearer(SLOW), { authorization: `bearer   ${SHOP}` }]) {
      const { status, json } = await ask(path, headers);
      assert.deepEqual([status, json.isValid ?? json.success], [200, true], JSON.stringify(json));
    }
  });

  test(`${path}: a key is for its own payees and tokens only: 403`, async () => {
    const answers = [
      [SHOP, PAY_TO, 200], [SHOP, OTHER_PAYEE, 200 /* refused by the list of payees */],
      [OTHER, OTHER_PAYEE, 200], [OTHER, PAY_TO, 403],
    ];
    for (const [key, payTo, status] of answers) {
      const answer = await ask(path, bearer(key), await good({ payTo }));
      const valid = key === SHOP ? payTo === PAY_TO : payTo === OTHER_PAYEE;
      assert.deepEqual([answer.status, answer.json.isValid ?? answer.json.success],
        [key === SHOP && !valid ? 403 : status, valid], `${payTo} ${answer.text}`);
      if (!valid)
        assert.equal(answer.json.invalidReason ?? answer.json.errorReason, 'invalid_exact_evm_recipient_mismatch');
    }
    const v1 = await post(daemon.url + path, await body(1, { change: { nonce: stubNonce() } }), bearer(OTHER));
    assert.equal(v1.status, 403);
    assert.equal(v1.json.invalidReason ?? v1.json.errorReason, 'invalid_exact_evm_payload_recipient_mismatch');
  });
}

test('what needs no key: /supported and /health; /metrics on this machine', async () => {
  for (const path of ['/supported', '/health', '/metrics'])
    assert.equal((await fetch(daemon.url + path)).status, 200, path);
});

test('a key has its own rate: 429 with Retry-After, and again after it', async () => {
  await new Promise((resolve) => { setTimeout(resolve, 2100); });
  const answers = [];
  for (let i = 0; i < 10; i += 1)
    answers.push(await ask('/settle', bearer(SLOW)));
  const refused = answers.filter(({ status }) => status === 429);
  assert.ok(refused.length >= 7 && refused.length <= 8, `${refused.length} of 10`);
  for (const { json, headers } of refused) {
    assert.deepEqual([json.success, json.transaction], [false, '']);
    assert.match(headers.get('retry-after'), /^[12]$/);
  }
  assert.equal((await ask('/settle', bearer(SHOP))).status, 200, 'other keys are not touched');
  assert.equal((await ask('/verify', bearer(SLOW))).status, 200, 'nor is /verify');
  await new Promise((resolve) => { setTimeout(resolve, 2100); });
  assert.equal((await ask('/settle', bearer(SLOW))).status, 200);
});

test('no key, and no hash of one, is in the log', () => {
  const log = daemon.logText();
  for (const key of [SHOP, SLOW, OTHER])
    for (const canary of [key, sha256(key), Buffer.from(key).toString('base64')])
      assert.ok(!log.includes(canary));
});

const check = (keys, options) => {
  const file = join(dir, 'checked.yaml');
  writeFileSync(file, text(keys, options));
  return spawnSync(STUB, ['check', file], { encoding: 'utf8' });
};

for (const [why, keys, complaint, options] of [
  ['not loopback, no keys', '', /:3: http\.listen: 0\.0\.0\.0 is not a loopback address.*http\.keys/, { listen: '0.0.0.0:1', more: '  public: true\n' }],
  ['not loopback, not said so', KEYS, /:3: http\.listen: .*http\.public: true/, { listen: '[::]:1' }],
  ['neither hash nor file', '    - {name: a}\n', /:5: http\.keys\[0\]: write either sha256/],
  ['both', `    - {name: a, file: slow.key, sha256: ${sha256(EURO)}}\n`, /:5: http\.keys\[0\]: write either sha256/],
  ['half a hash', `    - {name: a, sha256: ${sha256(EURO).slice(1)}}\n`, /:5: http\.keys\[0\]\.sha256: write the 64 hex/],
  ['a key instead of its hash', '    - {name: a, sha256: hunter2}\n', /:5: http\.keys\[0\]\.sha256/],
  ['a name with a space', `    - {name: "a b", sha256: ${sha256(EURO)}}\n`, /:5: http\.keys\[0\]\.name/],
  ['a name twice', `${KEYS}    - {name: shop, sha256: ${sha256(EURO)}}\n`, /:8: http\.keys\[3\]\.name: "shop" stands here twice/],
  ['a key twice', `${KEYS}    - {name: a, sha256: ${sha256(SHOP)}}\n`, /:8: http\.keys\[3\]: the same key as "shop"/],
  ['no such file', '    - {name: a, file: none.key}\n', /:5: http\.keys\[0\]\.file: .*none\.key/],
  ['an unknown token', `    - {name: a, sha256: ${sha256(EURO)}, assets: [EUR]}\n`, /:5: http\.keys\[0\]\.assets\[0\]: no token "EUR"/],
  ['a payee that is none', `    - {name: a, sha256: ${sha256(EURO)}, payees: [shop]}\n`, /:5: http\.keys\[0\]\.payees\[0\]/],
  ['a rate of nothing', `    - {name: a, sha256: ${sha256(EURO)}, rates: {settle: 0}}\n`, /:5: http\.keys\[0\]\.rates\.settle/],
]) {
  test(`refused: ${why}`, () => {
    const { status, stderr } = check(keys, options);
    assert.equal(status, 2, stderr);
    assert.match(stderr, complaint);
    assert.doesNotMatch(stderr, /hunter2/);
  });
}

test('a key file that others can read, and one that can be guessed', () => {
  chmodSync(join(dir, 'slow.key'), 0o640);
  const open = check(KEYS);
  chmodSync(join(dir, 'slow.key'), 0o600);
  assert.equal(open.status, 2);
  assert.match(open.stderr, /:6: http\.keys\[1\]\.file: .*slow\.key: group or others can read it/);
  writeFileSync(join(dir, 'short.key'), 'correct horse\n', { mode: 0o600 });
  assert.match(check('    - {name: a, file: short.key}\n').stderr, /short\.key can be guessed/);
});

/** An address of this machine that is not loopback, or undefined. */
function outside() {
  const addresses = () => Object.values(networkInterfaces()).flat()
    .filter(({ family, address }) => family === 'IPv4' && !address.startsWith('127.'));
  if (addresses().length === 0) // in a namespace of its own one can be made
    spawnSync('ip', ['addr', 'add', '198.51.100.7/32', 'dev', 'lo']);
  return addresses()[0]?.address;
}
const address = outside();

test('other addresses: /metrics needs a key; wrong keys are counted', { skip: !address && 'only loopback here' }, async () => {
  const open = new Daemon({ program: STUB, dir: freshDir(), port: fourth, text: text(KEYS.replace('file: slow.key', `sha256: ${sha256(SLOW)}`),
    { listen: `0.0.0.0:${fourth}`, more: '  public: true\n  rates: {verify: 20, settle: 5}\n' }) });
  await open.start();
  try {
    const url = `http://${address}:${fourth}`;
    assert.equal((await fetch(`${url}/metrics`)).status, 401);
    assert.equal((await fetch(`${url}/metrics`, { headers: bearer(SHOP) })).status, 200);
    for (const path of ['/supported', '/health'])
      assert.equal((await fetch(url + path)).status, 200);
    const answers = await Promise.all(Array.from({ length: 60 }, async () => post(`${url}/settle`, await good(), bearer(newKey()))));
    const count = (wanted) => answers.filter(({ status }) => status === wanted).length;
    assert.ok(count(401) >= 10 && count(401) <= 20, `${count(401)} answered`);
    assert.equal(count(401) + count(429), 60);
    assert.ok(answers.every(({ status, headers }) => (status === 429) === (headers.get('retry-after') !== null)));
    assert.equal((await post(`${url}/settle`, await good(), bearer(SHOP))).status, 200, 'who has a key is not touched');
    assert.equal((await post(`http://127.0.0.1:${fourth}/settle`, await good(), bearer(newKey()))).status, 401, 'nor this machine');
  } finally {
    await open.stop();
  }
});

test('without keys the daemon listens on loopback alone', async () => {
  const open = await new Daemon({ program: STUB, port: third, text: text('', { listen: `127.0.0.1:${third}` }) }).start();
  const listening = readFileSync('/proc/net/tcp', 'utf8') + readFileSync('/proc/net/tcp6', 'utf8');
  const hex = third.toString(16).toUpperCase().padStart(4, '0');
  const lines = listening.split('\n').filter((line) => new RegExp(`^ *\\d+: [0-9A-F]+:${hex} 0+:0000 0A`).test(line));
  assert.equal((await post(`${open.url}/settle`, await good())).status, 200);
  await open.stop();
  assert.equal(lines.length, 1);
  assert.match(lines[0], /: 0100007F:/);
});
