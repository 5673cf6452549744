// SPDX-License-Identifier: Apache-2.0
// The ledger file from outside, for tests: python's sqlite3 is on every machine
// that has meson.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, rmSync } from 'node:fs';

const SCRIPT = `import sqlite3,sys
c=sqlite3.connect(sys.argv[1],isolation_level=None)
out=''
for sql in sys.argv[2:]:
  for row in c.execute(sql):
    out+='|'.join('' if v is None else v.hex() if isinstance(v,bytes) else str(v) for v in row)+'\\n'
c.close()
print(out,end='')`;

/** Run SQL; the rows as lists of texts, blobs in hex. */
export function sql(file, ...statements) {
  const text = execFileSync('python3', ['-c', SCRIPT, file, ...statements], { encoding: 'utf8' });
  return text.split('\n').filter(Boolean).map((line) => line.split('|'));
}

const HOLD = `import sqlite3,sys
c=sqlite3.connect(sys.argv[1],isolation_level=None)
c.execute('BEGIN IMMEDIATE')
print('held',flush=True)
sys.stdin.read()`;

/** Hold the ledger's write lock, as a full disk would: until release(). */
export async function holdLedger(file) {
  const holder = spawn('python3', ['-c', HOLD, file], { stdio: ['pipe', 'pipe', 'inherit'] });
  await once(holder.stdout, 'data');
  return { release: () => { holder.stdin.end(); return once(holder, 'close'); } };
}

/** What only a broken or tampered ledger could do. */
export function tamper(file, ...statements) {
  return sql(file, 'PRAGMA ignore_check_constraints = ON', 'DROP TRIGGER IF EXISTS payment_kept', ...statements);
}

/** The ledger as it stands, its log included.  Beside a running daemon as well. */
export function copyLedger(from, to) {
  for (const tail of ['', '-wal', '-shm'])
    rmSync(to + tail, { force: true });
  sql(from, `VACUUM INTO '${to}'`);
}

/** A backup made by copying files of a daemon that is stopped, put back. */
export function restoreLedger(from, to) {
  for (const tail of ['', '-wal', '-shm']) {
    rmSync(to + tail, { force: true });
    if (existsSync(from + tail))
      copyFileSync(from + tail, to + tail);
  }
}
