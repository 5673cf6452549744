/* SPDX-License-Identifier: Apache-2.0 */
/* Do the site's documents say what the 402 says? */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <x402/json.h>
#include <x402/network.h>

#include "audit.h"

/* -- /openapi.json -- */

static const json_t *
find_operation(const struct audit *audit, const json_t *openapi)
{
    const json_t *item = NULL;
    struct x402_span path = audit_path(&audit->options->url);
    char key[X402_URL_MAX], method[16] = "";

    if (path.len < sizeof(key)) {
        memcpy(key, path.at, path.len);
        key[path.len] = '\0';
        item = json_object_get(json_object_get(openapi, "paths"), key);
    }
    for (size_t i = 0; audit->options->method[i] != '\0' && i < 15; i++) {
        char c = audit->options->method[i];

        method[i] = (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
        method[i + 1] = '\0';
    }
    return json_object_get(item, method);
}

/* "0.001" of x-payment-info against the first offer. */
static bool
price_agrees(const struct audit *audit, const json_t *price)
{
    const struct x402_requirement *first = &audit->choices[0].requirement;
    struct x402_amount amount;
    struct x402_span text;

    return x402_json_string(&text, price, "amount") == X402_OK &&
           x402_amount_parse_decimal(&amount, text, first->asset->decimals) ==
               X402_OK &&
           x402_amount_cmp(&amount, &first->amount) == 0;
}

static void
check_openapi(struct audit *audit)
{
    static const char what[] = "/openapi.json";
    json_t *openapi = audit_document(audit, what);
    const json_t *operation, *price;
    struct x402_span mode;

    if (openapi == NULL)
        return;
    operation = find_operation(audit, openapi);
    price =
        json_object_get(json_object_get(operation, "x-payment-info"), "price");
    if (operation == NULL)
        audit_note(audit, AUDIT_WARNING, what, "does not list %s of this path",
                   audit->options->method);
    else if (x402_json_string(&mode, price, "mode") != X402_OK)
        audit_note(audit, AUDIT_BAD, what,
                   "lists it without x-payment-info.price: it looks free");
    else if (x402_span_eq(mode, x402_span_of("dynamic")))
        audit_note(audit, AUDIT_GOOD, what, "lists it; the price varies");
    else if (!price_agrees(audit, price))
        audit_note(audit, AUDIT_BAD, what, "lists it at another price");
    else
        audit_note(audit, AUDIT_GOOD, what, "lists it at this price");
    json_decref(openapi);
}

/* -- the manifest -- */

/* Without a query: what a route is called in documents. */
bool
audit_is_this_url(const struct audit *audit, struct x402_span text)
{
    char copy[X402_URL_MAX];
    struct x402_span a, b;
    struct url url;

    if (text.len == 0 || text.len >= sizeof(copy))
        return false;
    memcpy(copy, text.at, text.len);
    copy[text.len] = '\0';
    if (url_parse(&url, copy) != URL_OK)
        return false;
    a = audit_path(&url);
    b = audit_path(&audit->options->url);
    return url_same_origin(&url, &audit->options->url) && x402_span_eq(a, b);
}

static bool
accept_agrees(const struct audit *audit, const json_t *accept)
{
    struct x402_address asset, payee;
    struct x402_amount amount;
    struct x402_span network;

    if (x402_json_address(&asset, accept, "asset") != X402_OK ||
        x402_json_address(&payee, accept, "payTo") != X402_OK ||
        x402_json_amount(&amount, accept, "amount") != X402_OK ||
        x402_json_string(&network, accept, "network") != X402_OK)
        return true; /* of a kind that we do not know: not ours to judge */
    for (size_t i = 0; i < audit->choices_len; i++) {
        const struct x402_requirement *ours = &audit->choices[i].requirement;
        const struct x402_network *chain = x402_network_by_caip2(network);

        if (chain != NULL && chain->chain_id == ours->asset->chain_id &&
            x402_address_eq(&asset, &ours->asset->address) &&
            x402_address_eq(&payee, &ours->pay_to) &&
            x402_amount_cmp(&amount, &ours->amount) == 0)
            return true;
    }
    return false;
}

bool
audit_accepts_agree(const struct audit *audit, const json_t *accepts)
{
    const json_t *accept;
    size_t i;

    json_array_foreach(accepts, i, accept)
    {
        if (!accept_agrees(audit, accept))
            return false;
    }
    return true;
}

static void
check_entry(struct audit *audit, const char *what, const json_t *entry)
{
    if (audit_accepts_agree(audit, json_object_get(entry, "accepts")))
        audit_note(audit, AUDIT_GOOD, what, "lists it with the 402's offers");
    else
        audit_note(audit, AUDIT_BAD, what,
                   "lists it with an offer that the 402 does not make");
}

static void
check_manifest(struct audit *audit)
{
    static const char what[] = "/.well-known/x402.json";
    json_t *manifest = audit_document(audit, what), *entry;
    bool found = false;
    size_t i;

    if (manifest == NULL)
        return;
    json_array_foreach(json_object_get(manifest, "resources"), i, entry)
    {
        struct x402_span url;

        if (x402_json_string(&url, entry, "url") != X402_OK ||
            !audit_is_this_url(audit, url))
            continue;
        check_entry(audit, what, entry);
        found = true;
        break;
    }
    if (!found)
        audit_note(audit, AUDIT_WARNING, what, "does not list it");
    json_decref(manifest);
}

/* -- the short list -- */

static void
check_list(struct audit *audit)
{
    static const char what[] = "/.well-known/x402";
    json_t *list = audit_document(audit, what), *entry;
    bool found = false;
    size_t i;

    if (list == NULL)
        return;
    json_array_foreach(json_object_get(list, "resources"), i, entry)
    {
        const char *text = json_string_value(entry);

        found = found ||
                (text != NULL && audit_is_this_url(audit, x402_span_of(text)));
    }
    audit_note(audit, found ? AUDIT_GOOD : AUDIT_WARNING, what, "%s",
               found ? "lists it" : "does not list it");
    json_decref(list);
}

void
audit_documents(struct audit *audit)
{
    check_openapi(audit);
    check_manifest(audit);
    check_list(audit);
    audit_mcp(audit);
}
