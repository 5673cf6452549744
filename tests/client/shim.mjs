// SPDX-License-Identifier: Apache-2.0
// Builds shim.c once per test file; shim({SHIM_FSYNC: '1'}) is an environment.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after } from 'node:test';
import { PROJECT } from '../../devnet/paths.mjs';

let dir;
let library;
after(() => { if (dir) rmSync(dir, { recursive: true, force: true }); });

export function shim(env) {
  if (!library) {
    mkdirSync(join(PROJECT, 'tests', '.run'), { recursive: true });
    dir = mkdtempSync(join(PROJECT, 'tests', '.run', 'shim-'));
    library = join(dir, 'shim.so');
    execFileSync('cc', ['-shared', '-fPIC', '-o', library, join(PROJECT, 'tests', 'client', 'shim.c'), '-ldl']);
  }
  return { LD_PRELOAD: library, ...env };
}
