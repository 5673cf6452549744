/* SPDX-License-Identifier: Apache-2.0 */
/* JSON-RPC to the nodes of one network.
 *
 * A question ends in one of three ways, and they are kept apart to the end: the
 * node's result, the node's error, or nothing that can be trusted (no answer in
 * time, another HTTP status than 200, cut off, oversized, not JSON, a foreign
 * id, a node of another chain).  "Nothing" is never read as yes or no. */
#ifndef X402D_RPC_H
#define X402D_RPC_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include <x402/span.h>

#define RPC_ENDPOINTS_MAX 4
#define RPC_CALLS_MAX 256 /* in one HTTP request */
#define RPC_ANSWER_MAX (8u << 20)
#define RPC_PROBE_MS 10000  /* between looks at an idle endpoint */
#define RPC_INFLIGHT_MAX 64 /* HTTP requests; more are RPC_UNKNOWN at once */

struct rpc;

enum rpc_status {
    RPC_RESULT, /* the node's answer */
    RPC_ERROR,  /* the node refused: code, message, data */
    RPC_UNKNOWN /* no answer that can be used: it may have happened or not */
};

struct rpc_call {
    const char *method; /* static */
    char *params;       /* a JSON array, NUL-terminated, on the heap */
    bool raw;           /* the result is wanted as text only */
};

struct rpc_answer {
    enum rpc_status status;
    struct x402_span text; /* RPC_RESULT: the result as the node wrote it */
    const json_t *result;  /* RPC_RESULT; never JSON null unless the node said
                              null: json_is_null.  NULL when raw was asked */
    int64_t code;          /* RPC_ERROR */
    const char *message;   /* RPC_ERROR; "" when it had none */
    const json_t *data;    /* RPC_ERROR; may be NULL */
};
typedef void (*rpc_cb)(void *arg, const struct rpc_answer *answers, size_t len);

struct rpc_options {
    const char *const *urls; /* in order of preference; kept */
    size_t urls_len;
    unsigned timeout_ms; /* of one attempt at one endpoint */
    uint64_t chain_id;   /* endpoints of another chain are not used */
    unsigned rate;       /* calls a second to each endpoint; 0: no bound */
    unsigned agree;      /* what proves something must be said by so many: 1, 2;
                            0: by two while two are well */
};

struct rpc *rpc_new(uv_loop_t *loop, const struct rpc_options *options);
/** Answer what is under way with RPC_UNKNOWN, close, call closed(arg). */
void rpc_close(struct rpc *rpc, void (*closed)(void *arg), void *arg);

/** Ask all calls in one HTTP request; when an endpoint gives nothing usable the
 *  next one is asked the same.
 *  In:  calls  1..RPC_CALLS_MAX; params are taken over and freed.
 *  cb gets as many answers as there were calls, in their order; once, later,
 *  never from inside this call.  What the answers point to lives for the call.
 */
void rpc_ask(struct rpc *rpc, const struct rpc_call *calls, size_t len,
             rpc_cb cb, void *arg);

/* -- two witnesses -- */

/** The endpoint whose answers a callback is given: a bit.  Only inside it. */
unsigned rpc_answerer(const struct rpc *rpc);
/** rpc_ask, but never of these endpoints (bits).  None is left: RPC_UNKNOWN. */
void rpc_ask_without(struct rpc *rpc, unsigned without,
                     const struct rpc_call *calls, size_t len, rpc_cb cb,
                     void *arg);
/** A proof needs a second endpoint that says the same. */
bool rpc_must_agree(const struct rpc *rpc);

/** Ask endpoints that nobody asked lately for their chain and head, so that a
 *  stand-in is known to be good and one that fell behind is seen. */
void rpc_probe(struct rpc *rpc);

/** Some endpoint said that it belongs to another chain; none said ours. */
bool rpc_wrong_chain(const struct rpc *rpc);
/** Host and port of an URL, for logs: paths, queries and passwords are keys. */
void rpc_host(char *out, size_t cap, const char *url);

/* -- the pure part: one HTTP body against the ids that were asked -- */

/** Distribute a body to answers.  *root owns what they point to: json_decref.
 *  Returns: false when the body as a whole cannot be trusted (not JSON, a
 *  foreign or repeated id, a single error for a batch): then *root is NULL and
 *  nothing was answered.  A call without an answer is RPC_UNKNOWN. */
bool rpc_match(struct rpc_answer *answers, const struct rpc_call *calls,
               size_t len, uint64_t first_id, struct x402_span body,
               json_t **root);

#endif
