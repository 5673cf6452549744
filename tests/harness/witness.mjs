// SPDX-License-Identifier: Apache-2.0
// The witnesses outside our programs: the node's balances and logs, and the
// upstream's counter.  And the ledger file, read as a file.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { USDC } from '../../devnet/chain.mjs';
import { sleep } from '../../devnet/process.mjs';

/** Asks until the answer satisfies, or says what it was last. */
export async function until(what, limit, ask, enough = Boolean) {
  const end = Date.now() + limit;
  for (;;) {
    const answer = await ask();
    if (enough(answer))
      return answer;
    if (Date.now() > end)
      throw new Error(`${what}: not within ${limit / 1000} s; the last answer was ${JSON.stringify(answer, (_, v) => typeof v === 'bigint' ? String(v) : v)}`);
    await sleep(50);
  }
}

export class Witness {
  constructor(stack) {
    this.stack = stack;
    this.rpc = stack.rpc;
  }

  balance(address) {
    return this.rpc.balance(USDC, address);
  }

  payee() {
    return this.balance(this.stack.payTo);
  }

  used(payer, nonce) {
    return this.rpc.used(USDC, payer.address ?? payer, nonce);
  }

  /** AuthorizationUsed in the node's log, by nonce: how often. */
  async usedCounts() {
    const counts = new Map();
    for (const { nonce } of await this.rpc.authorizationsUsed(USDC))
      counts.set(nonce, (counts.get(nonce) ?? 0) + 1);
    return counts;
  }

  transfers() {
    return this.rpc.transfersTo(USDC, this.stack.payTo);
  }

  /** Waits for the payments' nonces on the chain. */
  settled(payments, limit = 10_000) {
    return until(`${payments.length} payments settled`, limit, async () => {
      const counts = await this.usedCounts();
      return payments.filter(({ nonce }) => counts.has(nonce)).length;
    }, (count) => count === payments.length);
  }

  async hits(path) {
    const response = await fetch(`${this.stack.url('upstream')}/__hits`);
    return (await response.json())[path] ?? 0;
  }

  /** Rows of the ledger. */
  ledger(sql) {
    return this.ledgers([sql])[0];
  }

  /** The rows of several questions at one moment; python's sqlite3 is on every
   *  machine that has meson. */
  ledgers(sqls) {
    const script = 'import json,sqlite3,sys\n'
      + 'c=sqlite3.connect("file:"+sys.argv[1]+"?mode=ro",uri=True)\n'
      + 'c.row_factory=sqlite3.Row\n'
      + 'plain=lambda v: v.hex() if isinstance(v,bytes) else v\n'
      + 'c.execute("begin")\n'
      + 'print(json.dumps([[{k:plain(r[k]) for k in r.keys()} for r in c.execute(q)] for q in sys.argv[2:]]))';
    const file = join(this.stack.dir, 'ledger.db');
    return JSON.parse(execFileSync('/usr/bin/python3', ['-c', script, file, ...sqls], { encoding: 'utf8', maxBuffer: 1 << 28 }));
  }

  /** Nonces whose payment is FINAL (6 in the ledger's numbering). */
  finalNonces() {
    return this.ledger('select nonce from payment where state = 6').map(({ nonce }) => `0x${nonce}`);
  }
}
