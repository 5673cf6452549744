/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of `x402 get`. */
#ifndef CLIENT_GET_OPTIONS_H
#define CLIENT_GET_OPTIONS_H

#include "config.h"
#include "fetch.h"

#define GET_BODY_MAX (64 * 1024 * 1024)

struct get_options {
    struct fetch_options fetch;
    struct say say;
    const char *output; /* -o */
    bool include;       /* -i */
    bool json;
    bool help;
    /* what fetch borrows from */
    struct blob body;
    char method[RECORD_METHOD_MAX];
    const char *headers[FETCH_HEADERS_MAX];
};

/** Read the arguments over the configuration.  Says what is wrong on stderr.
 *  Returns: CLIENT_EXIT_OK USAGE URL READ */
enum client_exit get_options_read(struct get_options *out,
                                  const struct config *config, int argc,
                                  char **argv);
void get_options_free(struct get_options *options);

/** Add what -d or --data-binary gave ("@file", "@-" or the text itself).
 *  false: said why. */
__attribute__((warn_unused_result)) bool
get_body_add(struct blob *body, const char *argument, bool binary);

extern const char get_help[];

#endif
