// SPDX-License-Identifier: Apache-2.0
// Payments by Permit2, made by hand and signed by viem with the types of
// @x402/evm, so that no line of ours is on both sides of a test.
import { randomBytes } from 'node:crypto';
import { permit2WitnessTypes, uptoPermit2WitnessTypes } from '@x402/evm';
import { encodeFunctionData, maxUint256, parseAbi } from 'viem';
import { CHAIN_ID, USDC } from '../../devnet/chain.mjs';
import { DOMAIN, base64, now } from './payment.mjs';
import { EXACT_PROXY, PERMIT2, UPTO_PROXY } from './permit2.mjs';

const APPROVE = parseAbi(['function approve(address spender, uint256 value) returns (bool)']);

export const freshNonce = () => BigInt(`0x${randomBytes(32).toString('hex')}`).toString();

/** {signature, permit2Authorization} for what an offer asks; `change` is laid
 *  over the authorization before it is signed, `witness` over its witness. */
export async function permit2(payer, requirement, { change = {}, witness = {}, chainId = CHAIN_ID } = {}) {
  const upto = requirement.scheme === 'upto';
  const permit2Authorization = {
    from: payer.address,
    permitted: { token: requirement.asset, amount: requirement.amount },
    spender: upto ? UPTO_PROXY : EXACT_PROXY,
    nonce: freshNonce(),
    deadline: String(now() + (requirement.maxTimeoutSeconds ?? 300)),
    ...change,
    witness: {
      to: requirement.payTo,
      ...(upto ? { facilitator: requirement.extra.facilitatorAddress } : {}),
      validAfter: '0',
      ...witness,
    },
  };
  const signature = await payer.signTypedData({
    domain: { name: 'Permit2', chainId, verifyingContract: PERMIT2 },
    types: upto ? uptoPermit2WitnessTypes : permit2WitnessTypes,
    primaryType: 'PermitWitnessTransferFrom',
    message: permit2Authorization,
  });
  return { signature, permit2Authorization };
}

/** The EIP-2612 extension: an allowance for Permit2, signed. */
export async function sponsored(payer, { amount, nonce = '0', change = {} }) {
  const deadline = String(now() + 300);
  const signature = await payer.signTypedData({
    domain: DOMAIN,
    types: {
      Permit: ['owner', 'spender'].map((name) => ({ name, type: 'address' }))
        .concat(['value', 'nonce', 'deadline'].map((name) => ({ name, type: 'uint256' }))),
    },
    primaryType: 'Permit',
    message: { owner: payer.address, spender: PERMIT2, value: amount, nonce, deadline },
  });
  const info = {
    from: payer.address, asset: USDC, spender: PERMIT2, amount, nonce, deadline, signature, version: '1', ...change,
  };
  return { eip2612GasSponsoring: { info, schema: {} } };
}

/** The payer's approval of Permit2, a transaction that is not sent; `change` is
 *  laid over it before it is signed, `claim` over what is said of it. */
export async function approving(payer, { nonce = 0, amount = maxUint256, spender = PERMIT2, change = {}, claim = {} } = {}) {
  const signedTransaction = await payer.signTransaction({
    type: 'eip1559', chainId: CHAIN_ID, to: USDC, nonce, gas: 70_000n, maxFeePerGas: 3_000_000_000n, maxPriorityFeePerGas: 1_000_000n,
    data: encodeFunctionData({ abi: APPROVE, args: [spender, amount] }),
    ...change,
  });
  const info = {
    from: payer.address, asset: USDC, spender: PERMIT2, amount: String(amount), signedTransaction, version: '1', ...claim,
  };
  return { erc20ApprovalGasSponsoring: { info, schema: {} } };
}

export const v2 = (accepted, payload, extensions) => ({ x402Version: 2, accepted, payload, extensions });
export const header = (...payment) => ({ 'PAYMENT-SIGNATURE': base64(v2(...payment)) });
