// SPDX-License-Identifier: Apache-2.0
// The library against other implementations (viem, node's own, @x402/evm's
// types) on random inputs: no round numbers, every width, edges more often
// than chance would have them.  X402_OPINION_SEED repeats a run, and
// X402_OPINION_ROUNDS makes it longer.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { test } from 'node:test';
import { permit2WitnessTypes, uptoPermit2WitnessTypes } from '@x402/evm';
import { encodeFunctionData, formatUnits, getAddress, hashTypedData, keccak256, parseAbi, parseUnits, serializeErc6492Signature } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { BUILD } from '../../devnet/paths.mjs';
import { EXACT_PROXY, PERMIT2, UPTO_PROXY } from '../harness/permit2.mjs';

const SEED = Number(process.env.X402_OPINION_SEED ?? Date.now() % 1e9);
const ROUNDS = Number(process.env.X402_OPINION_ROUNDS ?? 150);
console.log(`# X402_OPINION_SEED=${SEED}`);

/* -- what is random: bytes of SHA-256 over seed and counter -- */

let counter = 0;
let pool = Buffer.alloc(0);
function random(n) {
  while (pool.length < n)
    pool = Buffer.concat([pool, createHash('sha256').update(`${SEED}:${counter++}`).digest()]);
  const out = pool.subarray(0, n);
  pool = pool.subarray(n);
  return out;
}
const below = (n) => Number(BigInt(`0x${random(6).toString('hex')}`) % BigInt(n));
const one = (list) => list[below(list.length)];
const some = (n, make) => Array.from({ length: n }, make);
const hex = (n) => `0x${random(n).toString('hex')}`;
const address = () => getAddress(hex(20));
/* an integer of up to `bits` bits, every width as likely as the others; a power of two and its neighbours often */
function integer(bits) {
  const width = BigInt(below(bits + 1));
  const edge = (1n << width) + BigInt(below(3) - 1);
  const value = below(4) ? BigInt(hex(32)) >> (256n - width) : edge;
  return value < 0n ? 0n : value & ((1n << BigInt(bits)) - 1n);
}

/** Answers of the library, in the order of the questions. */
function ask(questions) {
  const run = spawnSync(join(BUILD, 'tests', 'opinions', 'library_tool'), {
    input: questions.map((question) => `${JSON.stringify(question)}\n`).join(''), encoding: 'utf8', maxBuffer: 1 << 28 });
  assert.equal(run.status, 0, run.stderr);
  return run.stdout.trim().split('\n').map((line) => JSON.parse(line));
}

/** As many questions as there are rounds; `expected` is the other opinion. */
function compare(name, make, rounds = ROUNDS) {
  test(`${name}, ${rounds} times`, () => {
    const rows = some(rounds, make);
    const answers = ask(rows.map(({ question }) => question));
    assert.equal(answers.length, rows.length);
    rows.forEach(({ question, expected }, i) => assert.deepEqual(answers[i], expected, JSON.stringify(question)));
  });
}

/* -- amounts -- */

const TOP = 1n << 256n;
const inRange = (value) => (value >= 0n && value < TOP ? String(value) : null);

compare('256-bit arithmetic is that of BigInt', () => {
  const [a, b, by] = [integer(256), integer(256), integer(64) || 1n];
  return {
    question: { do: 'arithmetic', a: String(a), b: String(b), by: String(by) },
    expected: {
      sum: inRange(a + b), difference: inRange(a - b), product: inRange(a * by),
      quotient: String(a / by), left: String(a % by), cmp: a < b ? -1 : Number(a > b),
    },
  };
}, 4 * ROUNDS);

compare('decimal prices are viem\'s parseUnits and formatUnits', () => {
  const decimals = one([0, 1, 6, 8, 18, 77]);
  const least = below(5);
  const places = below(decimals + 1);
  const text = formatUnits(integer(180), places);
  const atomic = parseUnits(text, decimals);
  const [whole, fraction = ''] = formatUnits(atomic, decimals).split('.');
  const shown = fraction.padEnd(Math.min(least, decimals), '0');
  return {
    question: { do: 'decimal', text, decimals: String(decimals), least: String(least) },
    expected: atomic < TOP ? { atomic: String(atomic), text: shown ? `${whole}.${shown}` : whole } : { error: 'X402_ERR_RANGE' },
  };
});

