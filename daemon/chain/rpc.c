/* SPDX-License-Identifier: Apache-2.0 */
/* See rpc.h.  One request is one HTTP POST at a time, to the best endpoint
 * that it has not tried yet.  All methods we use may be asked twice (a signed
 * transaction too: the same bytes are the same transaction), so an attempt that
 * brought nothing is simply made again elsewhere. */
#include "rpc.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <x402/buf.h>

#include "../core.h"
#include "../log.h"
#include "../metrics.h"
#include "post.h"
#include "quantity.h"

#define CHECK_CHAIN_EVERY_MS 60000
#define BACKOFF_FIRST_MS 250
#define BACKOFF_MAX_MS 30000

struct endpoint {
    const char *url;
    char host[128];
    unsigned fails;         /* in a row */
    uint64_t down_until_ms; /* asked only when nobody else is left */
    uint64_t checked_ms;    /* when it last said our chain id; 0: never */
    bool wrong;             /* it said another one */
};

struct request {
    struct rpc *rpc;
    struct rpc_call calls[RPC_CALLS_MAX + 1]; /* the last: eth_chainId */
    size_t len;
    rpc_cb cb;
    void *arg;
    bool tried[RPC_ENDPOINTS_MAX];
    struct endpoint *endpoint; /* the one being asked */
    uint64_t first_id;
    bool with_check; /* eth_chainId rides along as the last call */
};

struct rpc {
    struct post *post;
    uv_loop_t *loop;
    struct endpoint endpoint[RPC_ENDPOINTS_MAX];
    size_t endpoints;
    unsigned timeout_ms;
    uint64_t chain_id;
    uint64_t next_id;
    unsigned inflight;
    bool closing;
    void (*closed)(void *arg);
    void *closed_arg;
};

static void try_next(struct request *request);

/* -- endpoints -- */

void
rpc_host(char *out, size_t cap, const char *url)
{
    CURLU *parsed = curl_url();
    char *host = NULL, *port = NULL;

    curl_url_set(parsed, CURLUPART_URL, url, 0);
    curl_url_get(parsed, CURLUPART_HOST, &host, 0);
    curl_url_get(parsed, CURLUPART_PORT, &port, 0);
    snprintf(out, cap, "%s%s%s", host == NULL ? "?" : host,
             port == NULL ? "" : ":", port == NULL ? "" : port);
    curl_free(host);
    curl_free(port);
    curl_url_cleanup(parsed);
}

static void
endpoint_bad(struct endpoint *endpoint, const char *why, uint64_t now_ms)
{
    uint64_t wait = BACKOFF_MAX_MS;

    if (endpoint->fails == 0)
        log_event(LOG_WARN, "rpc_endpoint_down", "host", endpoint->host, "why",
                  why, NULL);
    if (endpoint->fails < 7)
        wait = (uint64_t)BACKOFF_FIRST_MS << endpoint->fails;
    endpoint->fails++;
    endpoint->down_until_ms = now_ms + wait;
    endpoint->checked_ms = 0; /* what comes back may be another node */
}

static void
endpoint_good(struct endpoint *endpoint)
{
    if (endpoint->fails > 0)
        log_event(LOG_INFO, "rpc_endpoint_up", "host", endpoint->host, NULL);
    endpoint->fails = 0;
    endpoint->down_until_ms = 0;
}

/* The first in the configured order that is up; else the first that is down
 * and not tried yet. */
static struct endpoint *
choose(struct request *request, uint64_t now_ms)
{
    struct rpc *rpc = request->rpc;
    struct endpoint *down = NULL;

    for (size_t i = 0; i < rpc->endpoints; i++) {
        struct endpoint *endpoint = &rpc->endpoint[i];

        if (request->tried[i])
            continue;
        if (endpoint->down_until_ms <= now_ms) {
            request->tried[i] = true;
            return endpoint;
        }
        if (down == NULL)
            down = endpoint;
    }
    if (down != NULL)
        request->tried[down - rpc->endpoint] = true;
    return down;
}

bool
rpc_wrong_chain(const struct rpc *rpc)
{
    bool wrong = false;

    for (size_t i = 0; i < rpc->endpoints; i++) {
        if (rpc->endpoint[i].checked_ms != 0)
            return false;
        wrong = wrong || rpc->endpoint[i].wrong;
    }
    return wrong;
}

