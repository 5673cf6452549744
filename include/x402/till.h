/* SPDX-License-Identifier: Apache-2.0 */
/* The till: how a gateway worker talks to the daemon.
 *
 * A Unix stream socket, one connection per nginx worker, many requests in
 * flight. Both sides send frames:
 *
 *     u32 length   of everything after this field; 12 .. X402_TILL_FRAME_MAX -
 * 4 u8  version  X402_TILL_VERSION u8  type     enum x402_till_type u16 zero
 *     u64 id       chosen by the worker, echoed in the answer; 0 where there is
 * none
 *     ...          body, fixed by the type
 *
 * Integers are big-endian, byte strings are u16 length + bytes, amounts 32
 * bytes big-endian.  Anything that does not read exactly (unknown type, spare
 * bytes, an answer without a question, a length out of bounds) closes the
 * connection, and whatever waited on it fails closed.
 *
 * A worker's conversation:
 *
 *     HELLO (worker id) -> HOLD (up to 512 reservation ids) ... -> READY
 *     then RESERVE, PROOF -> RESERVED; ISSUE -> ISSUED; CAPTURE, RELEASE,
 *     STARTED, DONE -> ACK; PING -> PONG
 *
 * HOLD lists every reservation whose run has not ended in this worker; after
 * READY the daemon releases the worker's other reservations.  A worker that is
 * gone has 30 s to come back with the same worker id.  CAPTURE, RELEASE,
 * STARTED and DONE name the reservation and are idempotent: the worker sends
 * them again on a new connection until they are answered.  A DONE that says
 * COMPLETE stands for its STARTED too.
 *
 * Lightning: ISSUE asks for one invoice for one 402, and ISSUED brings it with
 * the finished challenges of all dialects, or says for how long it is of no
 * use to ask again.  PROOF is the RESERVE of a payment by Lightning; its
 * reservation is captured, released and done like any other. */
#ifndef X402_TILL_H
#define X402_TILL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <x402/bolt11.h>
#include <x402/eip3009.h>
#include <x402/error.h>
#include <x402/payment.h>

#define X402_TILL_VERSION 3
#define X402_TILL_FRAME_MAX 16384
#define X402_TILL_INFLIGHT_MAX                                                 \
    1024 /* questions without an answer per connection */
#define X402_TILL_HEARTBEAT_S 5
#define X402_TILL_LEASE_S 30
#define X402_TILL_ANSWER_S                                                     \
    45 /* a question without an answer: the worker closes the connection */
#define X402_TILL_HOLD_MAX 512
#define X402_TILL_STATUS_MAX 999

enum x402_till_type {
    X402_TILL_HELLO = 1,
    X402_TILL_HOLD = 2,
    X402_TILL_READY = 3,
    X402_TILL_RESERVE = 4,
    X402_TILL_RESERVED = 5,
    X402_TILL_CAPTURE = 6,
    X402_TILL_RELEASE = 7,
    X402_TILL_STARTED = 8,
    X402_TILL_DONE = 9,
    X402_TILL_ACK = 10,
    X402_TILL_PING = 11,
    X402_TILL_PONG = 12,
    X402_TILL_ISSUE = 13,
    X402_TILL_ISSUED = 14,
    X402_TILL_PROOF = 15,
};

struct x402_rid { /* reservation id: 128 bits, chosen by the daemon */
    uint8_t byte[16];
};

struct x402_till_hello {
    uint8_t worker[16]; /* random per worker process */
};

struct x402_till_hold {
    size_t len; /* 0 .. X402_TILL_HOLD_MAX */
    struct x402_rid rid[X402_TILL_HOLD_MAX];
};

enum x402_till_flag {
    X402_TILL_SETTLE_FIRST = 1, /* the location says x402_settle before */
    X402_TILL_LOOK_UP =
        2, /* valid in all but time: only a redeemable row may answer */
    X402_TILL_SMART_WALLET = 4, /* signature not an EOA's; the chain decides */
};

struct x402_till_reserve {
    uint32_t flags;
    enum x402_wire wire;
    enum x402_method method;
    uint64_t chain_id;
    struct x402_address asset;
    struct x402_address facilitator; /* upto */
    struct x402_authorization auth;
    struct x402_sponsor sponsor;
    uint8_t fingerprint[32];
    uint8_t signature[X402_SIGNATURE_MAX];
    size_t signature_len;
    char resource[X402_URL_MAX]; /* configured origin and path, for people and
                                    the ledger */
};

struct x402_till_reserved {
    enum x402_err
        err; /* X402_OK: go on; X402_ERR_PENDING may carry a transaction */
    struct x402_rid rid; /* zero unless X402_OK */
    bool redeemed;       /* runs without a new charge */
    bool settled;        /* settle-first: the transfer is mined */
    bool has_transaction;
    uint8_t transaction[32];      /* Lightning: the payment hash */
    enum x402_ln_network network; /* 0: not by Lightning, as is the amount */
    struct x402_msat amount;
};

