// SPDX-License-Identifier: Apache-2.0
// Every deliberate fault, out of all lists: ./check mutants.  One list by
// itself: node --test tests/chain/mutants.test.mjs.
import { existsSync, readdirSync } from 'node:fs';
import { declare, gather } from './harness/mutants.mjs';

gather();
for (const folder of readdirSync(import.meta.dirname)) {
  const list = `${import.meta.dirname}/${folder}/mutants.test.mjs`;
  if (existsSync(list))
    await import(list);
}
declare();
