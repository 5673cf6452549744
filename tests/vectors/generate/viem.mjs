// SPDX-License-Identifier: Apache-2.0
// The same bytes as we make, made by viem: EIP-3009 digests and signatures,
// type 2 transactions, contract calls, answers and reverts.
import {
  domainSeparator, encodeErrorResult, encodeFunctionData,
  encodeFunctionResult, hashTypedData, keccak256, multicall3Abi, parseAbi,
  toFunctionSelector, toEventSelector,
} from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { bytes, integer, seeded, write } from './common.mjs';

const next = seeded(3009);

const token = parseAbi([
  'function transferWithAuthorization(address,address,uint256,uint256,uint256,bytes32,uint8,bytes32,bytes32)',
  'function transferWithAuthorization(address,address,uint256,uint256,uint256,bytes32,bytes)',
  'function balanceOf(address) view returns (uint256)',
  'function authorizationState(address,bytes32) view returns (bool)',
  'function DOMAIN_SEPARATOR() view returns (bytes32)',
  'function getBlockNumber() view returns (uint256)',
  'function getCurrentBlockTimestamp() view returns (uint256)',
  'event Transfer(address indexed from, address indexed to, uint256 value)',
  'event AuthorizationUsed(address indexed authorizer, bytes32 indexed nonce)',
  'event AuthorizationCanceled(address indexed authorizer, bytes32 indexed nonce)',
]);
const solidity = parseAbi(['error Error(string)', 'error Panic(uint256)']);

function account() {
  return privateKeyToAccount(bytes(next, 32));
}

function authorization(from) {
  return {
    from, to: account().address, value: integer(next, 256),
    validAfter: integer(next, 64), validBefore: integer(next, 64),
    nonce: bytes(next, 32),
  };
}

// EIP-3009 --------------------------------------------------------------------

const types = {
  TransferWithAuthorization: [
    { name: 'from', type: 'address' }, { name: 'to', type: 'address' },
    { name: 'value', type: 'uint256' }, { name: 'validAfter', type: 'uint256' },
    { name: 'validBefore', type: 'uint256' }, { name: 'nonce', type: 'bytes32' },
  ],
};
const assets = [
  ['USD Coin', '2', 8453, '0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913'],
  ['USDC', '2', 84532, '0x036CbD53842c5426634e7929541eC2318f3dCF7e'],
  ['USD Coin', '2', 1, '0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48'],
  ['USD\u20ae0', '1', 14, '0xe7cd86e13AC4309349F30B3435a9d337750fC82D'],
  ['Tether USD', '1', 42220, '0x48065fbBE25f71C9282ddf5e1cD6D6A887483D5e'],
  ['Bridged USDC (SKALE Bridge)', '2', 324705682,
    '0x2e08028E3C4c2356572E096d8EF835cD5C6030bD'],
];

async function signedAuthorization(key, message, asset) {
  const [name, version, chainId, verifyingContract] = asset;
  const domain = { name, version, chainId, verifyingContract };
  const typed = { domain, types, primaryType: 'TransferWithAuthorization', message };
  return {
    key, ...domain, ...message,
    separator: domainSeparator({ domain }),
    digest: hashTypedData(typed),
    signature: await privateKeyToAccount(key).signTypedData(typed),
  };
}

const signed = [await signedAuthorization('0x' + '11'.repeat(32), {
  from: '0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A',
  to: '0x5CbDd86a2FA8Dc4bDdd8a8f69dBa48572EeC07FB',
  value: 3000n, validAfter: 1699999940n, validBefore: 1700000060n,
  nonce: '0x' + 'ab'.repeat(32),
}, assets[0])];
for (let i = 0; i < 99; i++) {
  const key = bytes(next, 32);
  const message = authorization(privateKeyToAccount(key).address);
  signed.push(await signedAuthorization(key, message, assets[i % assets.length]));
}
write('viem/eip3009.json', signed);

// Transactions ----------------------------------------------------------------

// Lengths around which RLP changes its form, and one of a full batch.
const lengths = [0, 1, 2, 31, 32, 33, 54, 55, 56, 57, 255, 256, 257, 1024, 9000];

