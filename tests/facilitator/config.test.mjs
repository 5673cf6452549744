// SPDX-License-Identifier: Apache-2.0
// The configuration: what is wrong is said with file, line and what to do.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { account, privateKey } from '../../devnet/accounts.mjs';
import { PROJECT } from '../../devnet/paths.mjs';
import { STUB, freshDir } from './daemon.mjs';

const dir = freshDir();
const file = join(dir, 'x402d.yaml');
writeFileSync(join(dir, 'signer.key'), `${privateKey(0).slice(2)}\n`, { mode: 0o600 });

function check(text, name = file) {
  writeFileSync(name, text, { mode: 0o600 });
  const { status, stdout, stderr } = spawnSync(STUB, ['check', name], { encoding: 'utf8' });
  return { status, stdout, stderr };
}

const HEAD = 'ledger: ledger.db\n';
const HTTP = 'http: {listen: 127.0.0.1:15799, any_payee: true}\n';
const NET = 'networks:\n  - network: eip155:84532\n    rpc: [http://127.0.0.1:8545]\n';
const SIGNED = `${NET}    signers: [{key_file: signer.key}]\n`;
const PAYEE = '"0x5CbDd86a2FA8Dc4bDdd8a8f69dBa48572EeC07FB"';
const PAYEES = `payees:\n  - {network: base-sepolia, address: ${PAYEE}}\n`;

test('a good file', () => {
  const { status, stdout } = check(HEAD + HTTP + SIGNED);
  assert.equal(status, 0);
  assert.match(stdout, /signer: eip155:84532: 0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266/);
  assert.match(stdout, new RegExp(`^warning: ${file}:2: http\\.any_payee`, 'm'));
  assert.match(stdout, /0 errors, 1 warnings\n$/);
  assert.doesNotMatch(stdout, new RegExp(privateKey(0).slice(2)));
});

test('the example file is right but for the folders it names', () => {
  const example = join(dir, 'example.yaml');
  copyFileSync(join(PROJECT, 'docs', 'x402d.yaml.example'), example);
  const text = readFileSync(example, 'utf8').replaceAll('/var/lib/x402d/', '').replaceAll('/run/x402d/', '');
  const { status, stdout, stderr } = check(text, example);
  assert.equal(stderr, '');
  assert.equal(status, 0, stdout);
});

const REMOTE = 'networks:\n  - network: eip155:84532\n    facilitator: ';
const remote = (url, more = '') => `${HEAD}${HTTP}${REMOTE}{url: "${url}"${more}}\n`;

test('a facilitator in place of signers, with and without a node', () => {
  const { status, stdout } = check(remote('https://open.x402.host/'));
  assert.equal(status, 0, stdout);
  assert.match(stdout, /note: eip155:84532: no rpc: every payment is settled first/);
  assert.equal(check(remote('http://127.0.0.1:4022')).status, 0);
  assert.equal(check(remote('http://[::1]:4022')).status, 0);
  assert.equal(check(remote('http://localhost:4022')).status, 0);
  assert.equal(check(`${remote('https://open.x402.host')}    rpc: ["http://127.0.0.1:8545"]\n`).status, 0);
});

test('its key is a secret, its authorities are a file', () => {
  const key = join(dir, 'api.key');
  writeFileSync(key, 'a-key\n', { mode: 0o600 });
  assert.equal(check(remote('https://open.x402.host', ', key_file: api.key')).status, 0);
  chmodSync(key, 0o644);
  assert.match(check(remote('https://open.x402.host', ', key_file: api.key')).stdout, /error: .*networks\[0\].facilitator: key_file: /);
  chmodSync(key, 0o600);
  writeFileSync(key, 'two words\n');
  assert.match(check(remote('https://open.x402.host', ', key_file: api.key')).stdout, /one line of printable characters/);
  assert.match(check(remote('https://open.x402.host', ', ca_file: missing.pem')).stdout, /error: .*networks\[0\].facilitator: ca_file: .*missing\.pem/);
});

