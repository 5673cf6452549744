// SPDX-License-Identifier: Apache-2.0
// The scenarios can fail: with one deliberate fault switched on (meson option
// `mutants`, environment variable X402_MUTANT), the one that is there for it
// does.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { PROGRAMS } from '../../devnet/paths.mjs';

const HERE = dirname(fileURLToPath(import.meta.url));
const skip = !readFileSync(PROGRAMS.x402d).includes('X402_MUTANT') && 'built without -Dmutants=true';

const MUTANTS = {
  none: ['replay', '^one payment sent 256 times at once to /paid$', 0],
  no_unique: ['replay', '^one payment sent 256 times at once to /paid$', 1],
  credit_off: ['chain', '^a payer with money for one answer', 1],
  wallets_on_credit: ['wallets', '^a wallet that says yes to a call', 1],
  capture_skipped: ['settlement', '^/paid takes v2', 1],
  hold_ignored: ['failure', '^x402d dies while the upstream works', 1],
};

for (const [name, [file, pattern, fails]] of Object.entries(MUTANTS)) {
  test(`${name}: ${file} ${fails ? 'fails' : 'passes'}`, { skip, timeout: 180_000 }, () => {
    const { NODE_TEST_CONTEXT: _, ...env } = process.env;
    const run = spawnSync(process.execPath, ['--test', '--test-reporter=tap', `--test-name-pattern=${pattern}`, join(HERE, `${file}.test.mjs`)],
      { env: { ...env, X402_MUTANT: name }, encoding: 'utf8' });
    assert.match(run.stdout, fails ? /^# fail [1-9]/m : /^# pass [1-9][^]*^# fail 0/m, run.stdout.slice(-2000));
  });
}
