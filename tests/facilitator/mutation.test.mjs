// SPDX-License-Identifier: Apache-2.0
// Golden requests of both versions, changed in one place at a time: dropped,
// null, another type, duplicated, a neighbour's value.  The answer is 200 or
// 400 in the right shape, whatever comes; and a payment is found good only when
// the change cannot matter.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { account } from '../../devnet/accounts.mjs';
import { STUB, ports, useDaemon, yaml } from './daemon.mjs';
import { body, post, stubNonce } from './payments.mjs';

const { facilitator: port } = await ports(2);
const { url } = await useDaemon({ program: STUB, port, text: yaml({ port }) });

/** Every member of a JSON value, as a list of keys. */
function paths(value, at = []) {
  if (value === null || typeof value !== 'object')
    return [];
  return Object.keys(value).flatMap((key) => [[...at, key], ...paths(value[key], [...at, key])]);
}

function changed(value, [key, ...rest], change) {
  const copy = Array.isArray(value) ? [...value] : { ...value };
  if (rest.length)
    copy[key] = changed(value[key], rest, change);
  else if (change === undefined)
    delete copy[key];
  else
    copy[key] = change;
  return copy;
}

const CHANGES = [undefined, null, true, 0, -1, 1.5, 1e300, '', 'x', '0', '-1', '01', '1e3', ' 1', '0x', `0x${'0'.repeat(40)}`,
  `0x${'f'.repeat(130)}`, `${2n ** 256n}`, '1'.repeat(100), 'x'.repeat(3000), '\u0000', '\ud800', [], [1], {}, { a: { b: [] } }];

/* What may be absent or anything: it is not signed, and nothing depends on it.
 * [path, the changes under which the payment stays good] */
const FREE = {
  1: {
    'paymentRequirements.description': () => true,
    'paymentRequirements.mimeType': () => true,
    'paymentRequirements.resource': (v) => v === undefined || v === null || (typeof v === 'string' && v.length < 2048),
    'paymentRequirements.extra': (v) => v === undefined || v === null,
  },
  2: {
    'paymentPayload.resource': (v) => v === undefined || v === null || (typeof v === 'object' && !Array.isArray(v)),
    'paymentPayload.resource.url': (v) => v === undefined || v === null || (typeof v === 'string' && v.length < 2048),
  },
};

for (const version of [1, 2]) {
  const golden = await body(version, { change: { nonce: stubNonce() } });

  test(`version ${version}: the golden request is good`, async () => {
    const { status, json } = await post(`${url}/verify`, golden);
    assert.deepEqual({ status, json }, { status: 200, json: { isValid: true, payer: account(2).address } });
  });

  for (const path of paths(golden)) {
    const name = path.join('.');
    test(`version ${version}: ${name} changed`, async () => {
      for (const change of CHANGES) {
        const sent = changed(golden, path, change);
        const what = `${name} = ${JSON.stringify(change)?.slice(0, 60)}`;
        const { status, json } = await post(`${url}/verify`, sent);
        assert.ok([200, 400].includes(status), `${what}: ${status}`);
        assert.equal(typeof json.isValid, 'boolean', what);
        if (json.isValid)
          assert.ok(FREE[version][name]?.(change), `${what} was found good`);
        else
          assert.equal(typeof json.invalidReason, 'string', what);
        const settled = await post(`${url}/settle`, sent);
        assert.equal(settled.status, status, what);
        assert.equal(settled.json.success, json.isValid, what);
      }
    });

    test(`version ${version}: ${name} twice`, async () => {
      const parent = path.slice(0, -1).reduce((value, key) => value[key], golden);
      const text = JSON.stringify(golden);
      const member = `${JSON.stringify(path.at(-1))}:${JSON.stringify(parent[path.at(-1)]).slice(0, -1)}`;
      const { status } = await post(`${url}/verify`, text.replace(member, `${member.replace(/:.*/s, ':null')},${member}`));
      assert.equal(status, 400);
    });
  }

  test(`version ${version}: the same member of another payment`, async () => {
    const other = await body(version, {
      payer: account(3), change: { nonce: stubNonce() }, requirement: { payTo: account(4).address, [version === 1 ? 'maxAmountRequired' : 'amount']: '1001' },
    });
    for (const path of paths(golden)) {
      const value = path.reduce((at, key) => at[key], other);
      if (JSON.stringify(value) === JSON.stringify(path.reduce((at, key) => at[key], golden)))
        continue;
      const { status, json } = await post(`${url}/verify`, changed(golden, path, value));
      assert.equal(status, 200, path.join('.'));
      assert.equal(json.isValid, false, path.join('.'));
    }
  });

  test(`version ${version}: unknown members are ignored, but counted by size`, async () => {
    for (const path of paths(golden).filter((p) => !p.includes('authorization'))) {
      const value = path.reduce((at, key) => at[key], golden);
      if (typeof value !== 'object' || path.at(-1) === 'extra')
        continue;
      const { json } = await post(`${url}/verify`, changed(golden, [...path, 'unknown'], { a: [1, 'x'] }));
      assert.equal(json.isValid, true, path.join('.'));
    }
    const { status } = await post(`${url}/verify`, { ...golden, extensions: { a: 'x'.repeat(70_000) } });
    assert.equal(status, 413);
  });
}