/* @x402/core 2.27, resolveSettlementOverrideAmount, which is not exported */
compare('shares and dollars of Settlement-Overrides', () => {
  const decimals = one([2, 6, 18]);
  const maximum = integer(200);
  const [percent, places] = [below(10_001), below(3)];
  const dollars = formatUnits(integer(160), one([1, 6, 20]));
  const [text, amount] = one([
    () => {
      const cut = Math.floor(percent / 10 ** (2 - places));
      return [`${formatUnits(BigInt(cut), places)}%`, maximum * BigInt(cut * 10 ** (2 - places)) / 10_000n];
    },
    () => [`$${dollars}`, parseUnits(dollars.replace(new RegExp(`(\\.\\d{0,${decimals}})\\d*$`), '$1'), decimals)],
    () => [String(maximum), maximum],
    () => [String(maximum + 1n), maximum + 1n],
  ])();
  return {
    question: { do: 'override', decimals: String(decimals), maximum: String(maximum), header: JSON.stringify({ amount: text }) },
    expected: amount <= maximum ? String(amount) : { error: 'X402_ERR_EXCEEDS' },
  };
});

/* -- hashes and what is signed -- */

compare('keccak-256 of any length', () => {
  const bytes = hex(below(500));
  return { question: { do: 'keccak', bytes }, expected: keccak256(bytes) };
});

compare('EIP-55', () => {
  const text = hex(20);
  return { question: { do: 'address', address: text }, expected: getAddress(text) };
});

const authorization = () => ({
  from: address(), to: address(), value: String(integer(256)), validAfter: String(integer(64)), validBefore: String(integer(64)), nonce: hex(32),
});
const words = () => one(['', 'USD Coin', 'USD₮0', 'a', 'é"\\\n', 'x'.repeat(below(300))]);

compare('EIP-3009 digests in any domain', () => {
  const auth = authorization();
  const domain = { name: words(), version: words(), chainId: String(integer(53)), verifyingContract: address() };
  return {
    question: { do: 'eip3009', ...auth, name: domain.name, version: domain.version, chainId: domain.chainId, contract: domain.verifyingContract },
    expected: hashTypedData({
      domain: { ...domain, chainId: BigInt(domain.chainId) },
      types: {
        EIP712Domain: [{ name: 'name', type: 'string' }, { name: 'version', type: 'string' }, { name: 'chainId', type: 'uint256' }, { name: 'verifyingContract', type: 'address' }],
        TransferWithAuthorization: [
          ...['from', 'to'].map((name) => ({ name, type: 'address' })),
          ...['value', 'validAfter', 'validBefore'].map((name) => ({ name, type: 'uint256' })), { name: 'nonce', type: 'bytes32' }],
      },
      primaryType: 'TransferWithAuthorization',
      message: auth,
    }),
  };
});

for (const scheme of ['exact', 'upto']) {
  compare(`Permit2 digests of ${scheme}`, () => {
    const auth = authorization();
    const [token, facilitator, chainId] = [address(), address(), String(integer(53))];
    return {
      question: { do: 'permit2', scheme, ...auth, token, facilitator, chainId },
      expected: hashTypedData({
        domain: { name: 'Permit2', chainId: BigInt(chainId), verifyingContract: PERMIT2 },
        types: {
          ...scheme === 'upto' ? uptoPermit2WitnessTypes : permit2WitnessTypes,
          EIP712Domain: [{ name: 'name', type: 'string' }, { name: 'chainId', type: 'uint256' }, { name: 'verifyingContract', type: 'address' }],
        },
        primaryType: 'PermitWitnessTransferFrom',
        message: {
          permitted: { token, amount: auth.value }, spender: scheme === 'upto' ? UPTO_PROXY : EXACT_PROXY,
          nonce: BigInt(auth.nonce), deadline: auth.validBefore,
          witness: { to: auth.to, ...scheme === 'upto' ? { facilitator } : {}, validAfter: auth.validAfter },
        },
      }),
    };
  });
}