/* -- the body -- */

static size_t
body_cap(const struct request *request)
{
    size_t cap = 128;

    for (size_t i = 0; i < request->len; i++)
        cap += 96 + strlen(request->calls[i].method) +
               strlen(request->calls[i].params);
    return cap;
}

static void
write_call(struct x402_buf *buf, uint64_t id, const char *method,
           const char *params)
{
    x402_buf_text(buf, "{\"jsonrpc\":\"2.0\",\"id\":");
    x402_buf_u64(buf, id);
    x402_buf_text(buf, ",\"method\":\"");
    x402_buf_text(buf, method);
    x402_buf_text(buf, "\",\"params\":");
    x402_buf_text(buf, params);
    x402_buf_char(buf, '}');
}

static char *
write_body(const struct request *request, size_t *len)
{
    size_t cap = body_cap(request);
    char *memory = malloc(cap);
    struct x402_buf buf;
    bool batch = request->len > 1 || request->with_check;

    if (memory == NULL)
        abort();
    buf = x402_buf_on(memory, cap);
    if (batch)
        x402_buf_char(&buf, '[');
    for (size_t i = 0; i < request->len; i++) {
        if (i > 0)
            x402_buf_char(&buf, ',');
        write_call(&buf, request->first_id + i, request->calls[i].method,
                   request->calls[i].params);
    }
    if (request->with_check) {
        x402_buf_char(&buf, ',');
        write_call(&buf, request->first_id + request->len, "eth_chainId", "[]");
    }
    if (batch)
        x402_buf_char(&buf, ']');
    if (buf.full)
        abort();
    *len = buf.len;
    return memory;
}

/* -- the end of a request -- */

/* Freed when its sender is closed and the last question was answered. */
static void
maybe_free(struct rpc *rpc)
{
    if (rpc->post != NULL || rpc->inflight > 0)
        return;
    rpc->closed(rpc->closed_arg);
    free(rpc);
}

static void
finish(struct request *request, const struct rpc_answer *answers)
{
    struct rpc *rpc = request->rpc;

    metrics_add(METRIC_RPC_CALLS, request->len);
    for (size_t i = 0; i < request->len; i++) {
        if (answers[i].status != RPC_RESULT)
            metrics_add(METRIC_RPC_ERRORS, 1);
    }
    request->cb(request->arg, answers, request->len);
    for (size_t i = 0; i < request->len; i++)
        free(request->calls[i].params);
    free(request);
    rpc->inflight--;
    maybe_free(rpc);
}

static void
give_up(struct request *request)
{
    struct rpc_answer answers[RPC_CALLS_MAX];

    for (size_t i = 0; i < request->len; i++)
        answers[i] = (struct rpc_answer){.status = RPC_UNKNOWN, .message = ""};
    finish(request, answers);
}

/* -- one attempt -- */

/* Errors that are about the service, not about the question. */
static bool
is_throttled(const struct rpc_answer *answer)
{
    return answer->status == RPC_ERROR &&
           (answer->code == -32005 || answer->code == -32097 ||
            answer->code == 429);
}

static const char *
judge_chain(struct request *request, const struct rpc_answer *answer)
{
    struct endpoint *endpoint = request->endpoint;
    uint64_t id;

    if (answer->status != RPC_RESULT || !quantity_u64(&id, answer->result))
        return "no chain id";
    if (id != request->rpc->chain_id) {
        if (!endpoint->wrong)
            log_event(LOG_ERROR, "rpc_wrong_chain", "host", endpoint->host,
                      NULL);
        endpoint->wrong = true;
        return "wrong chain id";
    }
    endpoint->wrong = false;
    endpoint->checked_ms = core_now_ms();
    return NULL;
}

/* NULL when the attempt was good, else what was wrong with it. */
static const char *
judge(struct request *request, const struct post_answer *answer,
      struct rpc_answer *answers, json_t **root)
{
    size_t len = request->len + (request->with_check ? 1 : 0);
    struct x402_span body = {answer->body, answer->len};
    const char *wrong = NULL;