/* why, the file, its complaint; the line stands in the complaint. */
const wrong = [
  ['plain http to a facilitator elsewhere', remote('http://open.x402.host'), ':5: networks\\[0\\].facilitator.url: plain http to another machine'],
  ['a loopback name that is none', remote('http://127.0.0.1.example.com'), ':5: networks\\[0\\].facilitator.url: plain http to another machine'],
  ['localhost that is none', remote('http://localhost.example.com'), ':5: networks\\[0\\].facilitator.url: plain http to another machine'],
  ['a facilitator of another kind', remote('ftp://open.x402.host'), ':5: networks\\[0\\].facilitator.url: write the facilitator\'s URL'],
  ['a key in its URL', remote('https://key@open.x402.host'), ':5: networks\\[0\\].facilitator.url: write the facilitator\'s URL'],
  ['a query in its URL', remote('https://open.x402.host?key=1'), ':5: networks\\[0\\].facilitator.url: write the facilitator\'s URL'],
  ['a facilitator and signers', `${remote('https://open.x402.host')}    signers: [{key_file: signer.key}]\n`, ':5: networks\\[0\\].facilitator: signers and a facilitator'],
  ['a verifier that is no address', remote('https://open.x402.host', ', verifier: "0x12"'), ':5: networks\\[0\\].facilitator.verifier: "0x12" is not an address'],
  ['a range with bits behind it', remote('https://open.x402.host', ', private_addresses: [10.0.0.1/8]'), ':5: networks\\[0\\].facilitator.private_addresses\\[0\\]: write an address'],
  ['a Bazaar without http', `${HEAD}till: {socket: a}\n${PAYEES}${NET}bazaar: {}\n`, ':8: bazaar: a Bazaar needs http'],
  ['a Bazaar in the ledger', `${HEAD}${HTTP}${NET}bazaar:\n  file: ledger.db\n`, ':7: bazaar.file: the catalogue cannot be in the ledger'],
  ['an allowed address that is none', `${HEAD}${HTTP}${NET}bazaar:\n  allow: [localhost]\n`, ':7: bazaar.allow\\[0\\]: "localhost": write an address'],
  ['a Bazaar elsewhere without a key', `${HEAD}${HTTP}${NET}bazaar:\n  register_at: https://bazaar.example.com\n`, ':6: bazaar: register_at and register_key belong together'],
  ['a Bazaar elsewhere over plain http', `${HEAD}${HTTP}${NET}bazaar:\n  register_at: http://bazaar.example.com\n  register_key: a.key\n`, ':7: bazaar.register_at: write the https URL'],
  ['neither node nor facilitator', `${HEAD}${HTTP}networks:\n  - network: eip155:84532\n`, ':4: networks\\[0\\].rpc: write rpc'],
  ['empty', '', ':1: the file is empty'],
  ['only a comment', '# nothing\n', ':1: the file holds no settings'],
  ['a list', '- a\n', ':1: write keys and values here'],
  ['not YAML', `${HEAD}http: {listen: "127\n`, ':\\d+: not well-formed YAML'],
  ['unknown key', `${HEAD}${HTTP}${NET}retries: 3\n`, ':6: unknown key "retries"; known here: ledger, till,'],
  ['unknown key inside', `${HEAD}till:\n  socket: a\n  mdoe: "0660"\n${NET}`, ':4: unknown key "mdoe"; known here: socket, mode, group'],
  ['unknown key in a list', `${HEAD}${HTTP}${NET}    signers:\n      - key_fiel: a\n`, ':7: unknown key "key_fiel"; known here: key_file, keystore, password_file'],
  ['a key twice', `${HEAD}${HTTP}ledger: other.db\n${NET}`, ':3: the key "ledger" stands here twice'],
  ['an alias', `ledger: &a ledger.db\nlog: *a\n${HTTP}${NET}`, ':2: log: aliases are not read'],
  ['a missing key', `${HTTP}${NET}`, ':\\d+: the key "ledger" is missing here'],
  ['a list for a value', `ledger: [a]\n${HTTP}${NET}`, ':1: ledger: write one value here'],
  ['a value for a list', `${HEAD}${HTTP}networks: base\n`, ':3: networks: write a list here'],
  ['an empty value', `ledger:\n${HTTP}${NET}`, ':1: ledger: a value has 1 to 1024 characters'],
  ['no networks', `${HEAD}${HTTP}networks: []\n`, ':3: networks: at least one entry'],
  ['an unknown network', `${HEAD}${HTTP}networks:\n  - network: eip155:99\n    rpc: [http://a]\n`, ':4: networks\\[0\\].network: "eip155:99" is not a network we know'],
  ['a network twice', `${HEAD}${HTTP}${NET}  - network: base-sepolia\n    rpc: [http://a]\n`, ':6: networks\\[1\\].network: eip155:84532 stands here twice'],
  ['an rpc that is no URL', `${HEAD}${HTTP}networks:\n  - network: base\n    rpc:\n      - http://good\n      - ws://bad/key-7f3a\n`, ':7: networks\\[0\\].rpc\\[1\\]: write the node\'s URL'],
  ['too many rpcs', `${HEAD}${HTTP}networks:\n  - network: base\n    rpc: [http://a, http://b, http://c, http://d, http://e]\n`, ':5: rpc: too many entries'],
  ['the world can settle', `${HEAD}http:\n  listen: 0.0.0.0:4022\n${PAYEES}${NET}`, ':3: http.listen: 0.0.0.0 is not a loopback address.*http.public: true'],
  ['any payee for the world', `${HEAD}http:\n  listen: 0.0.0.0:4022\n  public: true\n  any_payee: true\n  keys: [{name: a, sha256: ${'0'.repeat(64)}}]\n${NET}`, ':5: http.any_payee: .*loopback'],
  ['a boolean that YAML would take for true', `${HEAD}http:\n  listen: 127.0.0.1:4022\n  any_payee: maybe\n${NET}`, ':4: http.any_payee: "maybe": write true or false'],
  ['no port', `${HEAD}http: {listen: 127.0.0.1}\n${NET}`, ':2: http.listen: .*write an address and a port'],
  ['port 0', `${HEAD}http: {listen: "127.0.0.1:0"}\n${NET}`, ':2: http.listen: "0" is not a whole number from 1 to 65535'],
  ['a host with a port', `${HEAD}http: {listen: 127.0.0.1:1, any_payee: true, hosts: [a.example, "b.example:80"]}\n${NET}`, ':2: http.hosts\\[1\\]'],
  ['a till for everybody', `${HEAD}till: {socket: s, mode: "0666"}\n${PAYEES}${NET}`, ':2: till.mode: "0666" lets every user'],
  ['a decimal mode', `${HEAD}till: {socket: s, mode: 660}\n${PAYEES}${NET}`, ':2: till.mode: .*octal'],
  ['an unknown group', `${HEAD}till: {socket: s, group: nobody-has-this}\n${PAYEES}${NET}`, ':2: till.group: no group'],
  ['a long socket path', `${HEAD}till: {socket: ${'a'.repeat(110)}}\n${PAYEES}${NET}`, ':2: till.socket: .*107'],
  ['a till without payees', `${HEAD}till: {socket: s}\n${NET}`, ':2: till: a till needs payees'],
  ['nobody to settle for', `${HEAD}http: {listen: 127.0.0.1:1}\n${NET}`, ':2: http: nobody to settle for'],
  ['no way in', `${HEAD}${PAYEES}${NET}`, ':1: neither till nor http'],
  ['a wrong checksum', `${HEAD}${HTTP}payees:\n  - network: base-sepolia\n    address: ${PAYEE.replace('FB"', 'FC"')}\n${NET}`, ':5: payees\\[0\\].address: .*EIP-55'],
  ['an unquoted number', `${HEAD}${HTTP}payees: [{network: base-sepolia, address: 0x5C}]\n${NET}`, ':3: payees\\[0\\].address: "0x5C" is not an address'],
  ['the zero address', `${HEAD}${HTTP}payees: [{network: base-sepolia, address: "0x${'0'.repeat(40)}"}]\n${NET}`, ':3: .*zero address'],
  ['the token as payee', `${HEAD}${HTTP}payees: [{network: base-sepolia, address: "0x036CbD53842c5426634e7929541eC2318f3dCF7e"}]\n${NET}`, ":3: .*token's own address"],
  ['a payee twice', `${HEAD}${HTTP}${PAYEES}  - {network: eip155:84532, address: ${PAYEE.toLowerCase()}}\n${NET}`, ':5: payees\\[1\\].address: .*twice'],
  ['a payee without a network', `${HEAD}${HTTP}payees: [{network: base, address: ${PAYEE}}]\n${NET}`, ':3: payees\\[0\\].network: eip155:8453 has no entry under networks'],
  ['a key on two paths', `${HEAD}${HTTP}${NET}    signers: [{key_file: a, keystore: b}]\n`, ':6: networks\\[0\\].signers\\[0\\]: write either key_file'],
  ['a keystore without a password', `${HEAD}${HTTP}${NET}    signers: [{keystore: b}]\n`, ':6: networks\\[0\\].signers\\[0\\]'],
  ['one key for two signers', `${HEAD}${HTTP}${NET}    signers: [{key_file: a}, {key_file: a}]\n`, ':6: networks\\[0\\].signers\\[1\\]: the same key twice'],
  ['seed 000\'s name for Base', `${HEAD}${HTTP}networks:\n  - network: base\n    rpc: [http://a]\n    assets:\n      - symbol: USDC\n        name: USDC\n        version: "2"\n`, ':8: networks\\[0\\].assets\\[0\\].name: "USDC" is not what the token signs with .*write "USD Coin"'],
  ['another address for USDC', `${HEAD}${HTTP}${NET}    assets: [{symbol: USDC, address: ${PAYEE}}]\n`, ':6: networks\\[0\\].assets\\[0\\].address: USDC on eip155:84532 is 0x036C'],
  ['an unknown token', `${HEAD}${HTTP}${NET}    assets: [{symbol: DOGE}]\n`, ':6: .*no token "DOGE"'],
  ['credit in an unknown token', `${HEAD}${HTTP}${NET}    credit: {payer: "1 EUR"}\n`, ':6: networks\\[0\\].credit.payer: no token "EUR"'],
  ['credit below the atom', `${HEAD}${HTTP}${NET}    credit: {payer: "0.0000001 USDC"}\n`, ':6: networks\\[0\\].credit.payer: .*at most 6 digits'],
  ['negative credit', `${HEAD}${HTTP}${NET}    credit: {total: "-1 USDC"}\n`, ':6: networks\\[0\\].credit.total: '],
  ['credit in exponents', `${HEAD}${HTTP}${NET}    credit: {total: "1e3"}\n`, ':6: networks\\[0\\].credit.total: '],
  ['more credit for one than for all', `${HEAD}${HTTP}${NET}    credit: {payer: "60", total: "50 USDC"}\n`, ':6: networks\\[0\\].credit: payer \\(60\\) is more than total'],
  ['a number with a unit', `${HEAD}${HTTP}${NET}    poll: 1s\n`, ':6: networks\\[0\\].poll: "1s" is not a whole number from 50 to 60000'],
  ['YAML\'s octal', `${HEAD}${HTTP}${NET}    confirmations: 010\n`, ':6: networks\\[0\\].confirmations: "010"'],
  ['a simulation that holds for a minute', `${HEAD}${HTTP}${NET}    verify_reuse: 60000\n`, ':6: networks\\[0\\].verify_reuse: "60000" is not a whole number from 0 to 10000'],
  ['an empty batch', `${HEAD}${HTTP}${NET}    batch: {max: 0}\n`, ':6: networks\\[0\\].batch.max'],
  ['a number beyond 64 bits', `${HEAD}${HTTP}${NET}    max_fee: {per_gas: 99999999999999999999999}\n`, ':6: networks\\[0\\].max_fee.per_gas'],
  ['a factory that is the token', `${HEAD}${HTTP}${NET}    eip6492_factories: ["0x036CbD53842c5426634e7929541eC2318f3dCF7e"]\n`, ':6: networks\\[0\\].eip6492_factories\\[0\\]: this is a token'],
  ['a factory that calls anything', `${HEAD}${HTTP}${NET}    eip6492_factories: ["0xcA11bde05977b3631167028862bE2a173976CA11"]\n`, ':6: .*calls whatever it is told to'],
  ['a factory that is precompiled', `${HEAD}${HTTP}${NET}    eip6492_factories: ["0x${'0'.repeat(39)}4"]\n`, ':6: .*precompiled contract'],
  ['a factory twice', `${HEAD}${HTTP}${NET}    eip6492_factories: [${PAYEE}, ${PAYEE}]\n`, ':6: networks\\[0\\].eip6492_factories\\[1\\]: .*twice'],
  ['no margin', `settle_margin: 1\n${HEAD}${HTTP}${NET}`, ':1: settle_margin: "1" is not'],
  ['an unknown level', `log: loud\n${HEAD}${HTTP}${NET}`, ':1: log: "loud": write debug, info, warn or error'],
  ['a second document', `${HEAD}${HTTP}${NET}---\nledger: x\n`, ':6: a second YAML document'],
];

