// SPDX-License-Identifier: Apache-2.0
// The tests can fail: with one check of the client or of the daemon left out
// (meson option `mutants`, environment variable X402_MUTANT), the test that is
// there for it does.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { lightningPrograms } from '../../devnet/lightning.mjs';
import { PROGRAMS } from '../../devnet/paths.mjs';

const HERE = dirname(fileURLToPath(import.meta.url));
const skip = (!readFileSync(PROGRAMS.x402).includes('ln_any_invoice') && 'built without -Dmutants=true') ||
  (!lightningPrograms() && 'there is no lnd here');

const MUTANTS = {
  ln_any_invoice: '^refused: (a dearer invoice|an invoice for another request)',
  ln_forgets: '^(a client that is killed while it pays|after an error of the server)',
};

for (const [name, pattern] of Object.entries(MUTANTS)) {
  test(`${name}: ${pattern} fails`, { skip, timeout: 200_000 }, () => {
    const { NODE_TEST_CONTEXT: _, ...env } = process.env;
    const run = spawnSync(process.execPath, ['--test', '--test-reporter=tap', '--test-timeout=120000',
      `--test-name-pattern=${pattern}`, join(HERE, 'client.test.mjs')],
    { env: { ...env, X402_MUTANT: name }, encoding: 'utf8' });
    assert.match(run.stdout, /^# fail [1-9]/m, run.stdout.slice(-2000));
  });
}

/* The daemon's, against the fake node: the table says which file, and whether
 * it fails. */
const RAIL = {
  none: ['shop', '^256 copies of one proof', 0],
  'none ': ['node', '^(only SETTLED releases|a broken stream goes on|a flood of unpaid requests)', 0],
  invoice_replay: ['shop', '^256 copies of one proof', 1],
  invoice_not_asked: ['node', '^only SETTLED releases', 1],
  invoice_accepted: ['node', '^only SETTLED releases', 1],
  invoice_stream_forgets: ['node', '^a broken stream goes on', 1],
  l402_unchecked: ['shop', '^malformed and foreign proofs', 1],
  'none  ': ['hold', '^the upstream fails', 0],
  hold_kept: ['hold', '^the upstream fails', 1],
  invoice_no_cap: ['node', '^a flood of unpaid requests', 1],
};
const built = readFileSync(PROGRAMS.x402d).includes('X402_MUTANT');

for (const [name, [file, pattern, fails]] of Object.entries(RAIL)) {
  test(`${name}: ${file} ${fails ? 'fails' : 'passes'}`, { skip: !built && 'built without -Dmutants=true', timeout: 180_000 }, () => {
    const { NODE_TEST_CONTEXT: _, ...env } = process.env;
    const run = spawnSync(process.execPath, ['--test', '--test-reporter=tap', `--test-name-pattern=${pattern}`, join(HERE, `${file}.test.mjs`)],
      { env: { X402_LIGHTNING_FLOOD: '300', ...env, X402_MUTANT: name }, encoding: 'utf8' });
    assert.match(run.stdout, fails ? /^# fail [1-9]/m : /^# pass [1-9][^]*^# fail 0/m, run.stdout.slice(-2000));
  });
}
