/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration as a file of lines. */
#ifndef CLIENT_CONFIG_FILE_H
#define CLIENT_CONFIG_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include <x402/span.h>

#include "config.h"

enum config_line { CONFIG_LINE_EMPTY, CONFIG_LINE_PAIR, CONFIG_LINE_BAD };

/** false: errno says why (EFBIG when larger than CONFIG_FILE_MAX - 1, EPERM
 *  when others could have written it). */
__attribute__((warn_unused_result)) bool
config_read_file(char text[CONFIG_FILE_MAX], size_t *len, const char *path);
/** Cut the first line off. */
struct x402_span config_next_line(struct x402_span *text);
/** "key = value", "# comment" or nothing. */
enum config_line config_split_line(struct x402_span *key,
                                   struct x402_span *value,
                                   struct x402_span line);
struct x402_span config_trim(struct x402_span text);

#endif
