/* SPDX-License-Identifier: Apache-2.0 */
/* What a URL says of itself: one request without a payment, and its 402.
 *
 * Strangers choose the URL, so: only http and https, no redirect is followed,
 * the address is looked at as it is connected to (guard.h), and time and bytes
 * are bounded.  Blocks: the prober's thread alone. */
#ifndef X402D_BAZAAR_PROBE_H
#define X402D_BAZAAR_PROBE_H

#include "listing.h"

#define PROBE_MS 5000
#define PROBE_BYTES_MAX 65536 /* body; and again, all headers */

struct probe_result {
    bool reached;   /* some answer came */
    long status;    /* of HTTP */
    bool has_offer; /* a 402 that can be read as a listing */
    char why[160];  /* no offer: what was wrong */
    struct listing listing;
};

/** stop(arg), asked now and then: true breaks it off. */
void probe(struct probe_result *out, const char *url, const char *method,
           struct guard *guard, bool (*stop)(void *arg), void *arg);
/** POST a small JSON to a URL of the configuration; the status, 0: none. */
long probe_post(const char *url, const char *json);

#endif
