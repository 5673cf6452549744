// SPDX-License-Identifier: Apache-2.0
// The wallet: files that other programs can read and wrote, and a key that
// nobody else gets to see.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { createCipheriv, createDecipheriv, randomBytes, scryptSync } from 'node:crypto';
import {
  chmodSync, closeSync, existsSync, openSync, readFileSync, readSync, statSync, symlinkSync, writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { keccak256 } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { PROGRAMS, PROJECT } from '../../devnet/paths.mjs';
import { KEY, PAYER, deliver, newUser, shop, signerOf, until } from './harness.mjs';

const vectors = JSON.parse(readFileSync(join(PROJECT, 'tests', 'client', 'vectors', 'basic_tests.json'), 'utf8'));
const hex = (bytes) => Buffer.from(bytes).toString('hex');
const mac = (derived, ciphertext) => keccak256(Buffer.concat([derived.subarray(16, 32), ciphertext])).slice(2);

/** A version 3 keystore by node's own cryptography and viem's Keccak. */
function keystore(key, password, { n = 1024, r = 8, p = 1, address = true, change } = {}) {
  const salt = randomBytes(32);
  const iv = randomBytes(16);
  const derived = scryptSync(password, salt, 32, { N: n, r, p, maxmem: 2 ** 30 });
  const cipher = createCipheriv('aes-128-ctr', derived.subarray(0, 16), iv);
  const ciphertext = Buffer.concat([cipher.update(Buffer.from(key.slice(2), 'hex')), cipher.final()]);
  const file = {
    version: 3,
    id: '3198bc9c-6672-4ab3-9995-4942343ae5b6',
    ...(address && { address: privateKeyToAccount(key).address.slice(2).toLowerCase() }),
    crypto: {
      cipher: 'aes-128-ctr',
      cipherparams: { iv: hex(iv) },
      ciphertext: hex(ciphertext),
      kdf: 'scrypt',
      kdfparams: { dklen: 32, n, r, p, salt: hex(salt) },
      mac: mac(derived, ciphertext),
    },
  };
  change?.(file);
  return JSON.stringify(file);
}

/** The way back, by the same means. */
function open(text, password) {
  const { crypto } = JSON.parse(text);
  const { n, r, p, salt, dklen } = crypto.kdfparams;
  const derived = scryptSync(password, Buffer.from(salt, 'hex'), dklen, { N: n, r, p, maxmem: 2 ** 30 });
  const ciphertext = Buffer.from(crypto.ciphertext, 'hex');
  assert.equal(mac(derived, ciphertext), crypto.mac);
  const cipher = createDecipheriv(crypto.cipher, derived.subarray(0, 16), Buffer.from(crypto.cipherparams.iv, 'hex'));
  return `0x${hex(Buffer.concat([cipher.update(ciphertext), cipher.final()]))}`;
}

function put(user, name, text, mode = 0o600) {
  const file = join(user.home, name);
  writeFileSync(file, text);
  chmodSync(file, mode);
  return file;
}

for (const [name, { json, password, priv }] of Object.entries(vectors)) {
  test(`the specification's example with ${json.crypto.kdf}`, async () => {
    const user = newUser();
    const wallet = put(user, 'w', JSON.stringify(json));
    const end = await user.run(['wallet', 'address', '--wallet', wallet, '--password-file', put(user, 'p', `${password}\n`)]);
    assert.equal(end.code, 0, `${name}: ${end.err}`);
    assert.equal(end.out, `${privateKeyToAccount(`0x${priv}`).address}\n`);
    const wrong = await user.run(['wallet', 'address', '--wallet', wallet, '--password-file', put(user, 'q', 'testpassworD')]);
    assert.equal(wrong.code, 107);
    assert.match(wrong.err, /wrong password/);
  });
}

for (const [what, options] of [
  ['as geth writes it', { n: 4096, r: 8, p: 1 }],
  ['another cost', { n: 2, r: 1, p: 64 }],
  ['without an address', { address: false }],
  ['with 0x in the address', { change: (file) => { file.address = `0x${file.address}`; } }],
  ['with "Crypto"', { change: (file) => { file.Crypto = file.crypto; delete file.crypto; } }],
  ['with members that we do not know', { change: (file) => { file['x-ethers'] = { client: 'x' }; file.name = 'mine'; } }],
  ['in upper-case hex', { change: (file) => { file.crypto.mac = file.crypto.mac.toUpperCase(); } }],
]) {
  test(`a foreign keystore pays: ${what}`, async () => {
    const user = newUser();
    const server = await shop();
    const wallet = put(user, 'w', keystore(KEY, 'pässword', options));
    const end = await user.run(['get', '--wallet', wallet, '--password-file', put(user, 'p', 'pässword'), server.url]);
    assert.equal(end.code, 0, end.err);
    assert.equal(await signerOf(server.paid()[0].payment), PAYER);
  });
}

for (const [what, change, pattern] of [
  ['another address', (file) => { file.address = '00'.repeat(20); }, /not the one of its key/],
  ['a flipped ciphertext', (file) => { file.crypto.ciphertext = `00${file.crypto.ciphertext.slice(2)}`; }, /wrong password/],
  ['a flipped MAC', (file) => { file.crypto.mac = `0000${file.crypto.mac.slice(4)}`; }, /wrong password/],
  ['version 1', (file) => { file.version = 1; }, /neither/],
  ['version "3"', (file) => { file.version = '3'; }, /neither/],
  ['another cipher', (file) => { file.crypto.cipher = 'aes-128-cbc'; }, /not supported/],
  ['another kdf', (file) => { file.crypto.kdf = 'argon2'; }, /not supported/],
  ['n that is no power of two', (file) => { file.crypto.kdfparams.n = 1000; }, /not supported/],
  ['n of 2^40', (file) => { file.crypto.kdfparams.n = 2 ** 40; }, /not supported/],
  ['p of 2^30', (file) => { file.crypto.kdfparams.p = 2 ** 30; }, /not supported/],
  ['negative r', (file) => { file.crypto.kdfparams.r = -8; }, /neither/],
  ['dklen 64', (file) => { file.crypto.kdfparams.dklen = 64; }, /not supported/],
  ['a short iv', (file) => { file.crypto.cipherparams.iv = '00'; }, /neither/],
  ['a long salt', (file) => { file.crypto.kdfparams.salt = '00'.repeat(65); }, /neither/],
  ['no crypto', (file) => { delete file.crypto; }, /neither/],
]) {
  test(`a keystore that is refused: ${what}`, async () => {
    const user = newUser();
    const server = await shop();
    const wallet = put(user, 'w', keystore(KEY, 'x', { change }));
    const end = await user.run(['get', '--wallet', wallet, '--password-file', put(user, 'p', 'x'), server.url]);
    assert.equal(end.code, 107, end.err);
    assert.match(end.err, pattern);
    assert.equal(server.paid().length, 0);
  });
}

for (const [text, code] of [
  [KEY, 0], [KEY.slice(2), 0], [`${KEY}\n`, 0], [`${KEY}\r\n`, 0], [`0x${'AB'.repeat(32)}`, 0],
  [KEY.slice(0, -2), 107], [`${KEY}00`, 107], [` ${KEY}`, 107], [`0x${'0'.repeat(64)}`, 107], [`0x${'f'.repeat(64)}`, 107],
  ['', 107], ['not a key', 107], ['{', 107], ['{}', 107], ['x'.repeat(10000), 107],
]) {
  test(`a raw key file with ${JSON.stringify(text.length > 80 ? text.length : text.slice(0, 8) + text.slice(-4))}: ${code}`, async () => {
    const user = newUser();
    const end = await user.run(['wallet', 'address', '--key-file', put(user, 'k', text), '--password-file', put(user, 'p', 'x')]);
    assert.equal(end.code, code, end.err);
  });
}

for (const mode of [0o644, 0o640, 0o604, 0o620, 0o602, 0o601, 0o660]) {
  test(`mode ${mode.toString(8)} is refused, for keys, keystores and passwords`, async () => {
    const user = newUser();
    const server = await shop();
    const password = put(user, 'p', 'x');
    for (const args of [
      ['--key-file', put(user, 'k', KEY, mode)],
      ['--wallet', put(user, 'w', keystore(KEY, 'x'), mode), '--password-file', password],
      ['--wallet', put(user, 'v', keystore(KEY, 'x')), '--password-file', put(user, 'q', 'x', mode)],
    ]) {
      const end = await user.run(['get', ...args, server.url]);
      assert.equal(end.code, 107, end.err);
      assert.match(end.err, /chmod 600/);
    }
    assert.equal(server.paid().length, 0);
  });
}

test('folders, FIFOs, devices and missing files are refused at once; a link to a good file is fine', async () => {
  const user = newUser();
  const fifo = join(user.home, 'fifo');
  execFileSync('mkfifo', ['-m', '600', fifo]);
  for (const file of [fifo, user.home, '/dev/zero', '/no/such/file'])
    assert.equal((await user.run(['wallet', 'address', '--key-file', file])).code, 107, file);
  const link = join(user.home, 'link');
  symlinkSync(user.keyFile, link);
  assert.equal((await user.run(['wallet', 'address', '--key-file', link])).out, `${PAYER}\n`);
});

test('a file of another owner is refused', { skip: process.getuid() !== 0 }, async () => {
  const user = newUser();
  const { chownSync } = await import('node:fs');
  const file = put(user, 'k', KEY);
  chownSync(file, 12345, 12345);
  assert.equal((await user.run(['wallet', 'address', '--key-file', file])).code, 107);
});

test('wallet new: encrypted, private, readable by others, never overwritten', async () => {
  const user = newUser();
  const password = put(user, 'p', 'correct horse\n');
  const made = await user.run(['wallet', 'new', '--password-file', password]);
  assert.equal(made.code, 0, made.err);
  const file = join(user.home, '.local', 'share', 'x402', 'wallet.json');
  assert.equal(statSync(file).mode & 0o777, 0o600);
  const text = readFileSync(file, 'utf8');
  const { crypto, version, id } = JSON.parse(text);
  assert.equal(version, 3);
  assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.deepEqual([crypto.kdfparams.n, crypto.kdfparams.r, crypto.kdfparams.p], [262144, 8, 1]);
  const key = open(text, 'correct horse');
  assert.equal(made.out, `${privateKeyToAccount(key).address}\n`);

  assert.equal((await user.run(['wallet', 'address'])).out, made.out);
  const again = await user.run(['wallet', 'new', '--password-file', password, '--scrypt-n', '2']);
  assert.equal(again.code, 107);
  assert.match(again.err, /exists already/);
  assert.equal(readFileSync(file, 'utf8'), text);

  const server = await shop();
  const paid = await user.run(['get', '--password-file', password, server.url]);
  assert.equal(paid.code, 0, paid.err);
  assert.equal(await signerOf(server.paid()[0].payment), privateKeyToAccount(key).address);
});

test('every new wallet has a key, a salt and an iv of its own', async () => {
  const user = newUser();
  const password = put(user, 'p', 'x');
  const seen = new Set();
  for (let i = 0; i < 5; i++) {
    const file = join(user.home, `w${i}`);
    assert.equal((await user.run(['wallet', 'new', '--wallet', file, '--scrypt-n', '2', '--password-file', password])).code, 0);
    const { crypto, address, id } = JSON.parse(readFileSync(file, 'utf8'));
    for (const value of [address, id, crypto.kdfparams.salt, crypto.cipherparams.iv, crypto.ciphertext])
      seen.add(value);
  }
  assert.equal(seen.size, 25);
});

test('wallet import: from a 0600 file or standard input, and never from the command line', async () => {
  const user = newUser();
  const password = put(user, 'p', 'x');
  const options = ['--scrypt-n', '4', '--password-file', password];
  const file = join(user.home, 'deep', 'er', 'w');
  const fromFile = await user.run(['wallet', 'import', '--from', user.keyFile, '--wallet', file, ...options]);
  assert.equal(fromFile.code, 0, fromFile.err);
  assert.equal(fromFile.out, `${PAYER}\n`);
  assert.equal(open(readFileSync(file, 'utf8'), 'x'), KEY);
  for (const input of [KEY, `${KEY.slice(2)}\n`]) {
    const wallet = join(user.home, `w${input.length}`);
    const end = await user.run(['wallet', 'import', '--wallet', wallet, ...options], { input });
    assert.equal(end.code, 0, end.err);
    assert.equal(open(readFileSync(wallet, 'utf8'), 'x'), KEY);
  }
  const none = join(user.home, 'none');
  for (const input of ['', 'x', `${KEY}00`, `0x${'0'.repeat(64)}`])
    assert.equal((await user.run(['wallet', 'import', '--wallet', none, ...options], { input })).code, 107);
  const argument = await user.run(['wallet', 'import', KEY, '--wallet', none, ...options]);
  assert.equal(argument.code, 2);
  assert.ok(!argument.err.includes(KEY.slice(2)));
  assert.equal((await user.run(['wallet', 'import', '--from', put(user, 'k', KEY, 0o644), '--wallet', none, ...options])).code, 107);
  assert.ok(!existsSync(none));
});

test('a password is never empty silently, and never waited for without a terminal', async () => {
  const user = newUser();
  const wallet = join(user.home, 'w');
  const empty = put(user, 'p', '\n');
  const made = await user.run(['wallet', 'new', '--wallet', wallet, '--password-file', empty]);
  assert.equal(made.code, 107);
  assert.match(made.err, /empty password/);
  const setsid = { program: 'setsid' };
  const asked = await user.run(['-w', PROGRAMS.x402, 'wallet', 'new', '--wallet', wallet], setsid);
  assert.equal(asked.code, 107);
  assert.match(asked.err, /--password-file/);
  assert.ok(!existsSync(wallet));
  const server = await shop();
  const locked = put(user, 'v', keystore(KEY, ''));
  const end = await user.run(['-w', PROGRAMS.x402, 'get', '--wallet', locked, server.url], setsid);
  assert.equal(end.code, 107);
  assert.equal(server.paid().length, 0);
  for (const option of ['--password', '--key', '--private-key'])
    assert.equal((await user.run(['get', option, 'x', server.url])).code, 2);
});

test('a password that is typed: asked twice for a new wallet, not echoed', async () => {
  const user = newUser();
  const wallet = join(user.home, 'w');
  const command = `${PROGRAMS.x402} wallet new --scrypt-n 2 --wallet ${wallet}`;
  // script's standard input is the terminal's keyboard
  const session = async (lines, cmd = command) => {
    const child = spawn('script', ['-qec', cmd, '/dev/null'], { env: user.env, cwd: user.home, timeout: 30_000 });
    let shown = '';
    child.stdout.on('data', (data) => { shown += data; });
    const end = new Promise((resolve) => { child.once('close', resolve); });
    for (const [prompt, line] of lines) {
      await until(prompt, () => shown.includes(prompt));
      child.stdin.write(`${line}\n`);
    }
    const code = await end;
    return { code, shown };
  };
  const differ = await session([['New password', 'tulip one'], ['The same again', 'tulip two']]);
  assert.equal(differ.code, 107, differ.shown);
  assert.match(differ.shown, /differ/);
  assert.ok(!existsSync(wallet));
  const made = await session([['New password', 'tulip one'], ['The same again', 'tulip one']]);
  assert.equal(made.code, 0, made.shown);
  assert.ok(!made.shown.includes('tulip'), made.shown);
  open(readFileSync(wallet, 'utf8'), 'tulip one');
  const server = await shop();
  const paid = await session([['Password of the wallet', 'tulip one']],
    `${PROGRAMS.x402} get --wallet ${wallet} ${server.url}`);
  assert.equal(paid.code, 0, paid.shown);
  assert.equal(server.nonces().size, 1);
});

test('what takes longer than a second is shown on a terminal', async () => {
  const user = newUser();
  const server = await shop({ afterwards: (response, seen) => { setTimeout(() => deliver(response, seen), 3500); } });
  const child = spawn('script', ['-qec', `${PROGRAMS.x402} get --key-file ${user.keyFile} ${server.url}`, '/dev/null'],
    { env: user.env, cwd: user.home, timeout: 30_000 });
  let shown = '';
  child.stdout.on('data', (data) => { shown += data; });
  await new Promise((resolve) => { child.once('close', resolve); });
  assert.match(shown, /waiting for 127\.0\.0\.1, [23] s/);
  assert.match(shown, /\{"answer":42\}/);
});

test('Ctrl-C at the prompt gives the terminal its echo back', async () => {
  const user = newUser();
  const wallet = put(user, 'w', keystore(KEY, 'x'));
  const child = spawn('script', ['-qec', `trap : INT; ${PROGRAMS.x402} get --wallet ${wallet} ${(await shop()).url}; stty -a`, '/dev/null'],
    { env: user.env, cwd: user.home, timeout: 30_000 });
  let shown = '';
  child.stdout.on('data', (data) => { shown += data; });
  const end = new Promise((resolve) => { child.once('close', resolve); });
  await until('the prompt', () => shown.includes('Password of the wallet'));
  assert.doesNotMatch(shown, /speed/, 'it waits');
  child.stdin.write('\x03');
  await end;
  assert.match(shown, / echo /, shown);
});

/** Every readable byte of a process. */
function memoryOf(pid) {
  const mem = openSync(`/proc/${pid}/mem`, 'r');
  const parts = [];
  for (const line of readFileSync(`/proc/${pid}/maps`, 'utf8').split('\n')) {
    const range = /^([0-9a-f]+)-([0-9a-f]+) r/.exec(line);
    if (!range || line.includes('[vvar') || line.includes('[vsyscall'))
      continue;
    const [start, end] = [BigInt(`0x${range[1]}`), BigInt(`0x${range[2]}`)];
    if (end - start > 1n << 30n)
      continue; // a sanitizer's shadow
    const bytes = Buffer.alloc(Number(end - start));
    try {
      readSync(mem, bytes, 0, bytes.length, start);
      parts.push(bytes);
    } catch {
      // not backed
    }
  }
  closeSync(mem);
  return Buffer.concat(parts);
}

for (const kind of ['raw key', 'keystore']) {
  test(`while the payment is out: no key in memory, arguments or environment, no core file (${kind})`, { skip: process.getuid() !== 0 }, async () => {
    const key = `0x${randomBytes(32).toString('hex')}`;
    const user = newUser({ key });
    const secret = randomBytes(12).toString('hex');
    const wallet = kind === 'raw key' ? ['--key-file', user.keyFile]
      : ['--wallet', put(user, 'w', keystore(key, secret)), '--password-file', put(user, 'p', secret)];
    let release;
    const server = await shop({ afterwards: (response, seen) => { release = () => deliver(response, seen); } });
    const child = user.start(['get', ...wallet, '-H', 'X-Control: find me here', server.url]);
    await until('the payment', () => release);
    const { pid } = child;
    for (const name of ['cmdline', 'environ'])
      assert.ok(!readFileSync(`/proc/${pid}/${name}`).includes(key.slice(2)), name);
    assert.match(readFileSync(`/proc/${pid}/limits`, 'utf8'), /^Max core file size +0 +0 /m);
    const memory = memoryOf(pid);
    assert.ok(memory.includes('find me here'), 'the search finds what is there');
    assert.ok(!memory.includes(Buffer.from(key.slice(2), 'hex')), 'the key itself');
    assert.ok(!memory.includes(key.slice(2)), 'the key as text');
    assert.ok(kind === 'raw key' || !memory.includes(secret), 'the password');
    release();
    assert.equal((await child.end).code, 0);
  });
}

test('another process of the same user cannot look inside', { skip: process.getuid() !== 0 }, async () => {
  const user = newUser();
  let release;
  const server = await shop({ afterwards: (response, seen) => { release = () => deliver(response, seen); } });
  const child = user.start(['get', '--key-file', user.keyFile, server.url]);
  await until('the payment', () => release);
  // a process that is not dumpable has its /proc files given to root
  const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
  assert.match(status, /^CoreDumping:\s+0$/m);
  const dumpable = execFileSync('sh', ['-c', `stat -c %u /proc/${child.pid}/mem`]).toString().trim();
  assert.equal(dumpable, '0');
  release();
  await child.end;
});