for (const [why, text, complaint] of wrong) {
  test(`refused: ${why}`, () => {
    const { status, stdout, stderr } = check(text);
    assert.equal(status, 2, `${stdout}${stderr}`);
    assert.match(stderr, new RegExp(`^x402d: ${file}${complaint}`));
    assert.equal(stderr.trimEnd().split('\n').length, 1);
  });
}

test('a wrong rpc URL is not repeated: it may hold an API key', () => {
  const { stderr } = check(`${HEAD}${HTTP}networks:\n  - network: base\n    rpc: [ws://node/SECRET-KEY]\n`);
  assert.doesNotMatch(stderr, /SECRET-KEY/);
});

test('nor is any value too long for its key', () => {
  const { status, stderr } = check(`ledger: ${'SECRET'.repeat(300)}\n${HTTP}${NET}`);
  assert.equal(status, 2);
  assert.doesNotMatch(stderr, /SECRET/);
});

test('a file too large, a folder, none', () => {
  assert.match(check(`#${' '.repeat(300 * 1024)}`).stderr, /larger than 256 KiB/);
  for (const [path, why] of [[dir, /not a regular file|Is a directory/], [join(dir, 'none'), /No such file/]]) {
    const { status, stderr } = spawnSync(STUB, ['check', path], { encoding: 'utf8' });
    assert.equal(status, 2);
    assert.match(stderr, why);
  }
});

