// SPDX-License-Identifier: Apache-2.0
// Where things are: the project, its build folder, the cache outside it.
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const PROJECT = dirname(dirname(fileURLToPath(import.meta.url)));
export const DEVNET = join(PROJECT, 'devnet');

/** Programs come from build/ unless a test run names another build folder. */
export const BUILD = process.env.X402_BUILD_DIR
  ? join(PROJECT, process.env.X402_BUILD_DIR)
  : join(PROJECT, 'build');

export const CACHE = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'x402');

export const PROGRAMS = {
  x402d: join(BUILD, 'daemon', 'x402d'),
  x402: join(BUILD, 'client', 'x402'),
  module: join(BUILD, 'gateway', 'ngx_http_x402_module.so'),
};