/* RFC 8785 is what ECMAScript writes, with the names in its own order. */
const canonical = (value) => {
  if (Array.isArray(value))
    return `[${value.map(canonical).join(',')}]`;
  if (value === null || typeof value !== 'object')
    return JSON.stringify(value);
  return `{${Object.keys(value).sort().map((name) => `${JSON.stringify(name)}:${canonical(value[name])}`).join(',')}}`;
};

const TEXTS = ['', 'a', 'B', '"', '\\', '/', '\b\f\n\r\t', '\u0001', '\u001f', '\u007f', 'é', '€', '\u2028', '\ufb33', '\uffff', '\ud83d\ude00', '\u{10ffff}', '1', '10', '2'];
const text = () => some(below(4), () => one(TEXTS)).join('');
function value(depth) {
  const scalar = () => one([() => text(), () => Number(integer(53)), () => -Number(integer(53)) || 0, () => true, () => false, () => null])();
  if (depth === 0)
    return scalar();
  return one([scalar, () => some(below(5), () => value(depth - 1)), () => Object.fromEntries(some(below(8), () => [text(), value(depth - 1)]))])();
}

compare('canonical JSON', () => {
  const object = { root: value(4), [text()]: value(3) };
  return { question: { do: 'jcs', text: JSON.stringify(object, null, below(3)) }, expected: canonical(object) };
}, 2 * ROUNDS);

compare('base64: what node writes we read, and nothing that node would write otherwise', () => {
  const url = below(2) === 1;
  const bytes = random(below(40));
  let encoded = bytes.toString(url ? 'base64url' : 'base64');
  if (below(2)) {
    const at = below(encoded.length + 1);
    encoded = encoded.slice(0, at) + one(['A', '=', '-', '_', '+', '/', ' ', '\n', 'é', '']) + encoded.slice(at + below(2));
  }
  const bare = encoded.replace(/={0,2}$/, '');
  const decoded = Buffer.from(bare, 'base64');
  const good = decoded.toString(url ? 'base64url' : 'base64').replace(/=+$/, '') === bare && (bare === encoded || encoded.length % 4 === 0);
  return { question: { do: 'base64', url, text: encoded }, expected: good ? `0x${decoded.toString('hex')}` : { error: 'X402_ERR_SYNTAX' } };
}, 4 * ROUNDS);

compare('times', () => {
  const seconds = one([() => below(2 ** 38) % 253402300800, () => Date.UTC(1970 + below(8000), one([1, 2, 12]) - 1, one([28, 29, 1, 31])) / 1000 - below(2)])();
  return { question: { do: 'time', seconds: String(Math.max(0, seconds)) }, expected: new Date(Math.max(0, seconds) * 1000).toISOString().replace('.000', '') };
});

/* -- an attestation in every asset that there is -- */

test('attestations, in every asset', () => {
  const make = (asset, a) => ({
    asset: String(asset), resource: `https://a.example/${encodeURIComponent(words())}`, payTo: address(), payer: address(), amount: String(integer(256)),
    receiptHash: hex(32), nonce: hex(32), issuedAt: String(integer(50)), validUntil: String(integer(50)), ...a,
  });
  const rows = some(60, (_, i) => make(i));
  const answers = ask(rows.map((row) => ({ do: 'attestation', ...row })));
  const known = answers.filter((answer) => answer !== null);
  assert.ok(known.length > 30, `${known.length} assets`);
  known.forEach(({ digest, payload }, i) => {
    const row = rows[i];
    const said = JSON.parse(payload);
    assert.equal(payload, canonical(said));
    assert.deepEqual(
      [said.amount, said.payTo, said.payer, said.receiptHash, said.resourceUrl, said.scheme, said.version, String(said.issuedAt), String(said.validUntil)],
      [row.amount, row.payTo, row.payer, row.receiptHash, row.resource, 'exact', 1, row.issuedAt, row.validUntil]);
    assert.equal(said.asset, getAddress(said.asset));
    assert.equal(said.paymentId, `${said.network}:${said.asset}:${row.payer}:${row.nonce}`.toLowerCase());
    const texts = ['receiptHash', 'resourceUrl', 'scheme', 'network', 'asset', 'payTo', 'amount', 'payer', 'paymentId'];
    assert.equal(digest, hashTypedData({
      domain: { name: 'x402 attestation', version: '1', chainId: 1 },
      types: {
        EIP712Domain: [{ name: 'name', type: 'string' }, { name: 'version', type: 'string' }, { name: 'chainId', type: 'uint256' }],
        Attestation: [{ name: 'version', type: 'uint256' }, ...texts.map((name) => ({ name, type: 'string' })), { name: 'issuedAt', type: 'uint256' }, { name: 'validUntil', type: 'uint256' }],
      },
      primaryType: 'Attestation', message: said,
    }));
  });
});

