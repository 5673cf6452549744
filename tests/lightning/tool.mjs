// SPDX-License-Identifier: Apache-2.0
// The library's Lightning side, asked on its command line.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { BUILD } from '../../devnet/paths.mjs';

export const tool = (...args) =>
  execFileSync(join(BUILD, 'tests', 'lightning', 'lightning_tool'), args.map(String), { encoding: 'utf8' }).trim();

export const decode = (invoice) => JSON.parse(tool('bolt11', invoice));
