/* SPDX-License-Identifier: Apache-2.0 */
/* See facilitator.h. */
#include "facilitator.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <x402/attestation.h>

#include "../chain/post.h"
#include "../failpoint.h"
#include "../log.h"
#include "../metrics.h"
#include "../must.h"
#include "attested.h"

#define UPTO_MAX 16
#define SUPPORTED_MS 60000 /* between looks while it is there */
#define AGAIN_FIRST_MS 1000
#define AGAIN_MOST_MS 30000
#define SUPPORTED_TIMEOUT_MS 10000
/* A payment with its requirement: two URLs of which every character may be
 * escaped, two signatures' worth of hex. */
#define REQUEST_MAX 32768

struct facilitator {
    struct core *core;
    const struct config_network *config;
    struct post *post;
    uv_timer_t timer;
    bool closing;
    bool asking;                        /* /supported is under way */
    int version;                        /* of the protocol; 0: not ready */
    struct x402_address upto[UPTO_MAX]; /* its accounts that settle upto */
    size_t upto_len;
    unsigned again_ms;
    unsigned verifying, settling;
    struct attested *attested; /* NULL: no verifier is pinned */
    unsigned handles;          /* that are not closed yet */
    core_task closed;
    void *closed_arg;
};

/** One call of /verify or /settle. */
struct call {
    struct facilitator *f;
    bool settle;
    struct x402_facilitator_ask ask;
    struct x402_authorization auth; /* ask points to these */
    struct x402_amount charge;
    /* where a verifier is pinned: what it must attest */
    struct x402_attestation expected;
    char resource[X402_URL_MAX];
    facilitator_cb cb;
    void *arg;
};

static void
format_url(char *out, size_t cap, const struct facilitator *f, const char *path)
{
    snprintf(out, cap, "%s%s", f->config->facilitator.url, path);
}

/* -- one answer -- */

/* What cannot be read may be the answer to an earlier question, and then every
 * later one on that connection comes too late as well: it is not used again. */
static void
distrust(const struct facilitator *f, const char *path, const char *why,
         const struct post_answer *answer)
{
    char text[16];

    if (answer->complete)
        post_distrust(f->post);
    snprintf(text, sizeof text, "%ld", answer->http_status);
    metrics_add(METRIC_FACILITATOR_UNKNOWN, 1);
    log_event(LOG_WARN, "facilitator_unknown", "network",
              f->config->network->caip2, "path", path, "why", why, "status",
              text, NULL);
}

/* "application/json", with or without a charset. */
static bool
is_json(const char *type)
{
    static const char json[] = "application/json";
    size_t len = sizeof json - 1;

    return strncasecmp(type, json, len) == 0 &&
           (type[len] == '\0' || type[len] == ';' || type[len] == ' ');
}

/** NULL: these are the bytes of an answer. */
static const char *
unusable(const struct post_answer *answer)
{
    if (!answer->complete)
        return answer->why;
    if (answer->http_status >= 300 && answer->http_status < 400)
        return "a redirect, which is not followed";
    if (answer->http_status == 401 || answer->http_status == 403)
        return "our key is refused";
    if (answer->http_status != 200)
        return "not 200";
    if (!is_json(answer->type))
        return "not application/json";
    return NULL;
}

static struct x402_span
body_of(const struct post_answer *answer)
{
    return (struct x402_span){answer->body, answer->len};
}

/* -- /supported -- */

static void ask_supported(struct facilitator *f);

static void
on_timer(uv_timer_t *timer)
{
    ask_supported(timer->data);
}

static void
set_version(struct facilitator *f, int version)
{
    static const char *const text[] = {"none", "1", "2"};

    if (f->version != version)
        log_event(version > 0 ? LOG_INFO : LOG_WARN,
                  version > 0 ? "facilitator_ready" : "facilitator_not_ready",
                  "network", f->config->network->caip2, "version",
                  text[version], NULL);
    f->version = version;
}

