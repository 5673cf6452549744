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
    int fd;       /* -1: not open */
    bool created; /* by us, for this run */
    bool begun;   /* something was written */
    bool failed;
};

void output_begin(struct output *output, const char *path, bool include_headers,
                  bool capture);
/** Open the file, so that a wrong path is found before anything is paid for.
 *  What is in it stays until something is written. */
__attribute__((warn_unused_result)) bool output_open(struct output *output);
/** The header block, once, before the body. */
__attribute__((warn_unused_result)) bool output_head(struct output *output,
                                                     const struct heads *heads);
__attribute__((warn_unused_result)) bool
output_body(struct output *output, const char *bytes, size_t len);
/** Close; a file that we made and wrote nothing to goes away.
 *  false: something could not be written. */
__attribute__((warn_unused_result)) bool output_end(struct output *output);

#endif
