/* SPDX-License-Identifier: Apache-2.0 */
/* What the URLs share: the server, its limits, its place in the daemon.
 * Internal to daemon/http. */
#ifndef X402D_HTTP_SERVER_H
#define X402D_HTTP_SERVER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <microhttpd.h>
#include <uv.h>

#include "../crowd.h"
#include "attest.h"
#include "http.h"
#include "peers.h"
#include "slow.h"

#define HTTP_THREADS_MAX 4 /* and no more than there are processors */
#define HTTP_CONNECTIONS_MAX 1024
#define HTTP_CONNECTIONS_PER_IP 64 /* not for loopback listeners */
#define HTTP_DOMAINS_MAX 64

/** EIP-712 domain separators, computed once. */
struct http_domain {
    const struct x402_asset *asset;
    uint8_t token[32];   /* EIP-3009 */
    uint8_t permit2[32]; /* Permit2's, of that chain */
};

#define HTTP_OWED_MAX 64

/** What all payers owe in one token. */
struct http_owed {
    uint64_t chain_id;
    struct x402_address address;
    const char *network, *asset;
    struct x402_amount unsettled, unsettled_most, lost;
    uint64_t debtors, settle_first;
};

struct http_debts {
    uint64_t read_ms; /* 0: never */
    struct http_owed at[HTTP_OWED_MAX];
    size_t len;
};

struct http {
    struct core *core;
    _Atomic(const struct config *) config; /* set by core, read by both */
    struct cashier *cashier;
    struct ledger *ledger;
    struct bazaar *bazaar;       /* NULL: none */
    struct lightning *lightning; /* core thread; NULL: not configured */
    struct MHD_Daemon *daemon;
    struct x402_signer *verifier; /* of attestations; NULL: none are made */
    struct slow *slow;
    uv_timer_t tick; /* looks for slow clients */
    int listen_fd;   /* -1: closed */
    uv_poll_t listening;
    bool listen_paused;        /* for want of room */
    atomic_size_t connections; /* HTTP_CONNECTIONS_MAX at most */
    bool loopback;
    pthread_mutex_t counting; /* of peers and the buckets */
    struct peers *peers;
    struct bucket key_verify[CONFIG_API_KEYS_MAX];
    struct bucket key_settle[CONFIG_API_KEYS_MAX];
    struct http_domain domain[HTTP_DOMAINS_MAX]; /* constant after opening */
    size_t domain_len;

    struct http_debts debts; /* core thread */

    atomic_size_t in_flight;
    pthread_mutex_t lock;
    bool draining;                /* under lock */
    struct http_request *waiting; /* with the core; under lock */
    /* of those, in order: not begun; under lock */
    struct http_request *came, **came_last;
    bool core_looks; /* it was told that there are some, or its clock runs */
    struct crowd crowd;
    uv_timer_t gather;
};

/* -- listen.c -- */

/** Open the socket.  false: with a message. */
bool http_listen(struct http *http, char *error, size_t error_len);
/** Accept, when there is somebody to hand the connections to. */
void http_listen_start(struct http *http);
/** If that was paused: now and then. */
void http_listen_again(struct http *http);
void http_listen_stop(struct http *http);

#endif