test('the versions of envelope, payload and requirement must be one', async () => {
  const one = await body(1, { change: { nonce: stubNonce() } });
  const two = await body(2, { change: { nonce: stubNonce() } });
  for (const mixed of [{ ...one, x402Version: 2 }, { ...two, x402Version: 1 },
    { ...two, paymentPayload: one.paymentPayload }, { ...one, paymentRequirements: two.paymentRequirements }]) {
    const { json } = await post(`${url}/verify`, mixed);
    assert.equal(json.isValid, false);
  }
});

test('the domain: another name, version, chain or token is refused', async () => {
  const nonce = () => ({ nonce: stubNonce() });
  for (const extra of [{ name: 'USD Coin', version: '2' }, { name: 'USDC', version: '1' }, { name: 'USDC' }, {}, null]) {
    const { status, json } = await post(`${url}/verify`, await body(2, { change: nonce(), requirement: { extra } }));
    assert.equal(status, 200);
    assert.equal(json.invalidReason, 'invalid_exact_evm_missing_eip712_domain', JSON.stringify(extra));
  }
  for (const domain of [
    { name: 'USD Coin', version: '2', chainId: 84532, verifyingContract: '0x036CbD53842c5426634e7929541eC2318f3dCF7e' },
    { name: 'USDC', version: '2', chainId: 8453, verifyingContract: '0x036CbD53842c5426634e7929541eC2318f3dCF7e' },
    { name: 'USDC', version: '2', chainId: 84532, verifyingContract: '0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913' },
  ]) {
    const { json } = await post(`${url}/verify`, await body(2, { change: nonce(), domain }));
    assert.equal(json.invalidReason, 'invalid_exact_evm_signature');
  }
  const base = await post(`${url}/verify`, await body(2, { change: nonce(), requirement: { network: 'eip155:8453' } }));
  assert.equal(base.json.isValid, false);
});

test('time: 6 s must be left, and it must have begun', async () => {
  const now = Math.floor(Date.now() / 1000);
  for (const [change, reason] of [
    [{ validBefore: String(now + 4) }, 'invalid_exact_evm_payload_authorization_valid_before'],
    [{ validBefore: String(now + 60) }, undefined],
    [{ validBefore: String(now + 5 * 365 * 86400) }, undefined],
    [{ validBefore: String(2n ** 64n - 1n) }, 'invalid_exact_evm_payload_authorization_valid_before'],
    [{ validBefore: String(2n ** 255n) }, 'invalid_exact_evm_payload_authorization_valid_before'],
    [{ validAfter: String(now + 10) }, 'invalid_exact_evm_payload_authorization_valid_after'],
    [{ validAfter: '0' }, undefined],
  ]) {
    const { json } = await post(`${url}/verify`, await body(2, { change: { nonce: stubNonce(), ...change } }));
    assert.equal(json.invalidReason, reason, JSON.stringify(change));
  }
});

test('a daemon with a list of payees settles for nobody else', async () => {
  const { third } = await ports(2);
  const listed = await useDaemon({
    program: STUB, port: third,
    text: yaml({ port: third, http: 'any_payee: false', more: `payees: [{network: base-sepolia, address: "${account(9).address}"}]` }),
  });
  const nonce = () => ({ nonce: stubNonce() });
  assert.equal((await post(`${listed.url}/verify`, await body(2, { change: nonce() }))).json.isValid, true);
  const foreign = await post(`${listed.url}/settle`, await body(2, { change: nonce(), requirement: { payTo: account(8).address } }));
  assert.equal(foreign.status, 200);
  assert.equal(foreign.json.errorReason, 'invalid_exact_evm_recipient_mismatch');
});
