/* SPDX-License-Identifier: Apache-2.0 */
/* The Bazaar's URLs.  What is asked becomes a struct here, on the HTTP thread;
 * the Bazaar's threads answer, and the core hands the answer over. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../bazaar/bazaar.h"
#include "request.h"

#define LIST_MAX 100 /* resources in one answer */
#define OFFSET_MAX 10000000

struct http_asking {
    struct store_question question;
    struct bazaar_claim claim;
    char url[X402_URL_MAX], method[8];
};

/* -- back from the Bazaar -- */

static void
take_answer(void *arg)
{
    struct http_request *request = arg;

    if (!request->aborted && request->found != NULL) {
        request->large = request->found;
        request->large_len = request->found_len;
        request->status = request->found_status;
        request->found = NULL;
    } else if (!request->aborted) {
        request->retry_after_s = 1;
        http_refuse(request, MHD_HTTP_SERVICE_UNAVAILABLE, X402_ERR_UNAVAILABLE,
                    "busy; ask again");
    }
    http_answer(request);
}

static void
on_answer(void *arg, unsigned status, char *json, size_t len)
{
    struct http_request *request = arg;

    request->found = json;
    request->found_len = len;
    request->found_status = status;
    core_post(request->http->core, take_answer, request);
}

/* -- what is asked -- */

static const char *
argument(const struct http_request *request, const char *name)
{
    return MHD_lookup_connection_value(request->connection,
                                       MHD_GET_ARGUMENT_KIND, name);
}

static enum http_next
bad(struct http_request *request, const char *message)
{
    return http_refuse(request, MHD_HTTP_BAD_REQUEST, X402_ERR_SYNTAX, message);
}

/* A whole number; absent: as it is.  Above max: max. */
static bool
take_number(const struct http_request *request, const char *name, unsigned max,
            unsigned *out)
{
    const char *text = argument(request, name);

    if (text == NULL)
        return true;
    if (*text == '\0' || strspn(text, "0123456789") != strlen(text))
        return false;
    *out = strlen(text) > 9 || strtoul(text, NULL, 10) > max
               ? max
               : (unsigned)strtoul(text, NULL, 10);
    return true;
}

static void
add_filter(struct store_question *q, const char *kind, const char *value)
{
    if (q->filter_len < STORE_FILTERS_MAX)
        listing_term(q->filter[q->filter_len++], kind, value);
}

/* "base" and "eip155:8453" are one network. */
static const char *
network_name(const char *text)
{
    const struct x402_network *network =
        x402_network_by_any(x402_span_of(text));

    return network != NULL ? network->caip2 : text;
}

static bool
take_filters(const struct http_request *request, struct store_question *q)
{
    static const char *const names[][2] = {{"type", "type"},
                                           {"scheme", "scheme"},
                                           {"asset", "asset"},
                                           {"payTo", "payTo"},
                                           {"extensions", "extension"},
                                           {"network", "network"}};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const char *text = argument(request, names[i][0]);

        if (text == NULL || *text == '\0')
            continue;
        if (strlen(text) > LISTING_PAYEE_MAX - 1)
            return false;
        add_filter(q, names[i][1], i == 5 ? network_name(text) : text);
    }
    return true;
}

/* "tags": a word, or some of them with commas. */
static bool
take_tags(const struct http_request *request, struct store_question *q)
{
    const char *at = argument(request, "tags");
    char tag[LISTING_NAME_MAX + 1];

    while (at != NULL && *at != '\0') {
        size_t len = strcspn(at, ",");

        if (len > LISTING_NAME_MAX || q->filter_len == STORE_FILTERS_MAX)
            return false;
        memcpy(tag, at, len);
        tag[len] = '\0';
        if (len != 0)
            add_filter(q, "tag", tag);
        at += len + (at[len] == ',');
    }
    return true;
}

/* "0.05": dollars */
static bool
take_price(const struct http_request *request, struct store_question *q)
{
    const char *text = argument(request, "maxUsdPrice");
    struct x402_amount amount;
    uint64_t micro;

    if (text == NULL || *text == '\0')
        return true;
    if (x402_amount_parse_decimal(&amount, x402_span_of(text), 6) != X402_OK ||
        !x402_amount_u64(&micro, &amount) || micro > INT64_MAX)
        return false;
    q->max_price_micro = (int64_t)micro;
    return true;
}

