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
#include "../failpoint.h"
#include "../log.h"
#include "../metrics.h"
#include "endpoint.h"
#include "params.h"
#include "post.h"
#include "quantity.h"

#define CHECK_CHAIN_EVERY_MS 60000
struct request {
    struct rpc *rpc;
    struct rpc_call calls[RPC_CALLS_MAX + 1]; /* the last: eth_chainId */
    size_t len;
    rpc_cb cb;
    void *arg;
    unsigned without; /* bits of endpoints that are not asked (again) */
    struct endpoint *endpoint; /* the one being asked */
    uint64_t begun_ms;
    uint64_t first_id;
    bool with_check; /* eth_chainId rides along as the last call */
};

/* A request that waits for its endpoint's rate, or to be refused: answered by
 * the loop, not inside rpc_ask. */
struct pause {
    uv_timer_t timer;
    struct request *request;
    struct pause *next, **self;
    bool refused;
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
    unsigned answerer; /* whose answers are being told: its bit */
    unsigned agree;
    struct pause *pauses;
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

    request->rpc->answerer = 0;
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
    if (id != request->rpc->chain_id && !mutant("any_chain")) {
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

static unsigned
bit_of(const struct rpc *rpc, const struct endpoint *endpoint)
{
    return 1u << (endpoint - rpc->endpoint);
}

/* Every newest block that comes by tells how far its endpoint is. */
static void
note_heads(struct request *request, const struct rpc_answer *answers)
{
    struct rpc *rpc = request->rpc;
    uint64_t time_s;

    for (size_t i = 0; i < request->len; i++) {
        if (strcmp(request->calls[i].method, "eth_getBlockByNumber") == 0 &&
            strncmp(request->calls[i].params, "[\"latest\"", 9) == 0 &&
            quantity_u64(&time_s,
                         json_object_get(answers[i].result, "timestamp")))
            endpoint_head(rpc->endpoint, rpc->endpoints,
                          (size_t)(request->endpoint - rpc->endpoint), time_s,
                          core_now_ms());
    }
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
        note_heads(request, answers);
        request->rpc->answerer = bit_of(request->rpc, request->endpoint);
        finish(request, answers);
    } else if (request->rpc->closing) {
        give_up(request);
    } else {
        if (answer->complete)
            post_distrust(request->rpc->post);
        endpoint_bad(request->endpoint, wrong, answer->retry_after_s,
                     core_now_ms());
        try_next(request);
    }
    json_decref(root);
}

static void pause_for(struct request *request, uint64_t wait_ms, bool refused);

static void
send_to(struct request *request, struct endpoint *endpoint, uint64_t now_ms)
{
    struct rpc *rpc = request->rpc;
    size_t len;
    char *body;

    request->endpoint = endpoint;
    request->without |= bit_of(rpc, endpoint);
    request->with_check = endpoint->checked_ms + CHECK_CHAIN_EVERY_MS <= now_ms;
    request->first_id = rpc->next_id;
    rpc->next_id += request->len + 1;
    body = write_body(request, &len);
    endpoint_spend(endpoint, request->len + (request->with_check ? 1 : 0));
    post_send(rpc->post, endpoint->url, body, len, rpc->timeout_ms, on_answer,
              request);
}

/* Who waited as long as an attempt may last does not wait for a rate. */
static void
try_next(struct request *request)
{
    struct rpc *rpc = request->rpc;
    uint64_t now_ms = core_now_ms();
    uint64_t wait_ms = 0;
    size_t which = endpoint_choose(rpc->endpoint, rpc->endpoints,
                                   request->without, now_ms, &wait_ms);

    if (which == rpc->endpoints ||
        (wait_ms > 0 && now_ms + wait_ms > request->begun_ms + rpc->timeout_ms))
        give_up(request);
    else if (wait_ms > 0)
        pause_for(request, wait_ms, false);
    else
        send_to(request, &rpc->endpoint[which], now_ms);
}

/* -- pauses -- */

static void
on_pause_closed(uv_handle_t *handle)
{
    struct pause *pause = handle->data;
    struct request *request = pause->request;
    bool refused = pause->refused || request->rpc->closing;

    *pause->self = pause->next;
    if (pause->next != NULL)
        pause->next->self = pause->self;
    free(pause);
    if (refused)
        give_up(request);
    else
        try_next(request);
}

static void
on_pause_over(uv_timer_t *timer)
{
    uv_close((uv_handle_t *)timer, on_pause_closed);
}

static void
pause_for(struct request *request, uint64_t wait_ms, bool refused)
{
    struct rpc *rpc = request->rpc;
    struct pause *pause = calloc(1, sizeof *pause);

    if (pause == NULL)
        abort();
    pause->request = request;
    pause->refused = refused;
    pause->self = &rpc->pauses;
    pause->next = rpc->pauses;
    if (pause->next != NULL)
        pause->next->self = &pause->next;
    rpc->pauses = pause;
    uv_timer_init(rpc->loop, &pause->timer);
    pause->timer.data = pause;
    if (refused) {
        uv_close((uv_handle_t *)&pause->timer, on_pause_closed);
        return;
    }
    uv_update_time(rpc->loop);
    uv_timer_start(&pause->timer, on_pause_over, wait_ms, 0);
}

static void
end_pauses(struct rpc *rpc)
{
    for (struct pause *p = rpc->pauses; p != NULL; p = p->next) {
        if (!uv_is_closing((uv_handle_t *)&p->timer))
            uv_close((uv_handle_t *)&p->timer, on_pause_closed);
    }
}

/* -- the interface -- */

static unsigned
all_bits(const struct rpc *rpc)
{
    return (1u << rpc->endpoints) - 1;
}

/* A question that cannot go at all is not answered from inside rpc_ask. */
static void
pause_or_send(struct request *request)
{
    struct rpc *rpc = request->rpc;
    uint64_t now_ms = core_now_ms(), wait_ms = 0;
    size_t which = endpoint_choose(rpc->endpoint, rpc->endpoints,
                                   request->without, now_ms, &wait_ms);

    if (wait_ms > rpc->timeout_ms)
        pause_for(request, 0, true);
    else if (wait_ms > 0)
        pause_for(request, wait_ms, false);
    else
        send_to(request, &rpc->endpoint[which], now_ms);
}

void
rpc_ask_without(struct rpc *rpc, unsigned without, const struct rpc_call *calls,
                size_t len, rpc_cb cb, void *arg)
{
    struct request *request = calloc(1, sizeof *request);

    if (request == NULL || len == 0 || len > RPC_CALLS_MAX)
        abort();
    request->rpc = rpc;
    memcpy(request->calls, calls, len * sizeof *calls);
    request->len = len;
    request->cb = cb;
    request->arg = arg;
    request->without = without;
    request->begun_ms = core_now_ms();
    rpc->inflight++;
    if (rpc->closing || rpc->inflight > RPC_INFLIGHT_MAX ||
        (without & all_bits(rpc)) == all_bits(rpc))
        pause_for(request, 0, true);
    else
        pause_or_send(request);
}

void
rpc_ask(struct rpc *rpc, const struct rpc_call *calls, size_t len, rpc_cb cb,
        void *arg)
{
    rpc_ask_without(rpc, 0, calls, len, cb, arg);
}

unsigned
rpc_answerer(const struct rpc *rpc)
{
    return rpc->answerer;
}

bool
rpc_must_agree(const struct rpc *rpc)
{
    size_t well = 0;

    if (rpc->agree == 1 || rpc->endpoints < 2 || mutant("one_word_is_enough"))
        return false;
    if (rpc->agree == 2)
        return true;
    for (size_t i = 0; i < rpc->endpoints; i++) {
        const struct endpoint *endpoint = &rpc->endpoint[i];

        well += !endpoint->wrong &&
                (endpoint->checked_ms != 0 || endpoint->down_until_ms == 0);
    }
    return well > 1;
}

/* -- how far are those that nobody asks? -- */

static void
on_probed(void *arg, const struct rpc_answer *answers, size_t len)
{
    (void)arg;
    (void)answers;
    (void)len;
}

void
rpc_probe(struct rpc *rpc)
{
    uint64_t now_ms = core_now_ms();

    for (size_t i = 0; i < rpc->endpoints && rpc->endpoints > 1; i++) {
        const struct endpoint *endpoint = &rpc->endpoint[i];
        struct rpc_call call;

        if (endpoint->head_seen_ms + RPC_PROBE_MS > now_ms ||
            endpoint->down_until_ms > now_ms)
            continue;
        call = params_block("latest");
        rpc_ask_without(rpc, all_bits(rpc) & ~(1u << i), &call, 1, on_probed,
                        NULL);
    }
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
    rpc->agree = options->agree;
    for (size_t i = 0; i < options->urls_len; i++) {
        rpc->endpoint[i].url = options->urls[i];
        rpc->endpoint[i].rate = options->rate;
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
    end_pauses(rpc);
    post_close(rpc->post, on_post_closed, rpc);
}
