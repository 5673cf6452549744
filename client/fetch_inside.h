/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of fetch: one struct, worked on by fetch.c (the loop),
 * fetch_pay.c (a 402 arrives), fetch_outcome.c (a paid answer arrives),
 * fetch_retry.c and fetch_redirect.c. */
#ifndef CLIENT_FETCH_INSIDE_H
#define CLIENT_FETCH_INSIDE_H

#include "exchange.h"
#include "fetch.h"
#include "retry.h"

struct fetch {
    const struct fetch_options *options;
    const struct say *say;
    struct output *output;
    struct fetch_result *result;
    struct exchange *exchange;
    const struct exchange_answer *answer; /* of the last request */

    /* the request as it stands after redirects */
    struct url url;
    const char *method;
    struct x402_span body;
    bool has_body;
    uint8_t body32[32];
    bool trusted; /* still the origin that the user's headers are for */
    unsigned redirects;

    /* the payment, at most one per run */
    struct journal journal;
    bool carries;    /* the current request carries it */
    bool streaming;  /* the answer's body goes to the output */
    bool will_retry; /* decided when the header came */
    uint64_t wait_ms;
    struct retry retry;
    enum pay_earlier earlier;
    uint64_t deadline_ms; /* monotonic; 0: none */
    struct {
        struct lnd *lnd; /* NULL: no hold invoice is being paid */
        uint64_t wait_ms;
        bool lnd_said; /* what became of the payment */
    } held;
};

/** What to do after an answer. */
enum fetch_next { FETCH_NEXT_SEND, FETCH_NEXT_END };

/** Write down why and with what code the run ends. */
__attribute__((format(printf, 3, 4))) enum fetch_next
fetch_end(struct fetch *fetch, int code, const char *format, ...);
/** Milliseconds of --max-time that are left; UINT64_MAX: no limit. */
uint64_t fetch_left_ms(const struct fetch *fetch);

/* fetch_pay.c */
struct x402_challenge;
enum fetch_next fetch_402(struct fetch *fetch);
/** The 402 of the last answer in all wires; NULL: nothing that reads. */
struct x402_challenge *fetch_read_challenge(const struct fetch *fetch);

/* fetch_retry.c */
/** May the request be sent once more after this answer?  Uses one try up and
 *  sets fetch->wait_ms when it is true. */
__attribute__((warn_unused_result)) bool
fetch_may_retry(struct fetch *fetch, const struct exchange_answer *answer);
/** Does the answer say when to ask again? */
bool fetch_retry_after(uint64_t *seconds, const struct exchange_answer *answer);
/** Wait as decided, and send the same bytes. */
enum fetch_next fetch_send_again(struct fetch *fetch, const char *why);

/* fetch_outcome.c */
enum exchange_sink fetch_paid_head(struct fetch *fetch,
                                   const struct exchange_answer *answer);
enum fetch_next fetch_paid_answer(struct fetch *fetch);
/** What the server says about the payment or its price, clean; "": nothing. */
void fetch_server_words(char out[FETCH_REASON_MAX], const struct fetch *fetch);

/* fetch_redirect.c */
bool fetch_is_redirect(const struct fetch *fetch,
                       const struct exchange_answer *answer);
enum fetch_next fetch_redirect(struct fetch *fetch);

/* fetch_lightning.c: the same for --rail lightning */
enum fetch_next fetch_402_lightning(struct fetch *fetch);

/* fetch_held.c */
/** The seller's node does not hold the payment yet.  false: that is not what
 *  the answer says. */
bool fetch_held_waits(enum fetch_next *next, struct fetch *fetch);
/** At the end of a run: did the seller take the payment or give it back? */
void fetch_held_end(struct fetch *fetch);

/* fetch_headers.c */
/** Does the current request carry this header of the user's? */
bool fetch_sends_header(const struct fetch *fetch, const char *header);
struct curl_slist;
/** The request's header list; false: no memory. */
__attribute__((warn_unused_result)) bool
fetch_headers(struct curl_slist **out, const struct fetch *fetch);

#endif
