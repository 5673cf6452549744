// SPDX-License-Identifier: Apache-2.0
// The official facilitator clients, unchanged, against our facilitator.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { FacilitatorResponseError, HTTPFacilitatorClient } from '@x402/core/server';
import { VerifyError } from '@x402/core/types';
import { ExactEvmScheme } from '@x402/evm';
import { x402Client } from '@x402/core/client';
import { useFacilitator } from 'x402/verify';
import { account } from '../../devnet/accounts.mjs';
import { NETWORK, USDC, startChain } from '../../devnet/chain.mjs';
import { until } from '../harness/witness.mjs';
import { PAY_TO, freshDir, ports, useDaemon, yaml } from './daemon.mjs';
import { RESOURCE, body, requirementV2 } from './payments.mjs';

const { facilitator: port, rpc: rpcPort } = await ports(4);
const chain = await startChain({ port: rpcPort, dir: freshDir() });
after(() => chain.process.stop());
const daemon = await useDaemon({ port, text: yaml({ port, rpc: chain.url }) });
await until('the daemon sees its chain', 10_000, async () => (await fetch(`${daemon.url}/health`)).status, (s) => s === 200);
const facilitator = new HTTPFacilitatorClient({ url: `${daemon.url}/` });
const payer = account(2);

test('@x402/core 2.27: getSupported', async () => {
  const supported = await facilitator.getSupported();
  assert.ok(supported.kinds.some((kind) => kind.x402Version === 2 && kind.scheme === 'exact' && kind.network === NETWORK));
  assert.deepEqual(supported.extensions, []);
  assert.deepEqual(supported.signers['eip155:*'], [account(0).address]);
});

test('@x402/core 2.27: verify and settle what the official client signs', async () => {
  const client = new x402Client().register(NETWORK, new ExactEvmScheme(payer));
  const requirement = requirementV2();
  const payload = await client.createPaymentPayload({
    x402Version: 2, error: 'Payment required', resource: { url: RESOURCE }, accepts: [requirement],
  });
  assert.deepEqual(await facilitator.verify(payload, requirement), { isValid: true, payer: payer.address });
  const had = await chain.rpc.balance(USDC, PAY_TO);
  const settled = await facilitator.settle(payload, requirement);
  assert.equal(settled.success, true);
  assert.equal(settled.network, NETWORK);
  assert.equal((await chain.rpc.receipt(settled.transaction)).status, '0x1');
  assert.equal(await chain.rpc.balance(USDC, PAY_TO), had + 1000n);
  assert.deepEqual(await facilitator.settle(payload, requirement), settled);
});

test('@x402/core 2.27: a refusal is an answer with its reason, not an exception', async () => {
  const { paymentPayload, paymentRequirements } = await body(2, { payer: account(0) });
  const verified = await facilitator.verify(paymentPayload, paymentRequirements);
  assert.equal(verified.isValid, false);
  assert.equal(verified.invalidReason, 'invalid_exact_evm_insufficient_balance');
  const settled = await facilitator.settle(paymentPayload, paymentRequirements);
  assert.deepEqual([settled.success, settled.errorReason, settled.transaction],
    [false, 'invalid_exact_evm_insufficient_balance', '']);
});

test('@x402/core 2.27: a malformed request is its typed error with our reason', async () => {
  await assert.rejects(facilitator.verify({ x402Version: 2, payload: {} }, requirementV2()), (error) => {
    assert.ok(error instanceof VerifyError, String(error));
    assert.ok(!(error instanceof FacilitatorResponseError));
    assert.equal(error.statusCode, 400);
    assert.equal(error.invalidReason, 'invalid_payload');
    return true;
  });
});

test('x402 1.2: supported, verify, settle in version 1', async () => {
  const { verify, settle, supported } = useFacilitator({ url: daemon.url });
  const kinds = (await supported()).kinds;
  assert.ok(kinds.some((kind) => kind.x402Version === 1 && kind.network === 'base-sepolia'));
  const { paymentPayload, paymentRequirements } = await body(1, { payer });
  const verified = await verify(paymentPayload, paymentRequirements);
  assert.equal(verified.isValid, true);
  const settled = await settle(paymentPayload, paymentRequirements);
  assert.equal(settled.success, true);
  assert.equal(settled.network, 'base-sepolia');
  assert.equal((await chain.rpc.receipt(settled.transaction)).status, '0x1');

  const poor = await body(1, { payer: account(0) });
  assert.equal((await verify(poor.paymentPayload, poor.paymentRequirements)).invalidReason, 'insufficient_funds');
});