/* -- what goes on chain -- */

const MULTICALL = parseAbi(['struct Call { address target; bool allowFailure; bytes callData; }', 'function aggregate3(Call[] calls)']);
const TOKEN = parseAbi([
  'function transferWithAuthorization(address from, address to, uint256 value, uint256 validAfter, uint256 validBefore, bytes32 nonce, uint8 v, bytes32 r, bytes32 s)',
  'function transferWithAuthorization(address from, address to, uint256 value, uint256 validAfter, uint256 validBefore, bytes32 nonce, bytes signature)']);
const PROXY = {};
for (const [scheme, witness, more] of [['exact', 'address to; uint256 validAfter', ''], ['upto', 'address to; address facilitator; uint256 validAfter', 'uint256 amount, ']]) {
  PROXY[scheme] = parseAbi([
    'struct TokenPermissions { address token; uint256 amount; }',
    'struct PermitTransferFrom { TokenPermissions permitted; uint256 nonce; uint256 deadline; }',
    `struct Witness { ${witness}; }`,
    'struct Permit { uint256 value; uint256 deadline; bytes32 r; bytes32 s; uint8 v; }',
    `function settle(PermitTransferFrom permit, ${more}address owner, Witness witness, bytes signature)`,
    `function settleWithPermit(Permit permit2612, PermitTransferFrom permit, ${more}address owner, Witness witness, bytes signature)`]);
}
const signatureOf = () => one([() => `${hex(64)}${one(['1b', '1c'])}`, () => `${hex(64)}1f`, () => hex(1 + below(200)), () => hex(2048)])();

function transfer() {
  const [auth, signature] = [authorization(), signatureOf()];
  const plain = signature.length === 132 && /1[bc]$/.test(signature);
  const args = [auth.from, auth.to, auth.value, auth.validAfter, auth.validBefore, auth.nonce];
  const rest = plain ? [Number(`0x${signature.slice(130)}`), signature.slice(0, 66), `0x${signature.slice(66, 130)}`] : [signature];
  const token = address();
  return { question: { ...auth, token, signature }, target: token, value: auth.value,
    callData: encodeFunctionData({ abi: [TOKEN[plain ? 0 : 1]], functionName: 'transferWithAuthorization', args: [...args, ...rest] }) };
}

function settle() {
  const scheme = one(['exact', 'upto']);
  const [auth, signature, token, facilitator, proxy] = [authorization(), signatureOf(), address(), address(), address()];
  const charge = String(BigInt(auth.value) / BigInt(1 + below(9)));
  const permit = { value: BigInt(auth.value), deadline: integer(256), r: hex(32), s: hex(32), v: one([27, 28]) };
  const sponsored = below(2) === 1;
  const word = (number) => number.toString(16).padStart(64, '0');
  const args = [
    { permitted: { token, amount: auth.value }, nonce: BigInt(auth.nonce), deadline: auth.validBefore },
    ...scheme === 'upto' ? [charge] : [],
    auth.from,
    { to: auth.to, ...scheme === 'upto' ? { facilitator } : {}, validAfter: auth.validAfter },
    signature,
  ];
  return {
    question: { ...auth, scheme, token, facilitator, proxy, charge, signature,
      ...sponsored ? { permit: `0x${word(permit.value)}${word(permit.deadline)}${permit.r.slice(2)}${permit.s.slice(2)}${word(permit.v)}` } : {} },
    target: proxy, value: auth.value,
    callData: encodeFunctionData({ abi: PROXY[scheme], functionName: sponsored ? 'settleWithPermit' : 'settle', args: sponsored ? [permit, ...args] : args }),
  };
}

