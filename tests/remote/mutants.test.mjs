// SPDX-License-Identifier: Apache-2.0
// These tests can fail: with one deliberate fault switched on (meson option
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
  none: ['node', '^settled, then another transaction', 0],
  'none, the clock shortened': ['word', '^a refusal is believed', 0],
  facilitator_truthy: ['node', '^/verify says neither', 1],
  lost_is_refused: ['word', '^settled, then an error 504', 1],
  claim_believed: ['node', '^settled, then another transaction', 1],
  attestation_unchecked: ['attestation', '^another receipt: 503', 1],
  address_unguarded: ['address', '^a name that leads inside', 1],
  facilitator_open: ['node', '^the facilitator is down', 1],
};

for (const [name, [file, pattern, fails]] of Object.entries(MUTANTS)) {
  test(`${name}: ${file} ${fails ? 'fails' : 'passes'}`, { skip, timeout: 180_000 }, () => {
    const { NODE_TEST_CONTEXT: _, ...env } = process.env;
    const run = spawnSync(process.execPath, ['--test', '--test-reporter=tap', `--test-name-pattern=${pattern}`, join(HERE, `${file}.test.mjs`)],
      { env: { ...env, X402_MUTANT: name }, encoding: 'utf8' });
    assert.match(run.stdout, fails ? /^# fail [1-9]/m : /^# pass [1-9][^]*^# fail 0/m, run.stdout.slice(-2000));
  });
}
