/* SPDX-License-Identifier: Apache-2.0 */
/* Somebody else's facilitator: asked whether a payment is good, and told to
 * settle it.
 *
 * An answer is yes, no, or unknown, and they are kept apart to the end.
 * Unknown is everything that is not plainly a yes or a no to our question: no
 * answer in time, another status than 200, a redirect, another content type,
 * cut off, oversized, compressed, not JSON, "true" in quotes.  After an unknown
 * settle the tokens may have moved or not. */
#ifndef X402D_FACILITATOR_H
#define X402D_FACILITATOR_H

#include <stdbool.h>
#include <stddef.h>

#include <x402/facilitator.h>

#include "../config.h"
#include "../core.h"

#define FACILITATOR_VERIFY_MAX 128 /* at once; more are unknown at once */
#define FACILITATOR_SETTLE_MAX 32
#define FACILITATOR_HEADER_MAX 2048

struct facilitator;

/** Ask /supported, and go on asking: every minute, and when it is down after 1,
 *  2, 4 ... 30 s.  Returns NULL with a message: the key file cannot be read. */
struct facilitator *facilitator_new(struct core *core,
                                    const struct config_network *network,
                                    char *error, size_t error_len);
/** Break off what is under way (callbacks are called: unknown), then call
 *  closed(arg); nothing is left then. */
void facilitator_close(struct facilitator *f, core_task closed, void *arg);

/** It answered lately, and settles "exact" on our network. */
bool facilitator_ready(const struct facilitator *f);
/** Can it be asked to settle payments of this method, as far as it says? */
bool facilitator_knows(const struct facilitator *f, enum x402_method method);
/** upto: does it say that this account is its own? */
bool facilitator_is_account(const struct facilitator *f,
                            const struct x402_address *address);

enum facilitator_word {
    FACILITATOR_YES,
    FACILITATOR_NO,
    FACILITATOR_UNKNOWN,
};
struct facilitator_answer {
    enum facilitator_word word;
    enum x402_err reason; /* NO: INTERNAL for a reason that we do not know */
    bool has_transaction; /* settle: always with YES */
    uint8_t transaction[32];
};
typedef void (*facilitator_cb)(void *arg,
                               const struct facilitator_answer *answer);

/** In: asked  its version is filled in; what it points to is not kept.
 *  cb is called once, later, never from inside this call. */
void facilitator_verify(struct facilitator *f,
                        const struct x402_facilitator_ask *asked,
                        facilitator_cb cb, void *arg);
void facilitator_settle(struct facilitator *f,
                        const struct x402_facilitator_ask *asked,
                        facilitator_cb cb, void *arg);
/** May another settle begin? */
bool facilitator_has_room(const struct facilitator *f);

/** The API key's header line from its file: 0600, printable, one line.
 *  Memory: out holds FACILITATOR_HEADER_MAX bytes; wipe it. */
bool facilitator_key_read(char *out, const char *file, char *error,
                          size_t error_len);

#endif
