/* SPDX-License-Identifier: Apache-2.0 */
/* One HTTP request and its answer, over libcurl.  No redirects are followed
 * and nothing is tried again in here: that is fetch.c's to decide. */
#ifndef CLIENT_EXCHANGE_H
#define CLIENT_EXCHANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <curl/curl.h>

#include "blob.h"
#include "heads.h"
#include "terminal.h"
#include "url.h"

/* A body that we keep in memory: a 402, or an error that may be followed by
 * another try.  The rest of a longer one is dropped and `body_cut` says so. */
#define EXCHANGE_BODY_MAX (64 * 1024)

struct exchange_request {
    const struct url *url;
    const char *method;
    struct x402_span body;
    bool has_body;
    const struct curl_slist *headers; /* all of them, payment included */
    bool pays; /* carries a payment: over plain http to loopback only */
    const char *cacert; /* CAs to trust instead of the system's; NULL */
    bool insecure;      /* no TLS verification; only used for loopback hosts */
    bool no_private;    /* refuse addresses inside private networks */
    long max_ms;        /* 0: no limit of time */
    long silence_s;     /* give up when nothing arrives for so long */
};

struct exchange_answer {
    CURLcode code;
    char error[CURL_ERROR_SIZE]; /* libcurl's words, or ours */
    long status;                 /* 0: no header block came */
    struct heads heads;
    struct blob body;
    bool body_cut;
    bool peer_loopback; /* the connection's other end */
    bool blocked;       /* the address was refused, nothing was sent */
};

/* What to do with the body, asked once per answer, when its header is there. */
enum exchange_sink { EXCHANGE_KEEP, EXCHANGE_STREAM, EXCHANGE_DROP };

struct exchange_events {
    enum exchange_sink (*head)(void *owner, const struct exchange_answer *);
    bool (*body)(void *owner, const char *bytes, size_t len);
    void *owner;
};

struct exchange;

/** Memory: allocates; exchange_free.  One per process is enough; connections
 *  stay open between runs.  NULL: no memory. */
struct exchange *exchange_new(const struct say *say);
void exchange_free(struct exchange *exchange);
/** Send and receive.  The answer is the exchange's own, valid until the next
 *  run.  Returns it, never NULL. */
const struct exchange_answer *
exchange_run(struct exchange *exchange, const struct exchange_request *request,
             const struct exchange_events *events);

#endif
