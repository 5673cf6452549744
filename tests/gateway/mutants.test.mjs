// SPDX-License-Identifier: Apache-2.0
// The tests can fail: with one check of the module left out (meson option
// `mutants`, environment variable X402_MUTANT), the test that is there for it
// does.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { MODULE } from './harness.mjs';

const HERE = dirname(fileURLToPath(import.meta.url));
const skip = !readFileSync(MODULE).includes('X402_MUTANT') && 'built without -Dmutants=true';

const MUTANTS = {
  capture_skipped: ['paid', '^v2: reserved'],
  hold_off: ['hold', '^held, then whole: /buffered'],
  error_page: ['redirects', '^error_page =200'],
  redirect: ['redirects', '^X-Accel-Redirect'],
  subrequest: ['redirects', '^subrequests never'],
  abort_free: ['hold', '^the client leaves while the upstream works'],
  satisfy_any: ['conf', '^refused: satisfy any'],
  path_odd: ['paths', '^no spelling gets past the price: merged'],
  path_loose: ['paths', '^no spelling gets past the price: merged'],
  strip_off: ['headers', '^payment headers, copies'],
  credentials: ['refuse', '^more than one credential'],
  verify_off: ['refuse', '^a signature that is not'],
  body: ['refuse', '^what a payment is bound to'],
};

for (const [name, [file, pattern]] of Object.entries(MUTANTS)) {
  test(`without ${name}: ${file} fails`, { skip, timeout: 120_000 }, () => {
    const { NODE_TEST_CONTEXT: _, ...env } = process.env;
    const run = spawnSync(process.execPath, ['--test', '--test-reporter=tap', `--test-name-pattern=${pattern}`, join(HERE, `${file}.test.mjs`)],
      { env: { ...env, X402_MUTANT: name }, encoding: 'utf8' });
    assert.match(run.stdout, /^# fail [1-9]/m, run.stdout.slice(-2000));
  });
}
