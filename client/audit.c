/* SPDX-License-Identifier: Apache-2.0 */
/* See audit.h: the requests, and the list of findings. */
#include "audit.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <x402/json.h>

enum { SILENCE_S = 30 };

void
audit_note(struct audit *audit, enum audit_verdict verdict, const char *what,
           const char *format, ...)
{
    struct audit_finding *finding;
    char text[sizeof(finding->text)];
    va_list args;

    if (audit->findings_len == AUDIT_FINDINGS_MAX)
        return;
    finding = &audit->finding[audit->findings_len++];
    finding->verdict = verdict;
    (void)snprintf(finding->what, sizeof(finding->what), "%s", what);
    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    terminal_clean(finding->text, sizeof(finding->text), x402_span_of(text));
}

static enum exchange_sink
on_head(void *owner, const struct exchange_answer *answer)
{
    (void)owner;
    return answer->status == 402   ? EXCHANGE_KEEP
           : answer->status == 200 ? EXCHANGE_STREAM
                                   : EXCHANGE_DROP;
}

/* A document; a paid answer's body would be of no use here. */
static bool
on_body(void *owner, const char *bytes, size_t len)
{
    return owner == NULL || blob_add(owner, bytes, len);
}

/* message: a JSON-RPC request, or NULL */
static const struct exchange_answer *
ask(struct audit *audit, const struct url *url, const char *method,
    const char *message, struct blob *document)
{
    const struct exchange_events events = {on_head, on_body, document};
    struct curl_slist *headers =
        curl_slist_append(NULL, "User-Agent: x402/" X402_VERSION);
    struct exchange_request request = {
        .url = url,
        .method = method,
        .cacert = audit->options->cacert,
        .insecure = audit->options->insecure,
        .no_private = audit->options->no_private,
        .silence_s = SILENCE_S,
    };
    const struct exchange_answer *answer;

    if (message != NULL) {
        headers = curl_slist_append(headers, "Content-Type: application/json");
        headers = curl_slist_append(
            headers, "Accept: application/json, text/event-stream");
        request.body = x402_span_of(message);
        request.has_body = true;
    }
    request.headers = headers;
    answer = exchange_run(audit->exchange, &request, &events);
    curl_slist_free_all(headers);
    return answer;
}

struct x402_span
audit_path(const struct url *url)
{
    const char *host = strstr(url->text, "://");
    const char *path = host != NULL ? strchr(host + 3, '/') : NULL;

    if (path == NULL)
        return x402_span_of("/");
    return (struct x402_span){path, strcspn(path, "?")};
}

/* The data of an event stream's first message, or all of it. */
static struct x402_span
message_of(struct x402_span text)
{
    static const char data[] = "data:";
    const char *at = text.at, *end = text.at + text.len, *line_end;

    for (; at < end && *at != '{'; at = line_end + 1) {
        line_end = memchr(at, '\n', (size_t)(end - at));
        if (line_end == NULL)
            break;
        if ((size_t)(line_end - at) >= sizeof(data) - 1 &&
            memcmp(at, data, sizeof(data) - 1) == 0) {
            at += sizeof(data) - 1;
            return (struct x402_span){at, (size_t)(line_end - at)};
        }
    }
    return text;
}

static json_t *
read_document(struct audit *audit, const struct url *url, const char *what,
              const char *message)
{
    struct blob text = blob_max(AUDIT_DOCUMENT_MAX);
    const struct exchange_answer *answer =
        ask(audit, url, message != NULL ? "POST" : "GET", message, &text);
    struct x402_span json_text = blob_span(&text);
    json_t *json = NULL;

    if (message != NULL && answer->code == CURLE_OK)
        json_text = message_of(json_text);
    if (answer->code != CURLE_OK)
        audit_note(audit, AUDIT_WARNING, what, "cannot be read: %s",
                   text.len > 0 ? "larger than 1 MiB, or cut" : answer->error);
    else if (answer->status != 200)
        audit_note(audit, AUDIT_WARNING, what, "is not there: HTTP %ld",
                   answer->status);
    else if (x402_json_load(&json, json_text, AUDIT_DOCUMENT_MAX,
                            X402_JSON_DEPTH_MAX) != X402_OK)
        audit_note(audit, AUDIT_BAD, what, "is not well-formed JSON");
    blob_free(&text);
    return json;
}

