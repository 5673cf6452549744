/* SPDX-License-Identifier: Apache-2.0 */
/* The loop of a request. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <openssl/sha.h>

#include "fetch_inside.h"

static uint64_t
monotonic_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

uint64_t
fetch_left_ms(const struct fetch *fetch)
{
    uint64_t now = monotonic_ms();

    if (fetch->deadline_ms == 0)
        return UINT64_MAX;
    return fetch->deadline_ms > now ? fetch->deadline_ms - now : 0;
}

const char *
fetch_outcome_name(enum fetch_outcome outcome)
{
    switch (outcome) {
    case FETCH_FREE:
        return "free";
    case FETCH_WOULD_PAY:
        return "would-pay";
    case FETCH_NOT_PAID:
        return "not-paid";
    case FETCH_PAID:
        return "paid";
    case FETCH_REFUSED:
        return "refused";
    case FETCH_UNKNOWN:
        return "unknown";
    case FETCH_FAILED:
        return "failed";
    }
    return "?";
}

enum fetch_next
fetch_end(struct fetch *fetch, int code, const char *format, ...)
{
    char text[FETCH_REASON_MAX];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    terminal_clean(fetch->result->reason, FETCH_REASON_MAX, x402_span_of(text));
    fetch->result->exit = code;
    return FETCH_NEXT_END;
}

/* Begin to write the answer out. */
static enum exchange_sink
stream(struct fetch *fetch, const struct exchange_answer *answer)
{
    if (fetch->options->fail && answer->status >= 400)
        return EXCHANGE_DROP;
    fetch->streaming = true;
    /* a failure to write shows again at the first byte and at the end */
    (void)!output_head(fetch->output, &answer->heads);
    return EXCHANGE_STREAM;
}

static enum exchange_sink
on_head(void *owner, const struct exchange_answer *answer)
{
    struct fetch *fetch = owner;
    enum exchange_sink sink = EXCHANGE_STREAM;

    if (answer->status == 402)
        return EXCHANGE_KEEP;
    if (fetch_is_redirect(fetch, answer))
        return EXCHANGE_DROP;
    if (fetch->options->dry_run)
        return EXCHANGE_DROP;
    if (fetch->result->has_payment)
        sink = fetch_paid_head(fetch, answer);
    return sink == EXCHANGE_STREAM ? stream(fetch, answer) : sink;
}

static bool
on_body(void *owner, const char *bytes, size_t len)
{
    struct fetch *fetch = owner;

    return output_body(fetch->output, bytes, len);
}

static bool
send_request(struct fetch *fetch)
{
    const struct exchange_events events = {on_head, on_body, fetch};
    uint64_t left = fetch_left_ms(fetch);
    struct curl_slist *headers = NULL;
    struct exchange_request request = {
        .url = &fetch->url,
        .method = fetch->method,
        .body = fetch->body,
        .has_body = fetch->has_body,
        .pays = fetch->carries,
        .cacert = fetch->options->cacert,
        .insecure = fetch->options->insecure,
        .no_private = fetch->options->no_private,
        .max_ms = left > INT32_MAX ? 0 : (left == 0 ? 1 : (long)left),
        .silence_s = FETCH_SILENCE_S,
    };

    if (!fetch_headers(&headers, fetch))
        return false;
    request.headers = headers;
    fetch->streaming = fetch->will_retry = false;
    if (fetch->carries)
        fetch->result->sends++;
    fetch->answer = exchange_run(fetch->exchange, &request, &events);
    curl_slist_free_all(headers);
    fetch->result->status = fetch->answer->status;
    return true;
}

/* An answer before there is a payment. */
static enum fetch_next
plain_answer(struct fetch *fetch)
{
    const struct exchange_answer *answer = fetch->answer;

    if (answer->code != CURLE_OK && fetch->output->failed)
        return fetch_end(fetch, CLIENT_EXIT_WRITE, "the output failed");
    if (answer->code != CURLE_OK)
        return fetch_end(
            fetch, answer->blocked ? CLIENT_EXIT_POLICY : (int)answer->code,
            "%s", answer->error);
    if (fetch_is_redirect(fetch, answer))
        return fetch_redirect(fetch);
    if (answer->status == 402)
        return fetch_402(fetch);
    if (fetch->options->fail && answer->status >= 400)
        return fetch_end(fetch, CLIENT_EXIT_HTTP, "HTTP %ld", answer->status);
    return fetch_end(fetch, CLIENT_EXIT_OK, "%s", "");
}

static void
run(struct fetch *fetch)
{
    enum fetch_next next = FETCH_NEXT_SEND;

    while (next == FETCH_NEXT_SEND) {
        if (!send_request(fetch)) {
            next = fetch_end(fetch, CLIENT_EXIT_USAGE, "no memory");
            break;
        }
        next = fetch->result->has_payment ? fetch_paid_answer(fetch)
                                          : plain_answer(fetch);
    }
    memcpy(fetch->result->url, fetch->url.text, sizeof(fetch->url.text));
    fetch_held_end(fetch);
    if (fetch->result->has_payment)
        journal_close(&fetch->result->payment.entry);
}

void
fetch_run(struct fetch_result *result, const struct fetch_options *options,
          struct output *output, const struct say *say)
{
    struct fetch fetch = {
        .options = options,
        .say = say,
        .output = output,
        .result = result,
        .url = options->url,
        .method = options->method,
        .body = options->body,
        .has_body = options->has_body,
        .trusted = true,
        .retry = {options->retry.failures, options->retry.waits,
                  options->retry.delay_ms,
                  options->retry.delay_ms * RETRY_DELAY_GROWTH},
        .earlier = options->limits.earlier,
    };

    memset(result, 0, sizeof(*result));
    result->payment.entry.fd = -1;
    SHA256((const unsigned char *)(fetch.body.at == NULL ? "" : fetch.body.at),
           fetch.body.len, fetch.body32);
    if (options->max_ms != 0)
        fetch.deadline_ms = monotonic_ms() + options->max_ms;
    fetch.exchange = exchange_new(say);
    if (fetch.exchange == NULL)
        (void)fetch_end(&fetch, CLIENT_EXIT_USAGE, "no memory");
    else
        run(&fetch);
    exchange_free(fetch.exchange);
}
