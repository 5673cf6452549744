// SPDX-License-Identifier: Apache-2.0
// The token as anybody else may use it: transfers, authorizations submitted
// or cancelled past our programs.
import { encodeFunctionData, parseAbi, parseSignature } from 'viem';
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts';
import { account } from '../../devnet/accounts.mjs';
import { USDC } from '../../devnet/chain.mjs';
import { DOMAIN } from './payment.mjs';

const ABI = parseAbi([
  'function transfer(address to, uint256 value)',
  'function transferWithAuthorization(address from, address to, uint256 value, uint256 validAfter, uint256 validBefore, bytes32 nonce, uint8 v, bytes32 r, bytes32 s)',
  'function cancelAuthorization(address authorizer, bytes32 nonce, uint8 v, bytes32 r, bytes32 s)',
]);

/* anvil signs for its own accounts */
function send(rpc, from, functionName, args, more = {}) {
  const data = encodeFunctionData({ abi: ABI, functionName, args });
  return rpc.call('eth_sendTransaction', { from, to: USDC, data, gas: '0x30d40', ...more });
}

export async function transfer(rpc, from, to, value) {
  return rpc.receipt(await send(rpc, from.address, 'transfer', [to, value]));
}

/** An account nobody knows, with so many atomic units. */
export async function newPayer(rpc, value) {
  const payer = privateKeyToAccount(generatePrivateKey());
  await transfer(rpc, account(8), payer.address, value);
  return payer;
}

/** Somebody else submits a payment; resolves to the transaction's hash. */
export function submit(rpc, sender, { authorization: a, signature }, more) {
  const { v, r, s } = parseSignature(signature);
  return send(rpc, sender.address, 'transferWithAuthorization',
    [a.from, a.to, BigInt(a.value), BigInt(a.validAfter), BigInt(a.validBefore), a.nonce, Number(v), r, s], more);
}

/** The payer takes a payment back. */
export async function cancel(rpc, sender, payer, nonce, more) {
  const signature = await payer.signTypedData({
    domain: DOMAIN,
    types: { CancelAuthorization: [{ name: 'authorizer', type: 'address' }, { name: 'nonce', type: 'bytes32' }] },
    primaryType: 'CancelAuthorization',
    message: { authorizer: payer.address, nonce },
  });
  const { v, r, s } = parseSignature(signature);
  return send(rpc, sender.address, 'cancelAuthorization', [payer.address, nonce, Number(v), r, s], more);
}
