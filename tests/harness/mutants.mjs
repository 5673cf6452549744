// SPDX-License-Identifier: Apache-2.0
// The tests can fail: with one deliberate fault switched on (meson option
// `mutants`, environment variable X402_MUTANT), the test that is there for it
// does; without it, the same test passes.  A killer is
//
//     'unit/test_signer'                a unit test program, and its arguments
//     ['gateway/paid', '^v2: reserved'] tests of a *.test.mjs, by name
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { BUILD, PROGRAMS, PROJECT } from '../../devnet/paths.mjs';

/* Each run has a network of its own, so that four can go side by side (they
 * wait more than they compute); where that cannot be had, one at a time. */
const LOOPBACK = ['-n', 'sh', '-c', 'ip link set lo up; exec "$@"', 'sh'];
const apart = spawnSync('unshare', [...LOOPBACK, 'true']).status === 0;
const WIDTH = apart ? 4 : 1;
const PATIENCE = { unit: 60_000, node: 90_000, control: 180_000 }; // a test that hangs has noticed
const unbuilt = !readFileSync(PROGRAMS.x402d).includes('X402_MUTANT') && 'built without -Dmutants=true';

/* killer: a unit test's command, or [file, pattern...] */
function run(killer, mutant, more) {
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const unit = typeof killer === 'string';
  const [program, ...args] = unit ? killer.split(' ') : [];
  const command = unit ? [join(BUILD, 'tests', program), ...args]
    : [...apart ? ['unshare', ...LOOPBACK] : [], process.execPath, '--test-reporter=tap',
      ...killer.slice(1).map((pattern) => `--test-name-pattern=${pattern}`), join(PROJECT, 'tests', `${killer[0]}.test.mjs`)];
  return new Promise((resolve) => {
    const child = spawn(command[0], command.slice(1), { env: { ...env, ...more, X402_MUTANT: mutant }, timeout: PATIENCE[mutant === 'none' ? 'control' : unit ? 'unit' : 'node'], killSignal: 'SIGKILL', stdio: ['ignore', 'pipe', 'pipe'] });
    let out = '';
    child.stdout.on('data', (data) => { out += data; });
    child.stderr.on('data', (data) => { out += data; });
    child.once('error', (error) => resolve({ code: undefined, out: error.message }));
    child.once('close', (code) => resolve({ code, out }));
  });
}

/* One run of a file shows that all of its killers pass. */
function byFile(killers) {
  const files = new Map();
  for (const [file, ...patterns] of killers.map((killer) => [killer].flat()))
    files.set(file, [...new Set([...files.get(file) ?? [], ...patterns])]);
  return files;
}

const name = (killer) => [killer].flat().join(': ');

const isUnit = ({ killer }) => typeof killer === 'string';
/* The quick ones at the end: no slow one is left over alone. */
const slowFirst = (a, b) => isUnit(a) - isUnit(b);

function declareControl([file, patterns], { env, skip }) {
  test(`as it is, passes: ${file}`, { skip }, async () => {
    const { code, out } = await run(patterns.length ? [file, ...patterns] : file, 'none', env);
    assert.equal(code, 0, out.slice(-2000));
    const passed = [...out.matchAll(/^ *ok \d+ - (.*)$/gm)].map(([, title]) => title).filter((title) => !/# SKIP/i.test(title));
    for (const pattern of patterns)
      assert.ok(passed.some((title) => new RegExp(pattern).test(title)), `"${pattern}" did not run:\n${out.slice(-500)}`);
  });
}

function declareKill({ mutant, killer, env, skip }) {
  test(`${mutant} is noticed by ${name(killer)}`, { skip }, async () => {
    const { code, out } = await run(killer, mutant, env);
    assert.notEqual(code, undefined, out);
    assert.notEqual(code, 0, `it passes on broken code:\n${out.slice(-2000)}`);
  });
}

const lists = [];
let gathering = false;

/** From now on lists are kept for declare(). */
export function gather() {
  gathering = true;
}

/** Declares a test for each mutant of the lists, and one for each killer
 *  without a mutant: what fails anyway kills nothing. */
export function declare() {
  const declared = lists.splice(0);
  describe('mutants', { concurrency: WIDTH, skip: unbuilt }, () => {
    for (const list of declared)
      for (const control of byFile(list.kills.map(({ killer }) => killer)))
        declareControl(control, list);
    for (const kill of declared.flatMap(({ kills }) => kills).sort(slowFirst))
      declareKill(kill);
  });
}

/** A list {mutant: killer}; where several tests must notice a fault, its entry
 *  is a list of killers.  env: for all of them; skip: why not. */
export function mutants(table, { env = {}, skip = false } = {}) {
  const kills = Object.entries(table).flatMap(([mutant, entry]) =>
    (typeof entry !== 'string' && Array.isArray(entry[0]) ? entry : [entry]).map((killer) => ({ mutant, killer, env, skip })));
  lists.push({ kills, env, skip });
  if (!gathering)
    declare();
}
