/* SPDX-License-Identifier: Apache-2.0 */
/* The Bazaar: a catalogue of what can be bought.
 *
 * Two threads.  The catalogue's own reads and writes its file, answers
 * questions, and looks every second which payments of the ledger were settled;
 * the prober's asks URLs for their 402.  Nothing of a payment ever waits for
 * either: what comes goes into bounded queues, and what does not fit is not
 * listed. */
#ifndef X402D_BAZAAR_H
#define X402D_BAZAAR_H

#include <x402/facilitator.h>

#include "../config.h"
#include "store.h"

struct bazaar;

/** config->bazaar.file is set.  NULL with a message. */
struct bazaar *bazaar_open(const struct config *config, char *error,
                           size_t error_len);
/** Questions that still wait are dropped: their callback gets NULL.  Before
 * what the callbacks refer to is freed. */
void bazaar_close(struct bazaar *bazaar);

/* -- questions.  Threads: any; the callback comes on one of the Bazaar's -- */

/** json: the answer, free it; NULL: too busy, or closing. */
typedef void (*bazaar_cb)(void *arg, unsigned status, char *json, size_t len);
void bazaar_ask(struct bazaar *bazaar, const struct store_question *question,
                bazaar_cb cb, void *arg);
/** What a listed URL asks for now: its 402 is fetched, or what was fetched in
 * the last seconds is said again. */
void bazaar_live(struct bazaar *bazaar, const char *url, const char *method,
                 bazaar_cb cb, void *arg);

/* -- sellers -- */

struct bazaar_claim {
    char url[X402_URL_MAX];
    char method[8];
    struct x402_address payee; /* who signed */
};
/** Read POST /register's body and recover its signer.  false: why says what is
 * wrong with it.  Threads: any. */
bool bazaar_claim_read(struct bazaar_claim *out, char *why, size_t why_len,
                       struct x402_span body, uint64_t now_s);
/** What a seller signs, EIP-191: text, NUL-terminated. */
#define BAZAAR_CLAIM_MAX (X402_URL_MAX + 256)
void bazaar_claim_text(char out[BAZAAR_CLAIM_MAX], const char *url,
                       const char *pay_to, uint64_t expires_s);
void bazaar_claim_digest(uint8_t out[32], const char *text);
/** The URL must answer 402 with this payee; then it is listed. */
void bazaar_register(struct bazaar *bazaar, const struct bazaar_claim *claim,
                     bazaar_cb cb, void *arg);

/* -- payments -- */

/** A settled payment that carried the extension. */
struct bazaar_offer;
/** Of a VerifyRequest or SettleRequest.  NULL: it carries none (*why is ""), or
 * one that cannot be listed (*why says so).  Threads: any. */
struct bazaar_offer *bazaar_offer_read(struct bazaar *bazaar, char *why,
                                       size_t why_len, struct x402_span body,
                                       const struct x402_payment *payment);
void bazaar_offer_free(struct bazaar_offer *offer);
/** Takes the offer.  false: too much waits already. */
bool bazaar_settled(struct bazaar *bazaar, struct bazaar_offer *offer);

#endif