static void
on_supported(void *arg, const struct post_answer *answer)
{
    struct facilitator *f = arg;
    const char *why = unusable(answer);
    int version = 0;

    f->asking = false;
    if (f->closing)
        return;
    if (why == NULL && x402_supported_decode(&version, body_of(answer),
                                             f->config->network) != X402_OK)
        why = "not an answer of /supported";
    else if (why == NULL && version == 0)
        why = "it does not settle \"exact\" on this network";
    if (why != NULL)
        distrust(f, "/supported", why, answer);
    f->upto_len = 0;
    if (version == 2 &&
        x402_supported_upto(f->upto, &f->upto_len, UPTO_MAX, body_of(answer),
                            f->config->network) != X402_OK)
        f->upto_len = 0;
    set_version(f, version);
    f->again_ms = version > 0 ? AGAIN_FIRST_MS : f->again_ms * 2;
    if (f->again_ms > AGAIN_MOST_MS)
        f->again_ms = AGAIN_MOST_MS;
    uv_timer_start(&f->timer, on_timer,
                   version > 0 ? SUPPORTED_MS : f->again_ms, 0);
}

static void
ask_supported(struct facilitator *f)
{
    char url[1100];

    if (f->asking || f->closing)
        return;
    f->asking = true;
    format_url(url, sizeof url, f, "/supported");
    post_send(f->post, url, NULL, 0, SUPPORTED_TIMEOUT_MS, on_supported, f);
}

/* -- attestations of a pinned verifier -- */

/* What the verifier would hash: the payload that it gets from us. */
static bool
hash_payload(uint8_t out32[32], const struct x402_facilitator_ask *ask)
{
    char *memory = must(malloc(REQUEST_MAX));
    struct x402_buf text = x402_buf_on(memory, REQUEST_MAX);
    bool good;

    x402_facilitator_payload_json(&text, ask);
    good =
        !text.full && x402_receipt_hash(out32, x402_buf_span(&text)) == X402_OK;
    free(memory);
    return good;
}

/* false: it cannot be said what would be attested. */
static bool
expect(struct call *call)
{
    const struct x402_facilitator_ask *ask = &call->ask;
    struct x402_attestation *expected = &call->expected;

    snprintf(call->resource, sizeof call->resource, "%.*s",
             (int)ask->resource.len, ask->resource.at);
    *expected = (struct x402_attestation){
        .resource = x402_span_of(call->resource),
        .asset = ask->asset,
        .pay_to = ask->auth->to,
        .amount = ask->auth->value,
        .payer = ask->auth->from,
    };
    memcpy(expected->nonce, ask->auth->nonce, sizeof expected->nonce);
    return hash_payload(expected->receipt_hash, ask);
}

static bool
check_attestation(struct call *call, const struct post_answer *answer)
{
    struct facilitator *f = call->f;
    uint64_t now_s = core_now_ms() / 1000;
    enum x402_err err =
        x402_attestation_check(&call->expected, body_of(answer),
                               &f->config->facilitator.verifier, now_s);

    if (err != X402_OK) {
        log_event(LOG_ERROR, "attestation_refused", "network",
                  f->config->network->caip2, "reason", x402_err_info(err)->name,
                  NULL);
        return mutant("attestation_unchecked");
    }
    /* "for the lifetime of the receipt" and no longer */
    if (call->expected.valid_until_s > call->auth.valid_before_s)
        call->expected.valid_until_s = call->auth.valid_before_s;
    attested_put(f->attested, call->expected.receipt_hash,
                 call->expected.resource, call->expected.valid_until_s);
    return true;
}

/* -- /verify and /settle -- */

static bool
read_verify(struct facilitator_answer *out, struct call *call,
            const struct post_answer *answer)
{
    struct x402_verify_answer said;

    if (x402_verify_answer_decode(&said, body_of(answer), &call->ask) !=
        X402_OK)
        return mutant("facilitator_truthy");
    out->word = said.valid ? FACILITATOR_YES : FACILITATOR_NO;
    out->reason = said.reason;
    return !said.valid || call->f->attested == NULL ||
           check_attestation(call, answer);
}

