/* SPDX-License-Identifier: Apache-2.0 */
/* What a run has come to, for people and for scripts.  Names, amounts and
 * addresses come from our own table and from what we signed. */
#ifndef CLIENT_SHOW_H
#define CLIENT_SHOW_H

#include "get_options.h"

/** --dry-run: the offer that would be paid, on standard output. */
void show_offer(const struct fetch_result *result,
                const struct get_options *options, const struct config *config);
/** The same on the other rail. */
void show_lightning(const struct fetch_result *result,
                    const struct get_options *options);
/** Lines on standard error: the error, and with -v the receipt. */
void show_end(const struct fetch_result *result,
              const struct get_options *options);
/** --json: one object on standard output; false: it cannot be written. */
__attribute__((warn_unused_result)) bool
show_json(const struct fetch_result *result, const struct output *output);

#endif