test('check finds what the file leads to', () => {
  chmodSync(join(dir, 'signer.key'), 0o640);
  const open = check(HEAD + HTTP + SIGNED);
  chmodSync(join(dir, 'signer.key'), 0o600);
  assert.equal(open.status, 1);
  assert.match(open.stdout, /error: .*:6: networks\[0\]\.signers\[0\]: signer .*signer\.key: group or others can read it/);

  const missing = check(`ledger: no/such/folder/ledger.db\n${HTTP}${SIGNED.replace('signer.key', 'none.key')}`);
  assert.equal(missing.status, 1);
  assert.match(missing.stdout, /error: .*:1: ledger: .*no\/such\/folder: No such file/);
  assert.match(missing.stdout, /error: .*none\.key: /);
  assert.match(missing.stdout, /: 2 errors/);
});

test('check refuses what is unsafe, and warns of what is risky, with file and line', () => {
  mkdirSync(join(dir, 'open'), { mode: 0o777 });
  chmodSync(join(dir, 'open'), 0o777);
  const text = `ledger: open/ledger.db\nhttp: {listen: "0.0.0.0:1", public: true, keys: [{name: a, sha256: ${'0'.repeat(64)}}]}\n${PAYEES}networks:\n` +
    '  - network: base-sepolia\n    rpc: ["http://node.example/v3/abcdef"]\n';
  writeFileSync(file, text);
  chmodSync(file, 0o666);
  const { status, stdout } = spawnSync(STUB, ['check', file], { encoding: 'utf8' });
  chmodSync(file, 0o600);
  assert.equal(status, 1);
  for (const what of [/^error: .*:1: others can change this file/m, /^error: .*:\d+: networks: an rpc URL seems to hold an API key, and others/m,
    /^error: .*:1: ledger: every user can change files/m, /^warning: .*:2: http\.public/m, /^warning: .*:\d+: networks\[0\]\.rpc\[0\]: plain http/m,
    /^warning: .*networks\[0\]: payees but no signers/m])
    assert.match(stdout, what);
  assert.doesNotMatch(stdout, /abcdef/);
  assert.match(stdout, /3 errors, 3 warnings/);
});