static bool
read_settle(struct facilitator_answer *out, const struct call *call,
            const struct post_answer *answer)
{
    struct x402_settle_answer said;

    if (x402_settle_answer_decode(&said, body_of(answer), &call->ask) !=
        X402_OK)
        return false;
    out->word = said.success ? FACILITATOR_YES : FACILITATOR_NO;
    out->reason = said.reason;
    out->has_transaction = said.has_transaction;
    memcpy(out->transaction, said.transaction, sizeof out->transaction);
    return true;
}

static struct facilitator_answer
read_answer(struct call *call, const struct post_answer *answer)
{
    struct facilitator_answer out = {.word = FACILITATOR_YES};
    const char *why = unusable(answer);

    if (why == NULL && !(call->settle ? read_settle(&out, call, answer)
                                      : read_verify(&out, call, answer)))
        why = "neither yes nor no";
    if (why == NULL)
        return out;
    if (!call->f->closing)
        distrust(call->f, call->settle ? "/settle" : "/verify", why, answer);
    return (struct facilitator_answer){.word = FACILITATOR_UNKNOWN};
}

static void
call_end(struct call *call, const struct facilitator_answer *answer)
{
    if (call->settle)
        call->f->settling--;
    else
        call->f->verifying--;
    call->cb(call->arg, answer);
    free(call);
}

static void
on_answer(void *arg, const struct post_answer *answer)
{
    struct call *call = arg;
    struct facilitator_answer said = read_answer(call, answer);

    /* is it still there? */
    if (said.word == FACILITATOR_UNKNOWN && !call->f->closing)
        uv_timer_start(&call->f->timer, on_timer, 0, 0);
    call_end(call, &said);
}

static void
attested_task(void *arg)
{
    static const struct facilitator_answer yes = {.word = FACILITATOR_YES};

    call_end(arg, &yes);
}

static void
refuse_task(void *arg)
{
    static const struct facilitator_answer unknown = {.word =
                                                          FACILITATOR_UNKNOWN};

    call_end(arg, &unknown);
}

static void
call_send(struct call *call, const char *path, unsigned timeout_ms)
{
    char *body = must(malloc(REQUEST_MAX));
    struct x402_buf text = x402_buf_on(body, REQUEST_MAX);
    char url[1100];

    metrics_add(METRIC_FACILITATOR_CALLS, 1);
    x402_facilitator_request_json(&text, &call->ask);
    if (text.full) { /* no name for the network in that version */
        free(body);
        core_post(call->f->core, refuse_task, call);
        return;
    }
    format_url(url, sizeof url, call->f, path);
    post_send(call->f->post, url, body, text.len, timeout_ms, on_answer, call);
    /* everything was written: what points to the asker's memory is over */
    call->ask.signature = NULL;
    call->ask.resource = (struct x402_span){NULL, 0};
}

static struct call *
call_new(struct facilitator *f, const struct x402_facilitator_ask *asked,
         bool settle, facilitator_cb cb, void *arg)
{
    struct call *call = must(calloc(1, sizeof *call));

    *call = (struct call){.f = f,
                          .settle = settle,
                          .ask = *asked,
                          .auth = *asked->auth,
                          .cb = cb,
                          .arg = arg};
    call->ask.auth = &call->auth;
    if (asked->charge != NULL) {
        call->charge = *asked->charge;
        call->ask.charge = &call->charge;
    }
    call->ask.version = f->version;
    return call;
}

void
facilitator_verify(struct facilitator *f,
                   const struct x402_facilitator_ask *asked, facilitator_cb cb,
                   void *arg)
{
    struct call *call = call_new(f, asked, false, cb, arg);

    f->verifying++;
    if (f->closing || f->version == 0 ||
        f->verifying > FACILITATOR_VERIFY_MAX ||
        (f->attested != NULL && !expect(call)))
        core_post(f->core, refuse_task, call);
    else if (f->attested != NULL &&
             attested_has(f->attested, call->expected.receipt_hash,
                          call->expected.resource, core_now_ms() / 1000))
        core_post(f->core, attested_task, call);
    else
        call_send(call, "/verify", f->config->facilitator.verify_ms);
}

