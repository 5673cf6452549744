/* SPDX-License-Identifier: Apache-2.0 */
/* What LND's REST answers say.  Pure.  A member that is missing or of another
 * type makes the whole answer unknown, which is never read as yes or no.
 *
 * LND: snake_case keys; int64 and uint64 as strings of digits; bytes as
 * standard base64; enums as names. */
#ifndef X402D_LND_READ_H
#define X402D_LND_READ_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include <x402/bolt11.h>

/** /v1/invoice: "state".  Only SETTLED is money. */
enum lnd_state {
    LND_UNKNOWN = 0, /* none of these, or no answer that can be used */
    LND_OPEN,
    LND_SETTLED,
    LND_CANCELED,
    LND_ACCEPTED, /* held, and can still be given back */
};

struct lnd_invoice {
    enum lnd_state state;
    uint8_t payment_hash[32];
    struct x402_msat paid;
    uint64_t add_index, settle_index;
    uint64_t held_until; /* ACCEPTED: the first block at which a part of it goes
                            back to the payer; 0: not known */
};
/** The object of GET /v1/invoice/<hash>, and of an event.
 *  Returns: false: unknown, *out with state LND_UNKNOWN */
bool lnd_read_invoice(struct lnd_invoice *out, const json_t *object);

/** POST /v1/invoices. */
struct lnd_added {
    uint8_t payment_hash[32];
    struct x402_span bolt11; /* borrowed */
};
bool lnd_read_added(struct lnd_added *out, const json_t *object);
/** POST /v2/invoices/hodl, whose payment hash is ours. */
bool lnd_read_held(struct x402_span *bolt11, const json_t *object);

/** GET /v1/getinfo. */
struct lnd_info {
    uint8_t node[X402_NODE_LEN];
    bool synced;
    uint64_t height; /* of the chain; 0: not known */
    enum x402_ln_network network;
};
bool lnd_read_info(struct lnd_info *out, const json_t *object);

/** GET /v1/state: does it serve calls? */
bool lnd_read_active(const json_t *object);

#endif