async function transaction(i) {
  const key = bytes(next, 32);
  const maxFeePerGas = integer(next, 128);
  const tx = {
    type: 'eip1559', chainId: Number(1n + integer(next, 52)),
    nonce: Number(integer(next, 53)), maxFeePerGas,
    maxPriorityFeePerGas: maxFeePerGas >> (next() % 8n),
    gas: integer(next, 64), to: account().address,
    value: i % 3 === 0 ? 0n : integer(next, 256),
    data: bytes(next, lengths[i % lengths.length]),
  };
  const raw = await privateKeyToAccount(key).signTransaction(tx);
  return {
    key, from: privateKeyToAccount(key).address, ...tx, raw, hash: keccak256(raw),
  };
}

const transactions = [];
for (let i = 0; i < 60; i++) transactions.push(await transaction(i));
write('viem/transactions.json', transactions);

// Calls -----------------------------------------------------------------------

function args(a) {
  return [a.from, a.to, a.value, a.validAfter, a.validBefore, a.nonce];
}

function transfer(i) {
  const auth = authorization(account().address);
  const length = i % 2 === 0 ? 65 : [0, 1, 64, 66, 96, 131, 640, 2048][(i >> 1) % 8];
  let signature = bytes(next, length);
  if (length === 65) signature = signature.slice(0, -2) + (i % 4 === 0 ? '1b' : '1c');
  const r = signature.slice(0, 66);
  const s = '0x' + signature.slice(66, 130);
  const data = length === 65
    ? encodeFunctionData({ abi: token, functionName: 'transferWithAuthorization',
      args: [...args(auth), Number('0x' + signature.slice(130)), r, s] })
    : encodeFunctionData({ abi: token, functionName: 'transferWithAuthorization',
      args: [...args(auth), signature] });
  return { ...auth, signature, data };
}

const transfers = Array.from({ length: 48 }, (_, i) => transfer(i));
write('viem/transfers.json', transfers);

function read(i) {
  const owner = account().address;
  const nonce = bytes(next, 32);
  return {
    owner, nonce,
    balanceOf: encodeFunctionData({ abi: token, functionName: 'balanceOf', args: [owner] }),
    authorizationState: encodeFunctionData({ abi: token,
      functionName: 'authorizationState', args: [owner, nonce] }),
  };
}
write('viem/reads.json', Array.from({ length: 8 }, (_, i) => read(i)));

// Batches: any calls at all, and batches that only pay.
function batch(count, callData) {
  const calls = Array.from({ length: count }, (_, i) => ({
    target: account().address, allowFailure: next() % 2n === 0n, callData: callData(i),
  }));
  return { calls, data: encodeFunctionData({ abi: multicall3Abi,
    functionName: 'aggregate3', args: [calls] }) };
}

const batches = [0, 1, 2, 3, 5, 9].map((count) =>
  batch(count, (i) => bytes(next, lengths[(i + count) % 13])));
write('viem/batches.json', batches);

const payments = [1, 2, 3, 7].map((count) => {
  const chosen = Array.from({ length: count }, (_, i) => transfers[(i * 5 + count - 1) % 48]);
  const made = batch(count, (i) => chosen[i].data);
  return { seen: chosen.map((t, i) => ({ token: made.calls[i].target, ...t, data: undefined })),
    data: made.data };
});
write('viem/payments.json', payments);

const answers = [0, 1, 2, 3, 5, 9].map((count) => {
  const results = Array.from({ length: count }, (_, i) => ({
    success: next() % 2n === 0n, returnData: bytes(next, lengths[(i + count) % 13]),
  }));
  return { results, data: encodeFunctionResult({ abi: multicall3Abi,
    functionName: 'aggregate3', result: results }) };
});
write('viem/answers.json', answers);

const texts = ['', 'FiatTokenV2: invalid signature',
  'ERC20: transfer amount exceeds balance', 'USD\u20ae0',
  'A reason that is longer than thirty-two bytes, so that it takes two words and more'];
write('viem/reverts.json', [
  ...texts.map((text) => ({ text,
    data: encodeErrorResult({ abi: solidity, errorName: 'Error', args: [text] }) })),
  { text: null, data: encodeErrorResult({ abi: solidity, errorName: 'Panic', args: [17n] }) },
]);

write('viem/names.json', [
  ...['DOMAIN_SEPARATOR', 'getBlockNumber', 'getCurrentBlockTimestamp'].map((name) => ({
    name, bytes: toFunctionSelector(token.find((item) => item.name === name)) })),
  ...['Transfer', 'AuthorizationUsed', 'AuthorizationCanceled'].map((name) => ({
    name, bytes: toEventSelector(token.find((item) => item.name === name)) })),
]);
