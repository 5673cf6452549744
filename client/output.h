/* SPDX-License-Identifier: Apache-2.0 */
/* Where the answer goes: standard output, a file, or memory (--json). */
#ifndef CLIENT_OUTPUT_H
#define CLIENT_OUTPUT_H

#include <stdbool.h>

#include "blob.h"
#include "heads.h"

/* --json without -o carries the body inside; larger ones need -o. */
#define OUTPUT_CAPTURE_MAX (1024 * 1024)

struct output {
    const char *path;     /* -o; NULL: standard output */
    bool include_headers; /* -i */
    bool capture;         /* into memory */
    struct blob captured;
    bool capture_cut;
    int fd; /* -1: nothing written yet */
    bool failed;
};

void output_begin(struct output *output, const char *path, bool include_headers,
                  bool capture);
/** The header block, once, before the body; opens the file. */
__attribute__((warn_unused_result)) bool output_head(struct output *output,
                                                     const struct heads *heads);
__attribute__((warn_unused_result)) bool
output_body(struct output *output, const char *bytes, size_t len);
/** false: something could not be written. */
__attribute__((warn_unused_result)) bool output_end(struct output *output);

#endif