json_t *
audit_document(struct audit *audit, const char *path)
{
    struct url url;

    if (url_redirect(&url, &audit->options->url, path) != URL_OK)
        return NULL;
    return read_document(audit, &url, path, NULL);
}

json_t *
audit_rpc(struct audit *audit, const struct url *url, const char *what,
          const char *message)
{
    return read_document(audit, url, what, message);
}

/* A body of 402 is kept in the answer; each way of speaking is read alone. */
static void
read_challenges(struct audit *audit, const struct exchange_answer *answer)
{
    const struct heads *heads = &answer->heads;
    const struct x402_challenge_input v2 = {
        .payment_required = heads_single(heads, "payment-required")};
    const struct x402_challenge_input body = {
        .body = answer->body_cut ? (struct x402_span){NULL, 0}
                                 : blob_span(&answer->body)};
    const struct x402_challenge_input plain = {
        .seed001_required = heads_single(heads, "x-payment-required"),
        .seed001_currency = heads_single(heads, "x-payment-currency"),
        .seed001_chain = heads_single(heads, "x-payment-chain"),
        .seed001_pay_to = heads_single(heads, "x-pay-to")};
    struct x402_span cache;

    if (x402_challenge_read(&audit->v2, &v2) != X402_OK)
        audit->v2 = NULL;
    if (x402_challenge_read(&audit->body, &body) != X402_OK)
        audit->body = NULL;
    if (x402_challenge_read(&audit->plain, &plain) != X402_OK)
        audit->plain = NULL;
    if (heads_get(&cache, heads, "cache-control") == 0 || cache.len < 8 ||
        memcmp(cache.at, "no-store", 8) != 0)
        audit_note(audit, AUDIT_WARNING, "402",
                   "Cache-Control does not say no-store: a cache may serve an "
                   "old offer");
}

static void
find_choices(struct audit *audit)
{
    struct x402_challenge *const all[] = {audit->v2, audit->body, audit->plain};

    for (size_t i = 0; i < 3 && audit->choices_len == 0; i++) {
        if (all[i] == NULL)
            continue;
        audit->choices_len = x402_challenge_choices(all[i], &audit->choices);
        audit->skipped = x402_challenge_skipped(all[i]);
    }
}

void
audit_run(struct audit *audit, const struct audit_options *options,
          const struct say *say)
{
    const struct exchange_answer *answer;

    memset(audit, 0, sizeof(*audit));
    audit->options = options;
    audit->exchange = exchange_new(say);
    if (audit->exchange == NULL) {
        audit->failed = CURLE_OUT_OF_MEMORY;
        return;
    }
    answer = ask(audit, &options->url, options->method, NULL, NULL);
    audit->status = answer->status;
    if (answer->code != CURLE_OK && answer->status == 0) {
        audit->failed = (int)answer->code;
        terminal_clean(audit->error, sizeof(audit->error),
                       x402_span_of(answer->error));
        return;
    }
    if (answer->status != 402)
        return;
    read_challenges(audit, answer);
    find_choices(audit);
    audit_wires(audit);
    if (audit->choices_len > 0)
        audit_documents(audit);
    audit_upstreams(audit);
}

void
audit_free(struct audit *audit)
{
    x402_challenge_free(audit->v2);
    x402_challenge_free(audit->body);
    x402_challenge_free(audit->plain);
    exchange_free(audit->exchange);
}

bool
audit_is_good(const struct audit *audit)
{
    for (size_t i = 0; i < audit->findings_len; i++) {
        if (audit->finding[i].verdict == AUDIT_BAD)
            return false;
    }
    return audit->failed == 0;
}
