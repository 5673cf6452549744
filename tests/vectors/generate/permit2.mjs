// SPDX-License-Identifier: Apache-2.0
// Permit2 payments as the official packages make them: types and interfaces
// are @x402/evm's, digests, signatures and calldata viem's.
//
//     node permit2.mjs              writes viem/permit2.json
//     node permit2.mjs COUNT SEED   prints as many rows of others
import {
  permit2WitnessTypes, uptoPermit2WitnessTypes, x402ExactPermit2ProxyABI,
  x402ExactPermit2ProxyAddress, x402UptoPermit2ProxyABI, x402UptoPermit2ProxyAddress,
} from '@x402/evm';
import { domainSeparator, encodeFunctionData, hashTypedData } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { bytes, integer, seeded, write } from './common.mjs';

const [count, seed] = process.argv.slice(2).map(Number);
const next = seeded(seed || 2612);
const PERMIT2 = '0x000000000022D473030F116dDEE9F6B43aC78BA3';
const chains = [4326, 84532, 8453, 38833];

const METHODS = {
  exact: { types: permit2WitnessTypes, abi: x402ExactPermit2ProxyABI, spender: x402ExactPermit2ProxyAddress },
  upto: { types: uptoPermit2WitnessTypes, abi: x402UptoPermit2ProxyABI, spender: x402UptoPermit2ProxyAddress },
};

const someone = () => privateKeyToAccount(bytes(next, 32)).address;

function values(scheme, from) {
  const amount = integer(next, 256);
  return {
    scheme, chainId: chains[Number(next() % 4n)], from, to: someone(), token: someone(),
    facilitator: someone(), amount, charge: amount >> (next() % 8n),
    validAfter: integer(next, 64), deadline: integer(next, 64), nonce: integer(next, 256),
  };
}

/* A permit of EIP-2612, or none: in the calldata only. */
function sponsor(amount) {
  if (next() % 2n === 0n)
    return null;
  const v = 27 + Number(next() % 2n);
  return { value: amount, deadline: integer(next, 64), r: bytes(next, 32), s: bytes(next, 32), v };
}

function calldata({ abi }, v, permit2612, signature) {
  const upto = v.scheme === 'upto';
  const permit = { permitted: { token: v.token, amount: v.amount }, nonce: v.nonce, deadline: v.deadline };
  const witness = upto ? { to: v.to, facilitator: v.facilitator, validAfter: v.validAfter }
    : { to: v.to, validAfter: v.validAfter };
  const args = [permit, ...(upto ? [v.charge] : []), v.from, witness, signature];
  return encodeFunctionData(permit2612
    ? { abi, functionName: 'settleWithPermit', args: [permit2612, ...args] }
    : { abi, functionName: 'settle', args });
}

async function row(i) {
  const key = bytes(next, 32);
  const account = privateKeyToAccount(key);
  const scheme = i % 2 === 0 ? 'exact' : 'upto';
  const method = METHODS[scheme];
  const v = values(scheme, account.address);
  const domain = { name: 'Permit2', chainId: v.chainId, verifyingContract: PERMIT2 };
  const typed = {
    domain, types: method.types, primaryType: 'PermitWitnessTransferFrom',
    message: {
      permitted: { token: v.token, amount: v.amount }, spender: method.spender, nonce: v.nonce,
      deadline: v.deadline,
      witness: { to: v.to, facilitator: v.facilitator, validAfter: v.validAfter },
    },
  };
  const permit2612 = sponsor(v.amount);
  const signature = await account.signTypedData(typed);
  const longer = i % 5 === 0 ? bytes(next, [1, 64, 66, 200][i % 4]) : signature;
  return {
    key, ...v, separator: domainSeparator({ domain }), digest: hashTypedData(typed), signature,
    permit2612, sent: longer, data: calldata(method, v, permit2612, longer),
  };
}

const rows = [];
for (let i = 0; i < (count || 100); i++) rows.push(await row(i));
if (count)
  console.log(`[${rows.map((r) => JSON.stringify(r, (_, x) => (typeof x === 'bigint' ? x.toString() : x))).join(',\n')}]`);
else
  write('viem/permit2.json', rows);
