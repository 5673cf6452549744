/* SPDX-License-Identifier: Apache-2.0 */
/* Which of a server's offers we would pay, if any.  Pure: the server's words
 * play no part, only addresses and amounts of tokens from our own table, and
 * the order of the offers decides nothing but ties. */
#ifndef CLIENT_POLICY_H
#define CLIENT_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <x402/offer.h>

#include "url.h"

#define POLICY_NETWORKS_MAX 32

/* An authorization is never valid for longer, whatever the server asks. */
#define POLICY_LIFETIME_MAX_S 900

struct policy {
    struct x402_amount max; /* per payment, money.h's scale */
    const struct x402_network *networks[POLICY_NETWORKS_MAX]; /* allow-list */
    size_t networks_len;
    enum x402_wire wire; /* 0: any */
    bool upto; /* pay up to the price, what it costs the server says */
    bool pin_payee;
    struct x402_address payee;
    const char *resource_origin; /* also fine in resource.url; NULL: none */
};

enum policy_verdict {
    POLICY_PAY,
    POLICY_INSECURE,      /* plain http to another machine */
    POLICY_FOREIGN,       /* resource.url is on another origin */
    POLICY_NOTHING_KNOWN, /* no offer with a scheme and token that we know */
    POLICY_NOT_ALLOWED,   /* none on an allowed network and wire */
    POLICY_UPTO,          /* only offers of upto, which was not asked for */
    POLICY_OTHER_PAYEE,   /* none to the pinned payee */
    POLICY_TOO_DEAR,      /* *which is the cheapest one, above the cap */
};

/** Where and what is offered. */
struct policy_case {
    const struct url *url;     /* of the request that got the 402 */
    bool peer_loopback;        /* who answered */
    struct x402_span resource; /* the server's resource.url, {NULL,0}: none */
    const struct x402_choice *choices;
    size_t choices_len;
};

/** The cheapest allowed offer; the first of equals.
 *  Out: *which  index of the choice with POLICY_PAY and POLICY_TOO_DEAR. */
enum policy_verdict policy_choose(size_t *which, const struct policy *policy,
                                  const struct policy_case *the_case);
/** The part about where alone: POLICY_PAY, INSECURE or FOREIGN. */
enum policy_verdict policy_place(const struct policy *policy,
                                 const struct policy_case *the_case);
const char *policy_text(enum policy_verdict verdict);
/** How long an authorization for this offer is valid. */
uint64_t policy_lifetime_s(const struct x402_requirement *requirement);

#endif
