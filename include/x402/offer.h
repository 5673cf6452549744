/* SPDX-License-Identifier: Apache-2.0 */
/* What a 402 says: one offer, written in all wires at once. */
#ifndef X402_OFFER_H
#define X402_OFFER_H

#include <stdbool.h>
#include <stddef.h>

#include <x402/buf.h>
#include <x402/payment.h>

#define X402_ACCEPTS_MAX 20

struct x402_offer {
    struct x402_span resource_url; /* absolute */
    struct x402_span method; /* of the request; seed 000's resource.method */
    struct x402_span description;
    struct x402_span
        mime_type; /* {NULL,0}: application/json in v1, left out in v2 */
    struct x402_span facilitator_url; /* {NULL,0}: left out */
    struct x402_span error; /* human text or a reason; "Payment required to
                               access this resource" */
    struct x402_span extensions_json; /* v2's `extensions`, a JSON object;
                                         {NULL,0}: left out */
    const struct x402_requirement
        *accepts; /* 1..X402_ACCEPTS_MAX, first one preferred */
    size_t accepts_len;
    struct x402_span lightning_json; /* a finished entry of `accepts`, after
                                        the others, in v2; {NULL,0}: none */
};

/** JSON of the v2 PaymentRequired object (not yet base64). */
void x402_offer_v2(struct x402_buf *out, const struct x402_offer *offer);
/** Value of the PAYMENT-REQUIRED header: base64 of the above.  scratch as large
 * as out. */
void x402_offer_v2_header(struct x402_buf *out, struct x402_buf *scratch,
                          const struct x402_offer *offer);
/** 402 body of seed 000: x402Version 2, maxAmountRequired, facilitatorUrl,
 *  resource{url,method} per entry, plus amount and a top-level resource, so
 * that it is also a valid v2 object. */
void x402_offer_body_seed000(struct x402_buf *out,
                             const struct x402_offer *offer);
/** 402 body of x402 version 1.  Only entries that the 1.2 packages can read are
 * written (known v1 names, legacy asset spelling, no nulls); if none is left,
 * accepts is empty. */
void x402_offer_body_v1(struct x402_buf *out, const struct x402_offer *offer);

/** The four headers of seed 001, from the first accept that is paid by
 * EIP-3009. */
struct x402_offer_headers {
    char required[X402_AMOUNT_TEXT_MAX +
                  32]; /* "0.0030": decimal, at least 4 fraction digits */
    char currency[16]; /* "USDC" */
    char chain[32];    /* "base", or CAIP-2 where the seed has no name */
    char pay_to[X402_ADDRESS_TEXT_LEN + 1];
};
/** false: there is none, and nothing was written. */
X402_MUST_CHECK bool x402_offer_headers(struct x402_offer_headers *out,
                                        const struct x402_offer *offer);

/* -- the client's side -- */

/** One way to pay that a server offers. */
struct x402_choice {
    enum x402_wire wire;
    struct x402_requirement requirement; /* from OUR asset table; the server's
                                            text is not trusted */
    struct x402_span accepted_json;      /* as received (v2) */
};

/** A parsed 402: opaque, owns its text. */
struct x402_challenge;

/** What came with the 402; absent ones {NULL,0}. */
struct x402_challenge_input {
    struct x402_span payment_required; /* header PAYMENT-REQUIRED */
    struct x402_span body;             /* at most 64 KiB */
    struct x402_span seed001_required; /* X-Payment-Required */
    struct x402_span seed001_currency;
    struct x402_span seed001_chain;
    struct x402_span seed001_pay_to;
};
/** Read a 402 in every wire it may speak, v2 first, then the body (seed 000 or
 * v1), then seed 001's headers.  Entries of unknown scheme, network or asset
 * are skipped and counted. Returns: X402_ERR_SYNTAX when nothing in it can be
 * read as an offer. Memory:  allocates; x402_challenge_free. */
X402_MUST_CHECK enum x402_err
x402_challenge_read(struct x402_challenge **out,
                    const struct x402_challenge_input *in);
void x402_challenge_free(struct x402_challenge *challenge);
size_t x402_challenge_choices(const struct x402_challenge *challenge,
                              const struct x402_choice **out);
size_t x402_challenge_skipped(const struct x402_challenge *challenge);
/** resource.url as the server states it ({NULL,0}: none), for comparing origins
 * only. */
struct x402_span
x402_challenge_resource(const struct x402_challenge *challenge);
struct x402_span x402_challenge_error(const struct x402_challenge *challenge);
/** The members that a v2 payment echoes. */
struct x402_payment_echo
x402_challenge_echo(const struct x402_challenge *challenge,
                    const struct x402_choice *choice);

#endif