void
facilitator_settle(struct facilitator *f,
                   const struct x402_facilitator_ask *asked, facilitator_cb cb,
                   void *arg)
{
    struct call *call = call_new(f, asked, true, cb, arg);

    f->settling++;
    if (f->closing || f->version == 0 || f->settling > FACILITATOR_SETTLE_MAX)
        core_post(f->core, refuse_task, call);
    else
        call_send(call, "/settle", f->config->facilitator.settle_ms);
}

bool
facilitator_has_room(const struct facilitator *f)
{
    return f->settling < FACILITATOR_SETTLE_MAX;
}

bool
facilitator_ready(const struct facilitator *f)
{
    return f->version > 0;
}

/* An attestation (seed 001) speaks of EIP-3009's payload. */
bool
facilitator_knows(const struct facilitator *f, enum x402_method method)
{
    switch (method) {
    case X402_METHOD_EIP3009:
        return true;
    case X402_METHOD_PERMIT2_EXACT:
        return f->version == 2 && f->attested == NULL;
    case X402_METHOD_PERMIT2_UPTO:
        return f->version == 2 && f->attested == NULL && f->upto_len > 0;
    }
    return false;
}

bool
facilitator_is_account(const struct facilitator *f,
                       const struct x402_address *address)
{
    for (size_t i = 0; i < f->upto_len; i++) {
        if (x402_address_eq(&f->upto[i], address))
            return true;
    }
    return false;
}

/* -- open, close -- */

struct facilitator *
facilitator_new(struct core *core, const struct config_network *network,
                char *error, size_t error_len)
{
    const struct config_facilitator *config = &network->facilitator;
    char header[FACILITATOR_HEADER_MAX];
    struct facilitator *f;

    if (config->key_file != NULL &&
        !facilitator_key_read(header, config->key_file, error, error_len))
        return NULL;
    f = must(calloc(1, sizeof *f));
    f->core = core;
    f->config = network;
    f->again_ms = AGAIN_FIRST_MS;
    f->post = post_new(core_loop(core), X402_FACILITATOR_BODY_MAX);
    /* Two answers of /verify can look the same: one that came twice, from the
     * facilitator or whoever stands before it, would be the next payment's. */
    if (!mutant("facilitator_reuse"))
        post_no_reuse(f->post);
    if (config->key_file != NULL)
        post_header(f->post, header);
    explicit_bzero(header, sizeof header);
    if (config->has_verifier)
        f->attested = attested_new();
    if (config->ca_file != NULL)
        post_trust(f->post, config->ca_file);
    post_guard(f->post, "facilitator", f->config->facilitator.inside,
               f->config->facilitator.inside_len);
    uv_timer_init(core_loop(core), &f->timer);
    f->timer.data = f;
    uv_timer_start(&f->timer, on_timer, 0, 0);
    return f;
}

/* What was refused is told from a task: those come before this one. */
static void
free_task(void *arg)
{
    struct facilitator *f = arg;

    f->closed(f->closed_arg);
    attested_free(f->attested);
    free(f);
}

static void
part_closed(struct facilitator *f)
{
    if (--f->handles == 0)
        core_post(f->core, free_task, f);
}

static void
on_post_closed(void *arg)
{
    part_closed(arg);
}

static void
on_timer_closed(uv_handle_t *handle)
{
    part_closed(handle->data);
}

void
facilitator_close(struct facilitator *f, core_task closed, void *arg)
{
    f->closing = true;
    f->closed = closed;
    f->closed_arg = arg;
    f->handles = 2;
    post_close(f->post, on_post_closed, f);
    uv_close((uv_handle_t *)&f->timer, on_timer_closed);
}
