// SPDX-License-Identifier: Apache-2.0
// The tests can fail: with one deliberate fault switched on (meson option
// `mutants`, environment variable X402_MUTANT), the test that is there for it
// does; without it, the same test passes.  A killer is
//
//     'unit/test_signer'                a unit test program
//     ['gateway/paid', '^v2: reserved'] tests of a *.test.mjs, by name
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { BUILD, PROGRAMS, PROJECT } from '../../devnet/paths.mjs';

const WIDTH = 2; // processors that a small machine has
const PATIENCE = { unit: 20_000, node: 90_000 }; // a test that hangs has noticed
const skip = !readFileSync(PROGRAMS.x402d).includes('X402_MUTANT') && 'built without -Dmutants=true';

/* Each run has ports of its own, since two run at a time. */
let ports = 20_000;
function environment(mutant) {
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  ports += 40;
  return { ...env, X402_MUTANT: mutant, X402_TEST_PORT_BASE: String(ports), X402_GATEWAY_PORTS: String(ports),
    X402_FACILITATOR_PORT_BASE: String(ports) };
}

function run(killer, mutant) {
  const [command, args] = typeof killer === 'string'
    ? [join(BUILD, 'tests', killer), []]
    : [process.execPath, ['--test', '--test-reporter=tap', `--test-name-pattern=${killer[1]}`, join(PROJECT, 'tests', `${killer[0]}.test.mjs`)]];
  return new Promise((resolve) => {
    const child = spawn(command, args, { env: environment(mutant), timeout: typeof killer === 'string' ? PATIENCE.unit : PATIENCE.node, killSignal: 'SIGKILL', stdio: ['ignore', 'pipe', 'pipe'] });
    let out = '';
    child.stdout.on('data', (data) => { out += data; });
    child.stderr.on('data', (data) => { out += data; });
    child.once('error', (error) => resolve({ code: undefined, out: error.message }));
    child.once('close', (code) => resolve({ code, out }));
  });
}

const name = (killer) => [killer].flat().join(': ');

/** Declares a test for each mutant of a table {name: killer}, and one for each
 *  killer without a mutant: what fails anyway kills nothing.  Where several
 *  tests must notice a fault, its entry is a list of killers. */
export function mutants(table) {
  const kills = Object.entries(table).flatMap(([mutant, entry]) =>
    (typeof entry !== 'string' && Array.isArray(entry[0]) ? entry : [entry]).map((killer) => [mutant, killer]));
  describe('mutants', { concurrency: WIDTH, skip }, () => {
    for (const killer of new Map(kills.map(([, one]) => [name(one), one])).values()) {
      test(`as it is, passes: ${name(killer)}`, async () => {
        const { code, out } = await run(killer, 'none');
        assert.equal(code, 0, out.slice(-2000));
        assert.match(out, typeof killer === 'string' ? /^ok /m : /^# pass [1-9]/m, `it did not run:\n${out.slice(-500)}`);
      });
    }
    for (const [mutant, killer] of kills) {
      test(`${mutant} is noticed by ${name(killer)}`, async () => {
        const { code, out } = await run(killer, mutant);
        assert.notEqual(code, undefined, out);
        assert.notEqual(code, 0, `it passes on broken code:\n${out.slice(-2000)}`);
      });
    }
  });
}
