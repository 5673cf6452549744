/* SPDX-License-Identifier: Apache-2.0 */
/* Our own Lightning node: LND over its REST interface.  Its certificate is the
 * only trust anchor, its macaroon comes from a file that is ours alone. */
#ifndef CLIENT_LND_H
#define CLIENT_LND_H

#include <stdbool.h>

#include <x402/bolt11.h>

#include "paths.h"
#include "terminal.h"

#define LND_URL_MAX 512
/* How long one question waits for a payment's end.  It goes on without us. */
#define LND_PATIENCE_S 60
/* Blocks that a payment's funds may be locked for: about a week.  A hold
 * invoice can keep them that long. */
#define LND_CLTV_MAX 1008

struct lnd_config {
    char url[LND_URL_MAX]; /* https://host:8080; "": none */
    char cert[PATHS_MAX];  /* tls.cert */
    char macaroon[PATHS_MAX];
    enum x402_ln_network network;
};

struct lnd;

/** Read the files.  NULL: said why.  Memory: lnd_close. */
struct lnd *lnd_open(const struct lnd_config *config);
void lnd_close(struct lnd *lnd);

enum lnd_state {
    LND_PAID,      /* and here is the preimage */
    LND_FAILED,    /* for good: nothing is on its way */
    LND_IN_FLIGHT, /* LND works on it */
    LND_NEVER,     /* LND does not know it (yet) */
    LND_REFUSED, /* LND was asked to pay, said why not, and does not know it */
    LND_UNSENT,  /* LND was not reached: our request did not leave */
    LND_UNKNOWN, /* no answer that says anything */
};

struct lnd_payment {
    enum lnd_state state;
    uint8_t preimage[32]; /* its hash has been checked */
    uint64_t fee_msat;
    char reason[200]; /* clean */
    bool answered;    /* whole, whatever it said */
};

/** Pay.  One hash is paid at most once, however often this is called: LND
 *  answers for the payment that it knows.  The amount is the invoice's; the
 *  fee comes on top, at most max_fee. */
void lnd_pay(struct lnd_payment *out, struct lnd *lnd, const char *invoice,
             const uint8_t payment_hash[32], struct x402_msat max_fee);
/** The same for a hold invoice, whose end is the seller's to make: comes back
 *  when the payment is on its way, with LND_IN_FLIGHT. */
void lnd_start(struct lnd_payment *out, struct lnd *lnd, const char *invoice,
               const uint8_t payment_hash[32], struct x402_msat max_fee);
/** How a payment stands now. */
void lnd_look(struct lnd_payment *out, struct lnd *lnd,
              const uint8_t payment_hash[32]);
/** What became of a payment: waits for its end as long as LND_PATIENCE_S. */
void lnd_track(struct lnd_payment *out, struct lnd *lnd,
               const uint8_t payment_hash[32]);

/** The node's key in hex, its name and whether it follows the chain, as one
 *  clean line.  false: said why. */
__attribute__((warn_unused_result)) bool lnd_describe(char out[256],
                                                      struct lnd *lnd);

#endif
