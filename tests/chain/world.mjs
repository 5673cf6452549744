// SPDX-License-Identifier: Apache-2.0
// A chain (anvil with the devnet's contracts), payers, and the daemon's chain
// and ledger in a program that takes one command a line.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { accounts, privateKey } from '../../devnet/accounts.mjs';
import { CHAIN_ID, MULTICALL3, USDC, startChain } from '../../devnet/chain.mjs';
import { sleep } from '../../devnet/process.mjs';
import { program } from './programs.mjs';

export { CHAIN_ID, MULTICALL3, USDC, accounts, sleep };
export const PAYEE = accounts[9].address;
const SETTLER = 0;
const HURRY = 10; // times shorter than on a real network are the settler's pauses (daemon/chain/pace.h)
const DOMAIN = { name: 'USDC', version: '2', chainId: CHAIN_ID, verifyingContract: USDC };
const TYPES = {
  TransferWithAuthorization: [
    ['from', 'address'], ['to', 'address'], ['value', 'uint256'], ['validAfter', 'uint256'],
    ['validBefore', 'uint256'], ['nonce', 'bytes32'],
  ].map(([name, type]) => ({ name, type })),
};
export const now = () => Math.floor(Date.now() / 1000);

/** A signed authorization as the tool reads it. */
export async function payment(payer, over = {}) {
  const auth = {
    from: payer.address, to: PAYEE, value: '1000', validAfter: now() - 1, validBefore: now() + 300,
    nonce: `0x${randomBytes(32).toString('hex')}`, ...over,
  };
  const message = { ...auth, value: BigInt(auth.value), validAfter: BigInt(auth.validAfter), validBefore: BigInt(auth.validBefore) };
  const signature = over.signature
    ?? await payer.signTypedData({ domain: DOMAIN, types: TYPES, primaryType: 'TransferWithAuthorization', message });
  return { asset: USDC, ...auth, signature };
}

/** transferWithAuthorization's calldata, v r s. */
export function transferData(p) {
  const word = (v) => BigInt(v).toString(16).padStart(64, '0');
  const s = p.signature.slice(2);
  return `0xe3ee160e${[p.from, p.to, p.value, p.validAfter, p.validBefore, p.nonce].map(word).join('')}`
    + word(`0x${s.slice(128)}`) + s.slice(0, 128);
}

/** cancelAuthorization's calldata, signed by the payer. */
export async function cancelData(payer, nonce) {
  const signature = await payer.signTypedData({
    domain: DOMAIN,
    types: { CancelAuthorization: [{ name: 'authorizer', type: 'address' }, { name: 'nonce', type: 'bytes32' }] },
    primaryType: 'CancelAuthorization',
    message: { authorizer: payer.address, nonce },
  });
  const word = (v) => BigInt(v).toString(16).padStart(64, '0');
  const s = signature.slice(2);
  return `0x5a049a70${word(payer.address)}${word(nonce)}${word(`0x${s.slice(128)}`)}${s.slice(0, 128)}`;
}

/** So long on a real network. */
export const pause = (ms) => sleep(ms / HURRY);

export class World {
  static async start(port, options = {}) {
    const world = new World();
    world.dir = mkdtempSync(join(tmpdir(), 'x402-chain-'));
    world.chain = await startChain({ port, dir: world.dir, ...options });
    world.rpc = world.chain.rpc;
    world.keys = [SETTLER, ...options.signers ?? []].map((i) => {
      const file = join(world.dir, `key-${i}`);
      writeFileSync(file, privateKey(i), { mode: 0o600 });
      return file;
    });
    world.tools = [];
    return world;
  }

  /** The daemon's chain and ledger; the same ledger at each start. */
  async daemon(over = {}, env = {}) {
    const tool = new Tool({ ...process.env, ...env });
    this.tools.push(tool);
    tool.send({ op: 'open', rpc: [this.chain.url], keys: this.keys, ledger: join(this.dir, 'ledger.db'), poll: 50, hurry: HURRY, ...over });
    await tool.opened;
    return tool;
  }

  async stop() {
    for (const tool of this.tools) {
      await tool.kill();
      assert.doesNotMatch(tool.log, /Sanitizer|runtime error|assert/i);
    }
    await this.chain.process.stop();
    rmSync(this.dir, { recursive: true, force: true });
  }
}

export class Tool {
  #next = 1;
  #waiting = new Map();

  constructor(env) {
    this.child = spawn(program('chain_tool'), { env, stdio: ['pipe', 'pipe', 'pipe'] });
    this.log = '';
    this.child.stderr.on('data', (chunk) => { this.log += chunk; if (process.env.SHOW_LOG) process.stderr.write(chunk); });
    this.child.stdin.on('error', () => {});
    this.exited = new Promise((done) => this.child.on('close', (code, signal) => { this.how = signal ?? code; done(this.how); }));
    this.opened = new Promise((done, fail) => { this.#waiting.set('open', done); this.exited.then((how) => fail(new Error(`ended: ${how}\n${this.log}`))); });
    this.opened.catch(() => {});
    createInterface({ input: this.child.stdout }).on('line', (line) => this.#line(JSON.parse(line)));
  }

  #line(answer) {
    const id = answer.id ?? 'open';
    this.#waiting.get(id)?.(answer);
    this.#waiting.delete(id);
  }

  send(command) {
    this.child.stdin.write(`${JSON.stringify(command)}\n`);
  }

  ask(op, more = {}) {
    const id = this.#next++;
    return new Promise((done, fail) => {
      this.#waiting.set(id, done);
      this.exited.then((how) => fail(new Error(`ended: ${how}\n${this.log}`)));
      this.send({ op, id, ...more });
    });
  }

  simulate(p) { return this.ask('simulate', p); }
  pay(p, more = {}) { return this.ask('pay', { ...p, ...more }); }
  watch(id, timeout = 10000) { return this.ask('watch', { payment: id, timeout }); }
  async row(id) { return (await this.ask('row', { payment: id })).row; }

  /** Waits until the condition on the health or stats holds. */
  async until(op, condition, limit = 15000) {
    let last;
    for (const end = Date.now() + limit; Date.now() < end; await sleep(25)) {
      last = await this.ask(op);
      if (condition(last))
        return last;
    }
    throw new Error(`${op} never came: ${JSON.stringify(last)}\n${this.log}`);
  }

  async rowUntil(id, condition, limit = 15000) {
    let last;
    for (const end = Date.now() + limit; Date.now() < end; await sleep(25)) {
      last = await this.row(id);
      if (condition(last))
        return last;
    }
    throw new Error(`row never came: ${JSON.stringify(last)}\n${this.log}`);
  }

  ready() { return this.until('health', (h) => h.canSettle); }

  async close() {
    this.send({ op: 'close' });
    return this.exited;
  }

  async kill() {
    this.child.kill('SIGKILL');
    await this.exited;
  }
}

export const STATE = { RESERVED: 1, RELEASED: 2, CAPTURED: 3, SUBMITTED: 4, MINED: 5, FINAL: 6, FAILED: 7 };
export const OUTCOME = { MINED: 1, REFUSED: 2, TIMEOUT: 3 };
