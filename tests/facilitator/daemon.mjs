// SPDX-License-Identifier: Apache-2.0
// One x402d for a test: its folder, its configuration, its log.  Either the
// real one, or x402d-stub, whose cashier does what a payment's nonce says.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { PAYEE, SETTLER, account, privateKey } from '../../devnet/accounts.mjs';
import { NETWORK } from '../../devnet/chain.mjs';
import { BUILD, PROGRAMS } from '../../devnet/paths.mjs';
import { findFree } from '../../devnet/ports.mjs';
import { Process, listening } from '../../devnet/process.mjs';

export const STUB = join(BUILD, 'daemon', 'x402d-stub');
export const X402D = PROGRAMS.x402d;
export const PAY_TO = account(PAYEE).address;

const FIRST_PORT = Number(process.env.X402_FACILITATOR_PORT_BASE ?? 15700);

/** Ports for one test file; files run side by side, so each names its own. */
export async function ports(file) {
  const { facilitator, rpc, gateway, upstream } = await findFree(FIRST_PORT + 10 * file);
  return { facilitator, rpc, third: gateway, fourth: upstream };
}

export function freshDir() {
  const dir = mkdtempSync(join(tmpdir(), 'x402-facilitator-'));
  // at the very end: the hooks of a file still read logs in there
  process.once('exit', () => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

export function yaml({ port, rpc = 'http://127.0.0.1:1', http = 'any_payee: true', network = '', more = '' }) {
  return `ledger: ledger.db
http: {listen: "127.0.0.1:${port}", ${http}}
networks:
  - network: ${NETWORK}
    rpc: [${JSON.stringify(rpc)}]
    signers: [{key_file: signer.key}]
${network}
${more}
`;
}

export class Daemon {
  constructor({ program = X402D, dir = freshDir(), port, text }) {
    Object.assign(this, { program, dir, port });
    this.config = join(dir, 'x402d.yaml');
    this.log = join(dir, 'x402d.log');
    this.url = `http://127.0.0.1:${port}`;
    writeFileSync(join(dir, 'signer.key'), `${privateKey(SETTLER).slice(2)}\n`, { mode: 0o600 });
    writeFileSync(this.config, text ?? yaml({ port }));
  }

  reconfigure(text) {
    writeFileSync(this.config, text);
  }

  async start() {
    this.process = new Process({
      name: 'x402d', command: this.program, args: ['--config', this.config], log: this.log, cwd: this.dir,
    }).start();
    await listening(this.process, { host: '127.0.0.1', port: this.port });
    return this;
  }

  async stop(options = { patience: 9000 }) {
    await this.process?.stop(options);
    assert.doesNotMatch(this.logText(), /Sanitizer|runtime error:|Assertion/);
    return this.process?.how;
  }

  logText() {
    return readFileSync(this.log, 'utf8');
  }

  events() {
    return this.logText().split('\n').filter((line) => line.startsWith('{')).map((line) => JSON.parse(line));
  }
}

/** A daemon for all tests of a file. */
export async function useDaemon(options) {
  const daemon = await new Daemon(options).start();
  after(() => daemon.stop());
  return daemon;
}
