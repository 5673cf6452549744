// SPDX-License-Identifier: Apache-2.0
// Where the test programs were built.
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const PROJECT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const BUILD = join(PROJECT, process.env.X402_BUILD_DIR || 'build');

export const program = (name) => join(BUILD, 'tests', 'chain', name);
