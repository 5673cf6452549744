/* SPDX-License-Identifier: Apache-2.0 */
/* Where our files are, by the XDG Base Directory rules. */
#ifndef CLIENT_PATHS_H
#define CLIENT_PATHS_H

#include <stdbool.h>
#include <stddef.h>

#define PATHS_MAX 4096

/** "${XDG_CONFIG_HOME:-~/.config}/x402/config",
 *  "${XDG_DATA_HOME:-~/.local/share}/x402/wallet.json",
 *  "${XDG_STATE_HOME:-~/.local/state}/x402".
 *  false: HOME is not set, or the path is too long. */
__attribute__((warn_unused_result)) bool paths_config(char out[PATHS_MAX]);
__attribute__((warn_unused_result)) bool paths_wallet(char out[PATHS_MAX]);
__attribute__((warn_unused_result)) bool paths_state(char out[PATHS_MAX]);

/** Make a folder and its parents, mode 0700; false: errno. */
__attribute__((warn_unused_result)) bool paths_make_folder(const char *path);
/** The same for the folder that a file is in. */
__attribute__((warn_unused_result)) bool paths_make_parent(const char *path);

#endif
