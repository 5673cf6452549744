/* SPDX-License-Identifier: Apache-2.0 */
/* One request from beginning to end: ask, read the 402, decide, pay once, send
 * the same bytes again while the outcome is open, follow redirects. */
#ifndef CLIENT_FETCH_H
#define CLIENT_FETCH_H

#include <stdbool.h>
#include <stdint.h>

#include <x402/receipt.h>

#include "exit.h"
#include "ln_pay.h"
#include "output.h"
#include "pay.h"
#include "policy.h"
#include "terminal.h"

#define FETCH_REASON_MAX 512
#define FETCH_REDIRECTS_MAX 10
#define FETCH_SILENCE_S 300
#define FETCH_HEADERS_MAX 100

struct fetch_options {
    struct url url;
    const char *method;
    struct x402_span body;
    bool has_body;
    const char *const *headers; /* -H, "Name: value" */
    size_t headers_len;
    bool follow;        /* -L */
    bool fail;          /* -f */
    const char *cacert; /* --cacert */
    bool insecure;      /* -k */
    bool no_private;
    bool dry_run;
    uint64_t max_ms; /* --max-time, 0: none */
    struct retry_limits {
        unsigned failures, waits;
        uint64_t delay_ms;
    } retry;
    struct policy policy;
    struct pay_limits limits;
    bool lightning;      /* --rail lightning */
    struct ln_limits ln; /* with it */
    struct lnd_config lnd;
    bool ask; /* there is a terminal to ask on about an earlier payment */
    struct wallet_source wallet;
};

enum fetch_outcome {
    FETCH_FREE,      /* nothing was asked for, nothing paid */
    FETCH_WOULD_PAY, /* --dry-run */
    FETCH_NOT_PAID,  /* our decision, or no way to */
    FETCH_PAID,      /* sent, and answered below 400 */
    FETCH_REFUSED,   /* sent, and the server says no */
    FETCH_UNKNOWN,   /* sent, and open */
    FETCH_FAILED,    /* sent, and the server reports an error of its own */
};

struct fetch_result {
    int exit; /* enum client_exit, or a CURLcode */
    enum fetch_outcome outcome;
    long status;
    char url[X402_URL_MAX];        /* where it ended */
    char reason[FETCH_REASON_MAX]; /* clean, "" when all is well */
    bool has_offer;                /* what was chosen, from our own table */
    enum x402_wire wire;
    struct x402_requirement offer;
    struct fetch_lightning {
        bool set;
        bool paid; /* there is a preimage */
        enum x402_ln_network network;
        struct x402_msat amount;
        uint64_t fee_msat;
        uint8_t payee[X402_NODE_LEN];
        uint8_t payment_hash[32];
    } lightning;    /* the offer, and what became of it, on that rail */
    unsigned sends; /* of the payment */
    bool has_payment;
    struct payment payment;
    bool has_receipt; /* the server's words */
    struct x402_receipt receipt;
};

/** Memory: the result owns nothing; the journal's file is closed. */
void fetch_run(struct fetch_result *result, const struct fetch_options *options,
               struct output *output, const struct say *say);

const char *fetch_outcome_name(enum fetch_outcome outcome);

#endif
