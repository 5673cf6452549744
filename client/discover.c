/* SPDX-License-Identifier: Apache-2.0 */
/* See discover.h. */
#include "discover.h"

#include <stdio.h>
#include <string.h>

#include <x402/json.h>
#include <x402/network.h>

#include "exit.h"
#include "money.h"

#define SILENCE_S 30

/* -- asking -- */

static bool
add(char *url, size_t cap, const char *name, const char *value)
{
    char *escaped = curl_easy_escape(NULL, value, 0);
    size_t used = strlen(url);
    int len = -1;

    if (escaped != NULL)
        len = snprintf(url + used, cap - used, "%s%s=%s",
                       strchr(url, '?') != NULL ? "&" : "?", name, escaped);
    curl_free(escaped);
    return len >= 0 && (size_t)len < cap - used;
}

static bool
make_url(struct url *out, const struct discover_options *o)
{
    char text[X402_URL_MAX], limit[16];
    size_t len = strcspn(o->bazaar.text, "?");

    while (len > 0 && o->bazaar.text[len - 1] == '/')
        len--;
    if (snprintf(text, sizeof(text), "%.*s/discovery/search", (int)len,
                 o->bazaar.text) >= (int)sizeof(text))
        return false;
    snprintf(limit, sizeof(limit), "%u", o->limit);
    return add(text, sizeof(text), "query", o->query) &&
           add(text, sizeof(text), "limit", limit) &&
           (o->network == NULL ||
            add(text, sizeof(text), "network", o->network)) &&
           (o->max_price == NULL ||
            add(text, sizeof(text), "maxUsdPrice", o->max_price)) &&
           url_parse(out, text) == URL_OK;
}

static enum exchange_sink
on_head(void *owner, const struct exchange_answer *answer)
{
    (void)owner;
    return answer->status == 200 ? EXCHANGE_STREAM : EXCHANGE_DROP;
}

static bool
on_body(void *owner, const char *bytes, size_t len)
{
    return blob_add(owner, bytes, len);
}

static json_t *
read_answer(const struct blob *body)
{
    json_t *json = NULL;

    if (x402_json_load(&json, (struct x402_span){body->at, body->len},
                       DISCOVER_ANSWER_MAX, DISCOVER_DEPTH_MAX) != X402_OK ||
        json_is_array(json_object_get(json, "resources")))
        return json;
    json_decref(json);
    return NULL;
}

static json_t *
take(const struct exchange_answer *answer, const struct blob *body, int *code,
     char error[DISCOVER_ERROR_MAX])
{
    json_t *json;

    *code = CLIENT_EXIT_RECEIVE;
    if (answer->code != CURLE_OK) {
        *code = (int)answer->code;
        terminal_clean(error, DISCOVER_ERROR_MAX, x402_span_of(answer->error));
        return NULL;
    }
    if (answer->status != 200) {
        *code = CLIENT_EXIT_HTTP;
        snprintf(error, DISCOVER_ERROR_MAX, "the Bazaar answers %ld",
                 answer->status);
        return NULL;
    }
    json = read_answer(body);
    if (json == NULL)
        snprintf(error, DISCOVER_ERROR_MAX,
                 "what answers there is not a Bazaar");
    return json;
}

json_t *
discover(const struct discover_options *o, const struct say *say, int *code,
         char error[DISCOVER_ERROR_MAX])
{
    struct blob body = blob_max(DISCOVER_ANSWER_MAX);
    const struct exchange_events events = {on_head, on_body, &body};
    struct exchange *exchange = exchange_new(say);
    struct url url;
    struct exchange_request request = {.url = &url,
                                       .method = "GET",
                                       .cacert = o->cacert,
                                       .insecure = o->insecure,
                                       .no_private = o->no_private,
                                       .silence_s = SILENCE_S};
    json_t *json = NULL;

    *code = CLIENT_EXIT_URL;
    snprintf(error, DISCOVER_ERROR_MAX, "the question is too long");
    if (exchange != NULL && make_url(&url, o))
        json =
            take(exchange_run(exchange, &request, &events), &body, code, error);
    blob_free(&body);
    exchange_free(exchange);
    return json;
}

/* -- showing -- */

#define SHOWN_MAX 1024

static const char *
clean(char out[SHOWN_MAX], const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);

    out[0] = '\0';
    if (json_is_string(value))
        terminal_clean(out, SHOWN_MAX,
                       (struct x402_span){json_string_value(value),
                                          json_string_length(value)});
    return out;
}

/* Name and decimals of a token are our table's, not the listing's. */
static void
print_price(const json_t *accept)
{
    char amount[SHOWN_MAX], asset[SHOWN_MAX], network[SHOWN_MAX];
    char price[MONEY_TEXT_MAX];
    const struct x402_network *net;
    const struct x402_asset *token = NULL;
    struct x402_address address;
    struct x402_amount value;

    clean(amount, accept, "amount");
    clean(asset, accept, "asset");
    net =
        x402_network_by_caip2(x402_span_of(clean(network, accept, "network")));
    if (net != NULL &&
        x402_address_parse(&address, x402_span_of(asset)) == X402_OK)
        token = x402_asset_by_address(net->chain_id, &address);
    if (token != NULL &&
        x402_amount_parse(&value, x402_span_of(amount)) == X402_OK) {
        money_format_asset(price, &value, token);
        printf("  %s on %s\n", price, net->label);
    } else {
        printf("  %.80s units of %.80s on %.80s\n", amount, asset, network);
    }
}

static void
print_quality(const json_t *resource)
{
    const json_t *quality = json_object_get(resource, "quality");
    json_int_t calls = json_integer_value(
                   json_object_get(quality, "l30DaysTotalCalls")),
               payers = json_integer_value(
                   json_object_get(quality, "l30DaysUniquePayers"));

    if (quality != NULL)
        printf("  %lld payments of %lld payers in 30 days\n", (long long)calls,
               (long long)payers);
}

void
discover_print(const json_t *resource)
{
    const json_t *extension =
        json_object_get(json_object_get(resource, "extensions"), "bazaar");
    const json_t *input =
        json_object_get(json_object_get(extension, "info"), "input");
    const json_t *accepts = json_object_get(resource, "accepts"), *accept;
    char url[SHOWN_MAX], method[SHOWN_MAX], about[SHOWN_MAX];
    size_t i;

    clean(url, resource, "resource");
    clean(method, input, "method");
    clean(about, resource, "description");
    printf("%.16s %s\n", *method != '\0' ? method : "GET", url);
    if (*about != '\0')
        printf("  %s\n", about);
    json_array_foreach(accepts, i, accept)
    {
        if (i < 5)
            print_price(accept);
    }
    print_quality(resource);
}
