// SPDX-License-Identifier: Apache-2.0
// Payments, made by hand in the four wires.  Signed by viem, so that no line
// of ours is on both sides of a test.
import { randomBytes } from 'node:crypto';
import { CHAIN_ID, NETWORK, USDC } from '../../devnet/chain.mjs';

export const DOMAIN = { name: 'USDC', version: '2', chainId: CHAIN_ID, verifyingContract: USDC };

const TYPES = {
  TransferWithAuthorization: [
    { name: 'from', type: 'address' },
    { name: 'to', type: 'address' },
    { name: 'value', type: 'uint256' },
    { name: 'validAfter', type: 'uint256' },
    { name: 'validBefore', type: 'uint256' },
    { name: 'nonce', type: 'bytes32' },
  ],
};

export const now = () => Math.floor(Date.now() / 1000);
export const base64 = (value) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64');
export const unbase64 = (text) => JSON.parse(Buffer.from(text, 'base64').toString('utf8'));
export const freshNonce = () => `0x${randomBytes(32).toString('hex')}`;

/** An EIP-3009 authorization for what an offer asks; `change` overrides. */
export async function authorize(payer, requirement, change = {}, domain = DOMAIN) {
  const authorization = {
    from: payer.address,
    to: requirement.payTo,
    value: requirement.amount ?? requirement.maxAmountRequired,
    validAfter: String(now() - 60),
    validBefore: String(now() + requirement.maxTimeoutSeconds),
    nonce: freshNonce(),
    ...change,
  };
  const signature = await payer.signTypedData({
    domain,
    types: TYPES,
    primaryType: 'TransferWithAuthorization',
    message: authorization,
  });
  return { authorization, signature };
}

function sorted(value) {
  if (value === null || typeof value !== 'object')
    return value;
  return Object.fromEntries(Object.keys(value).sort().map((key) => [key, sorted(value[key])]));
}

/** One header per wire: what each kind of client would send. */
export const wires = {
  v2: (payload, requirement, resource) => ({
    'PAYMENT-SIGNATURE': base64({ x402Version: 2, resource, accepted: requirement, payload }),
  }),
  seed000: (payload, requirement) => ({
    'X-PAYMENT': base64({ x402Version: 2, scheme: 'exact', network: requirement.network ?? NETWORK, payload }),
  }),
  seed001: (payload, requirement, resource) => ({
    'X-Payment': base64(sorted({
      chain: 'base-sepolia',
      currency: 'USDC',
      payload,
      resource: resource.url,
      scheme: 'exact',
      version: 1,
    })),
  }),
  v1: (payload) => ({
    'X-PAYMENT': base64({ x402Version: 1, scheme: 'exact', network: 'base-sepolia', payload }),
  }),
};

/** Which header brings the receipt back. */
export const RECEIPT = {
  v2: 'payment-response',
  seed000: 'x-payment-response',
  seed001: 'x-payment-response',
  v1: 'x-payment-response',
};

/** The v2 offer of a 402. */
export function offerOf(response) {
  const header = response.headers['payment-required'];
  if (!header)
    throw new Error(`no PAYMENT-REQUIRED in a ${response.status}`);
  return unbase64(header);
}

/** A payment for an offer: its header in every wire, and what was signed. */
export async function pay(payer, offer, change, domain) {
  const requirement = offer.accepts[0];
  const payload = await authorize(payer, requirement, change, domain);
  const header = (wire) => wires[wire](payload, requirement, offer.resource);
  return { ...payload, nonce: payload.authorization.nonce, header };
}
