// SPDX-License-Identifier: Apache-2.0
// No branch and no address depends on a private key: see ctime.c.  The same
// program with a fault shows that memcheck would say so.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { BUILD, PROJECT } from '../../devnet/paths.mjs';

const ERROR = 99;

function sign(mutant) {
  const { status, stderr } = spawnSync('valgrind', ['--quiet', `--error-exitcode=${ERROR}`,
    `--suppressions=${join(PROJECT, 'tests', 'memcheck', 'ctime.supp')}`, join(BUILD, 'tests', 'memcheck', 'ctime')],
  { encoding: 'utf8', env: { PATH: process.env.PATH, ...(mutant && { X402_MUTANT: mutant }) } });
  return { status, stderr };
}

test('signing takes the same way for every key', { timeout: 60_000 }, () => {
  const { status, stderr } = sign();
  assert.equal(status, 0, stderr);
});

test('a branch on a bit of the key is seen', { timeout: 60_000 }, () => {
  const { status, stderr } = sign('key_in_branch');
  assert.equal(status, ERROR, stderr);
  assert.match(stderr, /Conditional jump .*\n.*x402_sign/);
});