struct x402_till_capture {
    struct x402_rid rid;
    bool has_charge; /* upto: take this much, which may be 0 */
    struct x402_amount charge;
};

struct x402_till_release {
    struct x402_rid rid;
    uint16_t status; /* of the answer that is not charged for; 0: there was
                        none */
};

/* DONE says how a run went. */
enum x402_till_end {
    X402_TILL_END_COMPLETE = 1, /* every byte was sent */
    X402_TILL_END_CLIENT = 2,   /* the client left or stopped reading */
    X402_TILL_END_SERVER = 3,   /* the upstream or we broke off */
};

struct x402_till_done {
    struct x402_rid rid;
    enum x402_till_end end;
};

struct x402_till_ack {
    enum x402_err err; /* CAPTURE: X402_ERR_EXPIRED = refused, released;
                          X402_ERR_UNKNOWN_RESERVATION */
};

/** How a price is written. */
enum x402_till_unit {
    X402_TILL_MILLISAT = 1,
    X402_TILL_TOKEN = 2, /* atomic units of a dollar token, to be converted */
};

/** The ways in which one invoice is offered; bits. */
enum x402_till_dialect {
    X402_TILL_LNBTC = 1,
    X402_TILL_L402 = 2,
    X402_TILL_MPP = 4,
    X402_TILL_HELD = 8, /* alone: a hold invoice, shown without a preimage */
};

/** For whom it is of no use to ask again yet. */
enum x402_till_scope {
    X402_TILL_SCOPE_PEER = 0,   /* who asked */
    X402_TILL_SCOPE_TOKENS = 1, /* everybody, for prices to be converted */
    X402_TILL_SCOPE_ALL = 2,
};

#define X402_TILL_REALM_MAX 256 /* with its NUL */
#define X402_TILL_LINE_MAX 4096 /* a header's value, with its NUL */
#define X402_TILL_BOLT11_MAX 2048
#define X402_TILL_TOKEN_MAX 4096 /* what a credential carries */

struct x402_till_issue {
    uint8_t peer[16]; /* who asks: IPv6, IPv4-mapped; zeros: unknown */
    uint8_t dialects; /* of enum x402_till_dialect, at least one */
    enum x402_till_unit unit;
    struct x402_amount price;
    uint8_t decimals;  /* of the token; 0 for millisatoshi */
    uint32_t expiry_s; /* of the invoice: x402_timeout */
    uint8_t request_hash[32];
    char realm[X402_TILL_REALM_MAX]; /* of the MPP challenge */
    char resource[X402_URL_MAX];
};

struct x402_till_issued {
    enum x402_err err;
    /* not X402_OK: for how long a worker need not ask, and for whom */
    uint32_t wait_ms;
    enum x402_till_scope scope;
    /* X402_OK: */
    enum x402_ln_network network;
    struct x402_msat amount;
    uint32_t expiry_s;
    uint8_t payee[X402_NODE_LEN]; /* the node's key */
    char bolt11[X402_TILL_BOLT11_MAX];
    char l402[X402_TILL_LINE_MAX]; /* WWW-Authenticate; "": not asked for */
    char mpp[X402_TILL_LINE_MAX];
};

struct x402_till_proof {
    enum x402_till_dialect dialect; /* one */
    bool has_preimage;              /* false: the invoice alone */
    uint8_t preimage[32];
    uint8_t payment_hash[32];
    uint8_t request_hash[32];
    struct x402_msat amount; /* lnbtc: of what was accepted; else 0 */
    size_t token_len;        /* L402: the macaroon; MPP: the header's value */
    uint8_t token[X402_TILL_TOKEN_MAX];
    char realm[X402_TILL_REALM_MAX];
};

/** One decoded frame. */
struct x402_till_frame {
    enum x402_till_type type;
    uint64_t id;
    union {
        struct x402_till_hello hello;
        struct x402_till_hold hold;
        struct x402_till_reserve reserve;
        struct x402_till_reserved reserved;
        struct x402_till_capture capture;
        struct x402_till_release release;
        struct x402_rid rid; /* STARTED */
        struct x402_till_done done;
        struct x402_till_ack ack;
        struct x402_till_issue issue;
        struct x402_till_issued issued;
        struct x402_till_proof proof;
    } u;
};

/** Encode a frame.  Returns its length, 0 when cap is too small
 * (X402_TILL_FRAME_MAX always suffices).  Threads: any. */
size_t x402_till_encode(uint8_t *out, size_t cap,
                        const struct x402_till_frame *frame);

/** Decode the frame at the head of bytes[0..len).
 *  Out:     *used  bytes consumed; 0: incomplete, read more
 *  Returns: X402_ERR_SYNTAX: close the connection. */
X402_MUST_CHECK enum x402_err x402_till_decode(struct x402_till_frame *out,
                                               size_t *used,
                                               const uint8_t *bytes,
                                               size_t len);

#endif
