// SPDX-License-Identifier: Apache-2.0
// The tests can fail: with one deliberate fault switched on (meson option
// `mutants`, environment variable X402_MUTANT), the one that is there for it
// does.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { program } from './programs.mjs';

const HERE = dirname(fileURLToPath(import.meta.url));
const skip = !readFileSync(program('chain_tool')).includes('X402_MUTANT') && 'built without -Dmutants=true';

const MUTANTS = {
  any_factory: ['wallets', '^ERC-6492: who may be called'],
  payer_unchecked: ['wallets', '^no chain is asked about what cannot be'],
  // a node's silence is no proof; a reorg is followed; fees have a cap; an
  // account nonce has one transaction; failing in a row ends
  silence_is_proof: ['settle', '^a stuck transaction gets a higher fee'],
  reorg_ignored: ['odd', '^a reorg of depth 2'],
  edge_forgotten: ['settle', '^a ledger that cannot be written'],
  fees_uncapped: ['odd', '^base fee times 1000'],
  nonce_twice: ['settle', '^two signers share the work'],
  breaker_off: ['odd', '^a token that says yes and does nothing'],
  spent_forgotten: ['odd', '^the day'],
  // what an endpoint says: of which chain, how late, and whether another agrees
  any_chain: ['witness', '^a stand-in of another chain'],
  stale_head: ['witness', '^one whose head stands still'],
  one_word_is_enough: ['witness', '^one that'],
  // a payer's approval: only of Permit2, only his own, only one that can go,
  // and nothing is served on it
  approval_any_spender: ['approval', '^an approval: another spender'],
  approval_any_signer: ['approval', '^signed by somebody else'],
  approval_any_nonce: ['approval', '^an approval: a later account nonce'],
  approval_on_credit: ['approval', '^the gateway serves when'],
  // an equal transfer is not this payment's
  adopt_any_transfer: ['permit2', '^taken back before'],
  // E03
  strangers_first: ['simulate', '^a flood of strangers'],
  wallet_without_fees: ['wallets', '^ERC-1271: the first word'],
};

for (const [name, [file, pattern]] of Object.entries(MUTANTS)) {
  test(`${name}: ${file} fails`, { skip, timeout: 120_000 }, () => {
    const { NODE_TEST_CONTEXT: _, ...env } = process.env;
    const run = spawnSync(process.execPath, ['--test', '--test-reporter=tap', `--test-name-pattern=${pattern}`, join(HERE, `${file}.test.mjs`)],
      { env: { ...env, X402_MUTANT: name }, encoding: 'utf8' });
    assert.match(run.stdout, /^# fail [1-9]/m, run.stdout.slice(-2000));
  });
}
