/* SPDX-License-Identifier: Apache-2.0 */
/* A 402 as a client reads it: the inside of struct x402_challenge, and the
 * readers that fill it, one per wire.
 *
 * The sender is not trusted.  Every list and text is bounded, what we cannot
 * pay is skipped and counted, numbers come from fixed members only, never from
 * prose, and the token's name, decimals and domain come from our table. */
#ifndef X402_WIRE_CHALLENGE_H
#define X402_WIRE_CHALLENGE_H

#include <x402/offer.h>

#include "wire.h"

#define CHALLENGE_TEXT_MAX 65536 /* header or body, as received */
#define CHALLENGE_DEPTH X402_JSON_DEPTH_MAX
/* Header, body and headers of seed 001. */
#define CHALLENGE_CHOICES_MAX (2 * X402_ACCEPTS_MAX + 1)

struct x402_challenge {
    json_t *header; /* version 2's object */
    json_t *body;
    struct x402_choice choice[CHALLENGE_CHOICES_MAX];
    char *accepted[CHALLENGE_CHOICES_MAX]; /* owned; NULL but for version 2 */
    size_t choices;
    size_t skipped;
    struct x402_span resource;
    struct x402_span error;
    char *resource_json; /* owned; what version 2 echoes, or NULL */
    char *extensions_json;
};

/** Compact JSON of a value in memory of its own; NULL when there is none. */
char *challenge_dump(const json_t *value);
/** Take a choice, or count it as skipped when the list is full. */
void challenge_add(struct x402_challenge *challenge,
                   const struct x402_choice *choice, char *accepted);

/** PAYMENT-REQUIRED. */
void challenge_read_header(struct x402_challenge *challenge,
                           struct x402_span header);
/** The body: seed 000, version 1, or version 2 without its header. */
void challenge_read_body(struct x402_challenge *challenge,
                         struct x402_span body);
void challenge_read_seed001(struct x402_challenge *challenge,
                            const struct x402_challenge_input *in);

/** One member of `accepts` in the given wire.  Anything but X402_OK: skip it.
 */
X402_MUST_CHECK enum x402_err challenge_entry_read(struct x402_choice *out,
                                                   enum x402_wire wire,
                                                   const json_t *entry);

#endif