test('check refuses a signer that is also paid, and a ledger that others can read', () => {
  const signer = `payees: [{network: base-sepolia, address: "${account(0).address}"}]\n`;
  const paid = check(HEAD + HTTP + signer + SIGNED);
  assert.equal(paid.status, 1);
  assert.match(paid.stdout, /^error: .*:\d+: networks\[0\]\.signers\[0\]: signer 0xf39F\S+ is also a payee/m);
  const byKey = check(`${HEAD}http: {listen: "127.0.0.1:1", keys: [{name: a, sha256: ${'0'.repeat(64)}, payees: ["${account(0).address}"]}]}\n${SIGNED}`);
  assert.equal(byKey.status, 1);
  assert.match(byKey.stdout, /is also a payee/);
  writeFileSync(join(dir, 'ledger.db'), 'x', { mode: 0o644 });
  const open = check(HEAD + HTTP + SIGNED);
  rmSync(join(dir, 'ledger.db'));
  assert.equal(open.status, 1);
  assert.match(open.stdout, /^error: .*:1: ledger: .*ledger\.db can be read by others/m);
});

test('the command line', () => {
  assert.match(execFileSync(STUB, ['--version'], { encoding: 'utf8' }), /^x402d \d+\.\d+\.\d+\n$/);
  assert.match(execFileSync(STUB, ['--help'], { encoding: 'utf8' }), /Examples:/);
  for (const args of [[], ['run'], ['--confg', file], ['check'], ['--config', file, 'x'], ['check', file, 'x']]) {
    const { status, stderr } = spawnSync(STUB, args, { encoding: 'utf8' });
    assert.equal(status, 2, args.join(' '));
    assert.match(stderr, /--help/);
  }
});

test('a start that fails says why and ends with 1', () => {
  const { status, stderr } = spawnSync(STUB, ['--config', join(dir, 'broken.yaml')], { encoding: 'utf8', timeout: 5000 });
  assert.equal(status, 2, stderr);
  writeFileSync(join(dir, 'broken.yaml'), `ledger: broken.db\n${HTTP}${SIGNED}`);
  const again = spawnSync(STUB, ['--config', join(dir, 'broken.yaml')], { encoding: 'utf8', timeout: 5000 });
  assert.equal(again.status, 1);
  assert.match(again.stderr, /"event":"start_failed","reason":".*broken\.db: asked to fail"/);
});
