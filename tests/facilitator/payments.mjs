// SPDX-License-Identifier: Apache-2.0
// Bodies for /verify and /settle in both versions, signed by viem.
import { randomBytes } from 'node:crypto';
import { account } from '../../devnet/accounts.mjs';
import { NETWORK, USDC } from '../../devnet/chain.mjs';
import { authorize } from '../harness/payment.mjs';
import { PAY_TO } from './daemon.mjs';

export const RESOURCE = 'https://shop.example/article';

export function requirementV2(change = {}) {
  return {
    scheme: 'exact',
    network: NETWORK,
    amount: '1000',
    asset: USDC,
    payTo: PAY_TO,
    maxTimeoutSeconds: 300,
    extra: { name: 'USDC', version: '2' },
    ...change,
  };
}

export function requirementV1(change = {}) {
  return {
    scheme: 'exact',
    network: 'base-sepolia',
    maxAmountRequired: '1000',
    resource: RESOURCE,
    description: 'an article',
    mimeType: 'text/html',
    payTo: PAY_TO,
    maxTimeoutSeconds: 300,
    asset: USDC,
    extra: { name: 'USDC', version: '2' },
    ...change,
  };
}

/** A body in one version.  change: of the authorization; requirement: of the
 *  requirement. */
export async function body(version, { payer = account(2), change, requirement, domain } = {}) {
  const asked = version === 1 ? requirementV1(requirement) : requirementV2(requirement);
  const payload = await authorize(payer, asked, change, domain);
  const paymentPayload = version === 1
    ? { x402Version: 1, scheme: asked.scheme, network: asked.network, payload }
    : { x402Version: 2, resource: { url: RESOURCE }, accepted: asked, payload };
  return { x402Version: version, paymentPayload, paymentRequirements: asked };
}

/** What x402d-stub reads from a nonce. */
export function stubNonce({ tenths = 0, err = 0 } = {}) {
  return `0x${Buffer.from([tenths, err]).toString('hex')}${randomBytes(30).toString('hex')}`;
}

/** POST, as JSON; {status, headers, json, text}. */
export async function post(url, value, headers = {}) {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  const response = await fetch(url, {
    method: 'POST', body: text, headers: { 'content-type': 'application/json', ...headers },
  });
  const answer = await response.text();
  return { status: response.status, headers: response.headers, text: answer, json: JSON.parse(answer) };
}