compare('batches of transfers and settlements', () => {
  const calls = some(1 + below(6), () => ({ ...one([transfer, settle])(), allowFailure: below(2) === 1 }));
  return {
    question: { do: 'calls', calls: calls.map(({ question, allowFailure }) => ({ ...question, mayFail: allowFailure })) },
    expected: {
      data: encodeFunctionData({ abi: MULTICALL, functionName: 'aggregate3', args: [calls.map(({ target, allowFailure, callData }) => ({ target, allowFailure, callData }))] }),
      values: calls.map((call) => call.value),
    },
  };
});

test(`transactions, ${ROUNDS} times`, async () => {
  const rows = await Promise.all(some(ROUNDS, async () => {
    const key = hex(32);
    const tx = {
      chainId: Number(integer(50)) || 1, nonce: Number(integer(50)), gas: integer(60), to: address(), value: integer(256),
      data: one(['0x', '0x00', '0x7f', '0x80', hex(1), hex(55), hex(56), hex(below(2000))]), maxFeePerGas: integer(255),
    };
    tx.maxPriorityFeePerGas = tx.maxFeePerGas / BigInt(1 + below(5));
    return { key, tx, raw: await privateKeyToAccount(key).signTransaction({ type: 'eip1559', ...tx }) };
  }));
  const answers = ask(rows.map(({ key, tx }) => ({ do: 'transaction', key,
    ...Object.fromEntries(Object.entries(tx).map(([name, member]) => [name, String(member)])) })));
  rows.forEach(({ raw, tx }, i) => assert.deepEqual(answers[i], { raw, hash: keccak256(raw) }, JSON.stringify(tx, (_, member) => String(member))));
});

compare('ERC-6492 wrappers', () => {
  const wrapped = { address: address(), data: hex(below(300)), signature: hex(1 + below(300)) };
  return { question: { do: 'erc6492', bytes: serializeErc6492Signature(wrapped) },
    expected: { factory: wrapped.address.toLowerCase(), data: wrapped.data, signature: wrapped.signature } };
});

/* -- Lightning's request hash: scheme_exact_lnbtc.md, profile http:1 -- */

const sha256 = (...parts) => parts.reduce((hash, part) => hash.update(part), createHash('sha256')).digest('hex');

compare('request hashes', () => {
  const names = [...new Set(some(below(6), () => `${one(['accept', 'x-', 'a', 'z_', '!#$'])}${one(['', 'a', '0', '-', '~'])}`))].sort();
  const headers = names.map((name) => ({ name, lines: some(below(4), () => one(['', ' a ', '\tb', 'a, b', '"quoted"', 'x  y\t'])) }));
  const binding = {
    domain: 'x402:exact:lnbtc:bolt11:http:1', method: one(['GET', 'POST', 'get', 'M-SEARCH']),
    url: `${one(['http', 'https'])}://${one(['a.example', '127.0.0.1:8402', '[::1]'])}${one(['', '/', '/a/%2F;b', '/?x=%C3%A9&y=\'~'])}`,
    bodyHash: hex(32).slice(2),
    headers: headers.map(({ name, lines }) => ({
      name, valueHash: lines.length ? sha256(Buffer.of(1), lines.map((line) => line.replace(/^[ \t]+|[ \t]+$/g, '')).join(', ')) : sha256(Buffer.of(0)) })),
  };
  return { question: { do: 'requestHash', ...binding, bodyHash: `0x${binding.bodyHash}`, headers }, expected: `0x${sha256(canonical(binding))}` };
});
