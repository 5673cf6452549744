/* SPDX-License-Identifier: Apache-2.0 */
/* One payment in the journal: a line with everything that was signed and for
 * what, then a line per change of its state.  Lines are only ever appended, so
 * a crash can tear nothing but the last one, and a torn line is ignored. */
#ifndef CLIENT_RECORD_H
#define CLIENT_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include <x402/buf.h>
#include <x402/payment.h>

#include "url.h"

#define RECORD_TEXT_MAX (64 * 1024)
#define RECORD_METHOD_MAX 32
#define RECORD_BOOT_MAX 40
#define RECORD_WHEN_MAX 32

/* Written into files by name (record.c): append only. */
enum record_state {
    RECORD_SIGNED,   /* it may have been sent */
    RECORD_ACCEPTED, /* the server answered below 400; body not complete */
    RECORD_DONE,     /* and the body came completely */
    RECORD_REFUSED,  /* the server says that it did not take it */
    RECORD_UNKNOWN,  /* sent, and nobody can say what became of it */
    RECORD_VOID,     /* proof from the chain: expired and never used */
    RECORD_FAILED,   /* the server reported an error of its own; by the
                        protocol not charged: the same bytes may be sent */
};

/** The moment of signing, on the wall and since boot: a wall clock that is set
 *  forward must not make spent money forgotten. */
struct record_time {
    uint64_t wall_s;
    uint64_t boot_s;
    char boot_id[RECORD_BOOT_MAX];
};

struct record {
    struct record_time created;
    char method[RECORD_METHOD_MAX];
    char url[X402_URL_MAX];
    char origin[URL_ORIGIN_MAX];
    uint8_t body32[32]; /* SHA-256 of the request's body */
    enum x402_wire wire;
    uint64_t chain_id;
    struct x402_address asset;
    struct x402_authorization auth;
    char header[X402_PAYMENT_HEADER_MAX + 1]; /* the value as sent */
    enum record_state state;
    long status; /* last HTTP status, 0: none */
};

/** The name of the header that carries a payment of this wire. */
const char *record_header_name(enum x402_wire wire);
/** As --wire takes it. */
const char *record_wire_name(enum x402_wire wire);
const char *record_state_name(enum record_state state);
/** false: no such name; out is unchanged then. */
bool record_state_by_name(enum record_state *out, struct x402_span name);
/** Was it sent, or may it have been, without an end that we know? */
bool record_is_unresolved(enum record_state state);

/** The first line, with its line end. */
void record_encode(struct x402_buf *out, const struct record *record);
/** A state line, with its line end. */
void record_encode_state(struct x402_buf *out, enum record_state state,
                         long status, uint64_t now_s);
/** Read a whole file.
 *  Returns: X402_ERR_SYNTAX: the first line is torn or not ours. */
X402_MUST_CHECK enum x402_err record_decode(struct record *out,
                                            struct x402_span text);

struct record_time record_now(void);
/** A moment for people, in UTC. */
void record_when(char out[RECORD_WHEN_MAX], uint64_t wall_s);
/** Seconds since then; what the wall clock says counts only when the boot clock
 *  cannot say.  Never negative. */
uint64_t record_age_s(const struct record_time *created,
                      const struct record_time *now);

#endif
