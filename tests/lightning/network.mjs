// SPDX-License-Identifier: Apache-2.0
// The Lightning network of a test file, in a folder of its own.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { Lightning } from '../../devnet/lightning.mjs';
import { PROJECT } from '../../devnet/paths.mjs';
import { freshDir } from '../../devnet/stack.mjs';

const FIRST_PORT = 16200;
let network;

export async function startNetwork() {
  const dir = freshDir(join(PROJECT, 'tests', '.run'));
  network = await new Lightning({ dir, say: (text) => process.stderr.write(`# ${text}\n`) }).start(FIRST_PORT);
  process.stderr.write(`# payer ${network.payer.url}, seller ${network.seller.url}, files in ${dir}\n`);
  return network;
}

export async function stopNetwork() {
  await network?.stop();
  if (network && !process.env.X402_KEEP)
    rmSync(network.dir, { recursive: true, force: true });
}
