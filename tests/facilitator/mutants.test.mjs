// SPDX-License-Identifier: Apache-2.0
// The tests can fail: with one check of the daemon left out (meson option
// `mutants`, environment variable X402_MUTANT), the test that is there for it
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
  any_key: [['keys', '^/settle: no key, a wrong one'], ['keys', '^/settle: a key is for its own payees']],
  reconcile_blind: [['ledger', '^reconcile: rows that are gone'], ['ledger', '^reconcile: payments that no transfer']],
};

for (const [name, kills] of Object.entries(MUTANTS)) {
  for (const [file, pattern] of kills) {
    test(`${name}: ${file} ${pattern} fails`, { skip, timeout: 120_000 }, () => {
      const { NODE_TEST_CONTEXT: _, ...env } = process.env;
      const run = spawnSync(process.execPath, ['--test', '--test-reporter=tap', `--test-name-pattern=${pattern}`, join(HERE, `${file}.test.mjs`)],
        { env: { ...env, X402_MUTANT: name }, encoding: 'utf8' });
      assert.match(run.stdout, /^# fail [1-9]/m, run.stdout.slice(-2000));
    });
  }
}