    *root = NULL;
    if (!answer->complete)
        return answer->why;
    if (answer->http_status != 200)
        return "http status";
    if (!rpc_match(answers, request->calls, len, request->first_id, body, root))
        return "not an answer to the question";
    if (request->with_check)
        wrong = judge_chain(request, &answers[request->len]);
    for (size_t i = 0; i < request->len && wrong == NULL; i++) {
        if (answers[i].status == RPC_UNKNOWN)
            wrong = "answer missing";
        else if (is_throttled(&answers[i]))
            wrong = "throttled";
    }
    return wrong;
}

static void
on_answer(void *arg, const struct post_answer *answer)
{
    struct request *request = arg;
    struct rpc_answer answers[RPC_CALLS_MAX + 1];
    json_t *root;
    const char *wrong = judge(request, answer, answers, &root);

    if (wrong == NULL) {
        endpoint_good(request->endpoint);
        finish(request, answers);
    } else if (request->rpc->closing) {
        give_up(request);
    } else {
        endpoint_bad(request->endpoint, wrong, core_now_ms());
        try_next(request);
    }
    json_decref(root);
}

static void
try_next(struct request *request)
{
    struct rpc *rpc = request->rpc;
    uint64_t now_ms = core_now_ms();
    size_t len;
    char *body;

    request->endpoint = choose(request, now_ms);
    if (request->endpoint == NULL) {
        give_up(request);
        return;
    }
    request->with_check =
        request->endpoint->checked_ms + CHECK_CHAIN_EVERY_MS <= now_ms;
    request->first_id = rpc->next_id;
    rpc->next_id += request->len + 1;
    body = write_body(request, &len);
    post_send(rpc->post, request->endpoint->url, body, len, rpc->timeout_ms,
              on_answer, request);
}

/* -- refused before it was sent: answered by the loop, not inside rpc_ask -- */

struct refusal {
    uv_timer_t timer;
    struct request *request;
};

static void
refusal_gone(uv_handle_t *handle)
{
    struct refusal *refusal = handle->data;

    give_up(refusal->request);
    free(refusal);
}

static void
refuse(struct request *request)
{
    struct refusal *refusal = calloc(1, sizeof *refusal);

    if (refusal == NULL)
        abort();
    refusal->request = request;
    uv_timer_init(request->rpc->loop, &refusal->timer);
    refusal->timer.data = refusal;
    uv_close((uv_handle_t *)&refusal->timer, refusal_gone);
}

/* -- the interface -- */

void
rpc_ask(struct rpc *rpc, const struct rpc_call *calls, size_t len, rpc_cb cb,
        void *arg)
{
    struct request *request = calloc(1, sizeof *request);

    if (request == NULL || len == 0 || len > RPC_CALLS_MAX)
        abort();
    request->rpc = rpc;
    memcpy(request->calls, calls, len * sizeof *calls);
    request->len = len;
    request->cb = cb;
    request->arg = arg;
    rpc->inflight++;
    if (rpc->closing || rpc->endpoints == 0 || rpc->inflight > RPC_INFLIGHT_MAX)
        refuse(request);
    else
        try_next(request);
}

struct rpc *
rpc_new(uv_loop_t *loop, const struct rpc_options *options)
{
    struct rpc *rpc = calloc(1, sizeof *rpc);

    if (rpc == NULL || options->urls_len > RPC_ENDPOINTS_MAX)
        abort();
    rpc->loop = loop;
    rpc->post = post_new(loop, RPC_ANSWER_MAX);
    rpc->timeout_ms = options->timeout_ms;
    rpc->chain_id = options->chain_id;
    rpc->next_id = 1;
    rpc->endpoints = options->urls_len;
    for (size_t i = 0; i < options->urls_len; i++) {
        rpc->endpoint[i].url = options->urls[i];
        rpc_host(rpc->endpoint[i].host, sizeof rpc->endpoint[i].host,
                 options->urls[i]);
    }
    return rpc;
}

static void
on_post_closed(void *arg)
{
    struct rpc *rpc = arg;

    rpc->post = NULL;
    maybe_free(rpc);
}

void
rpc_close(struct rpc *rpc, void (*closed)(void *arg), void *arg)
{
    rpc->closing = true;
    rpc->closed = closed;
    rpc->closed_arg = arg;
    post_close(rpc->post, on_post_closed, rpc);
}
