/* SPDX-License-Identifier: Apache-2.0 */
/* One HTTP request, from its headers to the last byte of its answer.  Internal
 * to daemon/http. */
#ifndef X402D_HTTP_REQUEST_H
#define X402D_HTTP_REQUEST_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <microhttpd.h>

#include <x402/facilitator.h>

#include "server.h"

#define HTTP_ANSWER_MAX 16384
/* A body that is too large is read on up to here, so that its sender gets to
 * read the refusal instead of a reset. */
#define HTTP_DISCARD_MAX (1024 * 1024)

#define EXTENSIONS_MAX 512

struct http_request;
struct bazaar_offer;

/** What every answer of a URL looks like, refusals too. */
enum http_shape { HTTP_SHAPE_ERROR, HTTP_SHAPE_VERIFY, HTTP_SHAPE_SETTLE };

/** Who may ask, where API keys are configured. */
enum http_door {
    HTTP_DOOR_OPEN,    /* everybody */
    HTTP_DOOR_MACHINE, /* this machine, and whoever has a key */
    HTTP_DOOR_VERIFY,  /* whoever has a key, as often as that allows */
    HTTP_DOOR_SETTLE,
    HTTP_DOOR_BROWSE, /* everybody without a key, as often as /verify */
    HTTP_DOOR_SELLER, /* everybody without a key, as often as /settle */
};

/** What a handler did: filled the answer, or handed the request to the core. */
enum http_next { HTTP_ANSWER, HTTP_WAIT };

struct http_route {
    const char *path;
    const char *method; /* "GET" (HEAD too) or "POST" */
    enum http_shape shape;
    enum http_door door;
    enum http_next (*handle)(struct http_request *request);
};

struct http_request {
    struct http *http;
    struct MHD_Connection *connection;
    const struct http_route *route;
    atomic_int owners; /* libmicrohttpd, and the core while it works on it */

    /* the body: grows to X402_FACILITATOR_BODY_MAX at most */
    char *body;
    size_t body_len, body_cap;
    size_t discarded;

    const struct config *config; /* as it was when the request came */
    /* whose key came along; NULL: none was asked for */
    const struct config_api_key *key;
    bool forbidden; /* the key is not for this payee or token */

    /* decoded, for /verify and /settle */
    struct x402_facilitator_request payment;
    bool recovered; /* the signature was, and is the payer's */

    /* the Bazaar: what a payment says it is for; what is asked; the answer, the
     * Bazaar's thread's until the core takes it */
    struct bazaar_offer *offer;
    struct http_asking *asking;
    char *found;
    size_t found_len;
    unsigned found_status;

    /* with the core: core thread only, but for the list */
    void (*work)(struct http_request *request);
    bool aborted;
    struct http_request *next, **link; /* in http->waiting, under its lock */
    struct http_request *came_next;    /* in http->came, likewise */

    /* the answer */
    bool ready;
    unsigned status;
    unsigned retry_after_s; /* 0: no header */
    const char *allow;      /* of a 405 */
    bool challenge;         /* of a 401 */
    const char *type;
    const char *policy; /* of a page: Content-Security-Policy */
    char *large;        /* an answer that does not fit below; freed with us */
    size_t large_len;
    char extensions[EXTENSIONS_MAX]; /* EXTENSION-RESPONSES; "": none */
    struct x402_buf out;
    char text[HTTP_ANSWER_MAX];
};

/** NULL when out of memory.  One owner. */
struct http_request *http_request_new(struct http *http,
                                      struct MHD_Connection *connection,
                                      const struct http_route *route);
/** Drop one owner; the last one frees. */
void http_request_release(struct http_request *request);
/** Take a piece of the body.  false: far too large, hang up. */
bool http_request_body(struct http_request *request, const char *data,
                       size_t len);
/** Give the answer to libmicrohttpd. */
enum MHD_Result http_request_send(struct http_request *request);

/** Fill the answer with a refusal in the shape of the URL. */
enum http_next http_refuse(struct http_request *request, unsigned status,
                           enum x402_err err, const char *message);

/** Suspend the request and run work(request) on the core thread.  Work must
 * lead to one call of http_answer, at once or later. Threads: HTTP. */
enum http_next http_to_core(struct http_request *request,
                            void (*work)(struct http_request *request));
/** Take the request from the list of those with the core. */
void http_unlink(struct http_request *request);
/** The answer stands in request->out: wake the request up.  Threads: core. */
void http_answer(struct http_request *request);

/** Origin, Host, method, Content-Type.  false: the answer is a refusal. */
bool http_guard(struct http_request *request, const char *method);
/** The API key, and how often its bearer (or this address) may ask.  false: the
 * answer is a refusal. */
bool http_access(struct http_request *request);
/** Who asks is told apart by a key; what it may ask for is checked when the
 * payment is known.  X402_ERR_PAYEE, X402_ERR_ASSET. */
enum x402_err http_access_check(const struct http_request *request,
                                const struct x402_requirement *requirement);

/** What payers owe, at most a second old.  Threads: core. */
const struct http_debts *http_debts(struct http *http);

enum http_next http_verify(struct http_request *request);
enum http_next http_settle(struct http_request *request);
enum http_next http_supported(struct http_request *request);
enum http_next http_jwks(struct http_request *request);
enum http_next http_health(struct http_request *request);
/** The Bazaar; 404 where there is none. */
enum http_next http_discovery_resources(struct http_request *request);
enum http_next http_discovery_search(struct http_request *request);
enum http_next http_discovery_merchant(struct http_request *request);
enum http_next http_discovery_live(struct http_request *request);
enum http_next http_register(struct http_request *request);
enum http_next http_bazaar_page(struct http_request *request);
/** Of a /settle that would go through: the bazaar extension, and what is said
 * about it (EXTENSION-RESPONSES). */
void http_offer_read(struct http_request *request);
/** The payment is settled: list what it was for. */
void http_offer_settled(struct http_request *request);

enum http_next http_metrics(struct http_request *request);

#endif
