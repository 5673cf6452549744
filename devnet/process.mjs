// SPDX-License-Identifier: Apache-2.0
// One program that we started: its log file, its death, and nothing of it left
// behind.  Every program leads a process group of its own, so that what it
// forked (nginx's workers) goes with it, and the kernel asks it to end when we
// are killed ourselves.
import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export class Process {
  constructor({ name, command, args = [], log, env = {}, cwd }) {
    Object.assign(this, { name, command, args, log, env, cwd });
  }

  start() {
    const out = openSync(this.log, 'a');
    this.child = spawn('setpriv', ['--pdeathsig', 'TERM', '--', this.command, ...this.args], {
      detached: true, // a group of its own
      stdio: ['ignore', out, out],
      env: { ...process.env, ...this.env },
      cwd: this.cwd,
    });
    closeSync(out);
    this.pid = this.child.pid;
    this.running = true;
    this.exited = new Promise((resolve) => {
      this.child.once('error', (error) => this.#ended(resolve, error.message));
      this.child.once('exit', (code, signal) => this.#ended(resolve, signal ?? `exit code ${code}`));
    });
    return this;
  }

  #ended(resolve, how) {
    this.running = false;
    this.how = how;
    this.signalGroup('SIGKILL'); // what it forked and left
    resolve(how);
  }

  signalGroup(signal) {
    if (this.pid === undefined)
      return;
    try {
      process.kill(-this.pid, signal);
    } catch (error) {
      if (error.code !== 'ESRCH')
        throw error;
    }
  }

  /** Ask, wait, then insist. */
  async stop({ signal = 'SIGTERM', patience = 4000 } = {}) {
    if (!this.running)
      return;
    try {
      process.kill(this.pid, signal);
    } catch (error) {
      if (error.code !== 'ESRCH')
        throw error;
    }
    const late = setTimeout(() => this.signalGroup('SIGKILL'), patience);
    await this.exited;
    clearTimeout(late); // or whoever stopped it would live as long
  }

  /** The end of its log, for a message about a failure. */
  lastWords(lines = 15) {
    return readFileSync(this.log, 'utf8').trimEnd().split('\n').slice(-lines).join('\n');
  }
}

function canConnect(where) {
  return new Promise((resolve) => {
    const socket = connect(where);
    socket.once('connect', () => { socket.destroy(); resolve(true); });
    socket.once('error', () => { socket.destroy(); resolve(false); });
  });
}

/** Waits until the program listens; its death or the time limit is an error. */
export async function listening(proc, where, limit = 15000) {
  const end = Date.now() + limit;
  while (proc.running && Date.now() < end) {
    if (await canConnect(where))
      return;
    await sleep(25);
  }
  const what = proc.running ? `did not listen within ${limit / 1000} s` : `ended (${proc.how})`;
  throw new Error(`${proc.name} ${what}. Its log, ${proc.log}, ends with:\n${proc.lastWords()}`);
}
