/* SPDX-License-Identifier: Apache-2.0 */
/* A Bazaar asked for resources.  Everything in its answer was written by
 * strangers: it is data, cleaned before it is shown. */
#ifndef CLIENT_DISCOVER_H
#define CLIENT_DISCOVER_H

#include <jansson.h>

#include "exchange.h"

#define DISCOVER_ANSWER_MAX (2 * 1024 * 1024)
#define DISCOVER_DEPTH_MAX 32

struct discover_options {
    struct url bazaar; /* its base URL */
    const char *query;
    const char *network;   /* CAIP-2; NULL: any */
    const char *max_price; /* "0.05" dollars; NULL: any */
    unsigned limit;
    const char *cacert;
    bool insecure, no_private;
};

#define DISCOVER_ERROR_MAX 256

/** GET /discovery/search.
 *  Out:     *code   of the process, and why in error, when NULL comes back
 *  Returns: the answer, an object with an array "resources"; json_decref. */
json_t *discover(const struct discover_options *options, const struct say *say,
                 int *code, char error[DISCOVER_ERROR_MAX]);

/** One resource for people, on stdout. */
void discover_print(const json_t *resource);

#endif