static bool
take_resource(struct http_request *request, char *out, size_t cap)
{
    const char *text = argument(request, "resource");

    if (text == NULL)
        return true;
    return strlen(text) < cap && snprintf(out, cap, "%s", text) >= 0;
}

/* NULL after a refusal. */
static struct store_question *
begin(struct http_request *request, enum store_ask ask)
{
    struct store_question *q;

    if (request->http->bazaar == NULL) {
        http_refuse(request, MHD_HTTP_NOT_FOUND, X402_ERR_SYNTAX,
                    "there is no Bazaar here");
        return NULL;
    }
    request->asking = calloc(1, sizeof(*request->asking));
    if (request->asking == NULL) {
        http_refuse(request, MHD_HTTP_SERVICE_UNAVAILABLE, X402_ERR_UNAVAILABLE,
                    "out of memory");
        return NULL;
    }
    q = &request->asking->question;
    q->ask = ask;
    q->max_price_micro = -1;
    q->limit = 20;
    if (take_filters(request, q) && take_tags(request, q) &&
        take_price(request, q) &&
        take_number(request, "limit", LIST_MAX, &q->limit) &&
        take_number(request, ask == STORE_SEARCH ? "cursor" : "offset",
                    OFFSET_MAX, &q->offset) &&
        take_resource(request, q->resource, sizeof(q->resource)))
        return q;
    bad(request, "limit, offset and cursor are whole numbers, maxUsdPrice is "
                 "dollars such as 0.05, filters have at most 128 bytes, tags "
                 "32 each");
    return NULL;
}

static void
ask(struct http_request *request)
{
    bazaar_ask(request->http->bazaar, &request->asking->question, on_answer,
               request);
}

/* -- the URLs -- */

enum http_next
http_discovery_resources(struct http_request *request)
{
    if (begin(request, STORE_LIST) == NULL)
        return HTTP_ANSWER;
    return http_to_core(request, ask);
}

enum http_next
http_discovery_search(struct http_request *request)
{
    struct store_question *q = begin(request, STORE_SEARCH);
    const char *text = argument(request, "query");

    if (q == NULL)
        return HTTP_ANSWER;
    if (text != NULL && strlen(text) > STORE_QUERY_MAX)
        return bad(request, "query: at most 400 bytes");
    snprintf(q->query, sizeof(q->query), "%s", text != NULL ? text : "");
    return http_to_core(request, ask);
}

static bool
is_word(const char *text)
{
    return strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                        "0123456789:._-") == strlen(text);
}

enum http_next
http_discovery_merchant(struct http_request *request)
{
    struct store_question *q = begin(request, STORE_MERCHANT);
    const char *text = argument(request, "payTo");

    if (q == NULL)
        return HTTP_ANSWER;
    if (text == NULL || *text == '\0' || !is_word(text))
        return bad(request, "payTo: write the address that is paid");
    snprintf(q->payee, sizeof(q->payee), "%s", text);
    return http_to_core(request, ask);
}

static void
ask_live(struct http_request *request)
{
    struct http_asking *asking = request->asking;

    bazaar_live(request->http->bazaar, asking->question.resource,
                asking->method, on_answer, request);
}

enum http_next
http_discovery_live(struct http_request *request)
{
    struct store_question *q = begin(request, STORE_LIST);
    const char *method = argument(request, "method");

    if (q == NULL)
        return HTTP_ANSWER;
    if (q->resource[0] == '\0')
        return bad(request, "resource: write the URL of a listed resource");
    /* any method that may not change anything, or a POST without a body: an
     * unpaid request is answered before it is looked at */
    snprintf(request->asking->method, sizeof(request->asking->method), "%s",
             method != NULL && strcmp(method, "POST") == 0 ? "POST" : "GET");
    return http_to_core(request, ask_live);
}

static void
ask_register(struct http_request *request)
{
    bazaar_register(request->http->bazaar, &request->asking->claim, on_answer,
                    request);
}

enum http_next
http_register(struct http_request *request)
{
    char why[160];

    if (begin(request, STORE_LIST) == NULL)
        return HTTP_ANSWER;
    if (!bazaar_claim_read(&request->asking->claim, why, sizeof(why),
                           (struct x402_span){request->body, request->body_len},
                           core_now_ms() / 1000))
        return bad(request, why);
    return http_to_core(request, ask_register);
}
