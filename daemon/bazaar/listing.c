/* SPDX-License-Identifier: Apache-2.0 */
/* See listing.h. */
#include "listing.h"

#include <stdio.h>
#include <string.h>

#include <x402/bolt11.h>
#include <x402/buf.h>
#include <x402/discovery.h>
#include <x402/network.h>
#include <x402/text.h>

#include "clean.h"

struct reading {
    struct listing *out;
    char *why;
    size_t why_len;
    json_t *item; /* the object that is shown */
};

static bool
refuse(struct reading *r, const char *why)
{
    snprintf(r->why, r->why_len, "%s", why);
    return false;
}

/* -- words for filters -- */

void
listing_term(char out[LISTING_TERM_LEN + 1], const char *kind,
             const char *value)
{
    uint64_t hash = 14695981039346656037ULL; /* FNV-1a */
    char text[256];
    int len = snprintf(text, sizeof(text), "%s=%s", kind, value);

    for (int i = 0; i < len && i < (int)sizeof(text) - 1; i++) {
        char c = text[i];

        hash ^= (uint8_t)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
        hash *= 1099511628211ULL;
    }
    snprintf(out, LISTING_TERM_LEN + 1, "z%016llx", (unsigned long long)hash);
}

static void
add_term(struct listing *out, const char *kind, const char *value)
{
    char term[LISTING_TERM_LEN + 1];
    size_t used = strlen(out->terms);

    listing_term(term, kind, value);
    if (strstr(out->terms, term) == NULL &&
        used + LISTING_TERM_LEN + 2 <= sizeof(out->terms))
        snprintf(out->terms + used, sizeof(out->terms) - used, "%s%s",
                 used != 0 ? " " : "", term);
}

/* -- what it costs -- */

/* Dollar tokens only: millionths of a dollar. */
static int64_t
price_of(const char *network, const char *asset, const char *amount)
{
    const struct x402_network *net = x402_network_by_any(x402_span_of(network));
    const struct x402_asset *token;
    struct x402_address address;
    struct x402_amount value;
    uint64_t units;

    if (net == NULL ||
        x402_address_parse(&address, x402_span_of(asset)) != X402_OK ||
        x402_amount_parse(&value, x402_span_of(amount)) != X402_OK)
        return -1;
    token = x402_asset_by_address(net->chain_id, &address);
    if (token == NULL || strstr(token->symbol, "USD") == NULL ||
        !x402_amount_u64(&units, &value))
        return -1;
    for (unsigned i = 6; i < token->decimals; i++)
        units = units / 10 + (units % 10 != 0);
    return units <= INT64_MAX / 2 ? (int64_t)units : -1;
}

/* A member that is one printable word; NULL: it is not. */
static const char *
word(const json_t *object, const char *key, size_t max)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text != NULL && clean_is_word(text, max) ? text : NULL;
}

static bool
is_digits(const char *text)
{
    return text != NULL && *text != '\0' && strlen(text) <= 78 &&
           strspn(text, "0123456789") == strlen(text);
}

static void
add_payee(struct listing *out, const char *payee)
{
    char *at = out->payee[out->payee_len];

    for (size_t i = 0; i <= strlen(payee); i++)
        at[i] = payee[i] >= 'A' && payee[i] <= 'Z' ? (char)(payee[i] | 0x20)
                                                   : payee[i];
    for (size_t i = 0; i < out->payee_len; i++) {
        if (strcmp(out->payee[i], at) == 0)
            return;
    }
    out->payee_len++;
}

void
listing_payees(char out[LISTING_PAYEES_TEXT], const struct listing *listing)
{
    struct x402_buf text = x402_buf_on(out, LISTING_PAYEES_TEXT - 1);

    x402_buf_char(&text, ' ');
    for (size_t i = 0; i < listing->payee_len; i++) {
        x402_buf_text(&text, listing->payee[i]);
        x402_buf_char(&text, ' ');
    }
    out[text.len] = '\0';
}

static void
note_price(struct listing *out, int64_t price)
{
    if (price >= 0 && (out->price_micro < 0 || price < out->price_micro))
        out->price_micro = price;
}

static bool
is_lightning(const char *network, const char *asset)
{
    enum x402_ln_network found;

    return strcmp(asset, "BTC") == 0 &&
           x402_ln_by_caip2(&found, x402_span_of(network)) == X402_OK;
}

static json_t *
sats_text(const char *amount)
{
    char text[X402_AMOUNT_TEXT_MAX + 8];
    struct x402_amount value;
    size_t len;

    if (x402_amount_parse(&value, x402_span_of(amount)) != X402_OK)
        return json_null();
    len = x402_amount_format_decimal(text, &value, 3, 0);
    snprintf(text + len, sizeof(text) - len, " sat");
    return json_string(text);
}

/* "0.001 USDC", from our own table; NULL: not a token that we know. */
static json_t *
price_text(const char *network, const char *asset, const char *amount)
{
    const struct x402_network *net = x402_network_by_any(x402_span_of(network));
    const struct x402_asset *token = NULL;
    struct x402_address address;
    struct x402_amount value;
    char text[X402_AMOUNT_TEXT_MAX + 64];
    size_t len;

    if (is_lightning(network, asset))
        return sats_text(amount);
    if (net != NULL &&
        x402_address_parse(&address, x402_span_of(asset)) == X402_OK)
        token = x402_asset_by_address(net->chain_id, &address);
    if (token == NULL ||
        x402_amount_parse(&value, x402_span_of(amount)) != X402_OK)
        return json_null();
    len = x402_amount_format_decimal(text, &value, token->decimals, 0);
    snprintf(text + len, sizeof(text) - len, " %s", token->symbol);
    return json_string(text);
}

/* An invoice is for one request, and is old when somebody reads of it. */
static json_t *
take_extra(const json_t *extra, bool lightning)
{
    json_t *out = clean_object(extra, LISTING_EXTRA_MAX);

    if (lightning) {
        json_object_del(out, "invoice");
        json_object_del(out, "requestHash");
    }
    return out;
}

/* One way to pay, written anew; NULL: not one that we show. */
static json_t *
take_accept(struct listing *out, const json_t *entry)
{
    const char *scheme = word(entry, "scheme", 32);
    const char *network = word(entry, "network", 64);
    const char *asset = word(entry, "asset", 128);
    const char *payee = word(entry, "payTo", LISTING_PAYEE_MAX - 1);
    const char *amount = json_string_value(json_object_get(entry, "amount"));
    json_int_t timeout =
        json_integer_value(json_object_get(entry, "maxTimeoutSeconds"));

    if (amount == NULL)
        amount = json_string_value(json_object_get(entry, "maxAmountRequired"));
    if (scheme == NULL || network == NULL || asset == NULL || payee == NULL ||
        !is_digits(amount))
        return NULL;
    add_term(out, "scheme", scheme);
    add_term(out, "network", network);
    add_term(out, "asset", asset);
    add_term(out, "payTo", payee);
    add_payee(out, payee);
    note_price(out, price_of(network, asset, amount));
    return json_pack(
        "{s:s,s:s,s:s,s:s,s:s,s:I,s:o}", "scheme", scheme, "network", network,
        "amount", amount, "asset", asset, "payTo", payee, "maxTimeoutSeconds",
        timeout < 0 || timeout > 86400 * 365 ? (json_int_t)0 : timeout, "extra",
        take_extra(json_object_get(entry, "extra"),
                   is_lightning(network, asset)));
}

static bool
take_accepts(struct reading *r, const json_t *accepts)
{
    json_t *list = json_array(), *prices = json_array();
    const json_t *entry;
    size_t i;

    json_array_foreach(accepts, i, entry)
    {
        json_t *taken =
            i < LISTING_ACCEPTS_MAX ? take_accept(r->out, entry) : NULL;

        if (taken == NULL)
            continue;
        json_array_append_new(list, taken);
        json_array_append_new(
            prices,
            price_text(word(taken, "network", 64), word(taken, "asset", 128),
                       json_string_value(json_object_get(taken, "amount"))));
    }
    if (json_array_size(list) == 0) {
        json_decref(list);
        json_decref(prices);
        return refuse(r, "accepts has no entry that can be listed");
    }
    json_object_set_new(r->item, "accepts", list);
    json_object_set_new(r->item, "prices", prices);
    return true;
}

/* -- what it is -- */

static void
take_text(struct reading *r, char *out, size_t cap, const json_t *value,
          const char *key)
{
    const char *text = json_string_value(value);

    if (text == NULL || *text == '\0')
        return;
    x402_text_clean(out, cap,
                    (struct x402_span){text, json_string_length(value)});
    json_object_set_new(r->item, key, json_string(out));
}

static void
take_tags(struct reading *r, const json_t *tags)
{
    json_t *list = json_array();
    const json_t *tag;
    size_t i;

    json_array_foreach(tags, i, tag)
    {
        const char *text = json_string_value(tag);
        size_t used = strlen(r->out->tags);

        if (json_array_size(list) == LISTING_TAGS_MAX || i > 64)
            break;
        if (text == NULL || !clean_is_ascii(text, LISTING_NAME_MAX) ||
            clean_has(list, text))
            continue;
        json_array_append_new(list, json_string(text));
        add_term(r->out, "tag", text);
        snprintf(r->out->tags + used, sizeof(r->out->tags) - used, "%s%s",
                 used != 0 ? " " : "", text);
    }
    if (json_array_size(list) != 0)
        json_object_set(r->item, "tags", list);
    json_decref(list);
}

static void
take_about(struct reading *r, const json_t *resource, const json_t *input)
{
    struct listing *out = r->out;
    const json_t *about = json_object_get(resource, "description");
    const char *name =
        json_string_value(json_object_get(resource, "serviceName"));
    const char *icon = json_string_value(json_object_get(resource, "iconUrl"));
    const char *mime = word(resource, "mimeType", 100);

    if (!json_is_string(about) || json_string_length(about) == 0)
        about = json_object_get(input, "description");
    take_text(r, out->description, sizeof(out->description), about,
              "description");
    if (mime != NULL)
        json_object_set_new(r->item, "mimeType", json_string(mime));
    if (name != NULL && clean_is_ascii(name, LISTING_NAME_MAX)) {
        snprintf(out->name, sizeof(out->name), "%s", name);
        json_object_set_new(r->item, "serviceName", json_string(name));
    }
    if (icon != NULL && bazaar_icon_is_good(icon))
        json_object_set_new(r->item, "iconUrl", json_string(icon));
    take_tags(r, json_object_get(resource, "tags"));
}

/* "For MCP tools, the unique resource identifier is the tuple (`resource.url`,
 * `input.toolName`)." */
static bool
take_key(struct reading *r, const struct listing_source *source)
{
    struct listing *out = r->out;
    const json_t *info = json_object_get(source->bazaar, "info");
    const json_t *input = json_object_get(info, "input");
    const char *url =
        json_string_value(json_object_get(source->resource, "url"));
    const char *type = json_string_value(json_object_get(input, "type"));
    const char *method = word(input, "method", sizeof(out->method) - 1);
    bool mcp = type != NULL && strcmp(type, "mcp") == 0;
    char tool[129] = "";

    if (mcp && x402_bazaar_tool(input) != NULL)
        x402_text_clean(tool, sizeof(tool),
                        x402_span_of(x402_bazaar_tool(input)));
    snprintf(out->type, sizeof(out->type), "%s", mcp ? "mcp" : "http");
    if (!mcp)
        snprintf(out->method, sizeof(out->method), "%s",
                 method != NULL ? method : "GET");
    snprintf(out->key, sizeof(out->key), "%s%s%s", out->url, mcp ? " " : "",
             tool);
    add_term(out, "type", out->type);
    return url != NULL;
}

static bool
take_url(struct reading *r, const struct listing_source *source,
         const struct guard *guard)
{
    const json_t *url = json_object_get(source->resource, "url");
    const char *template =
        json_string_value(json_object_get(source->bazaar, "routeTemplate"));
    const char *why;

    if (!json_is_string(url))
        return refuse(r, "resource.url is missing");
    if (template != NULL && !bazaar_template_is_good(template))
        template = NULL;
    why = bazaar_url(r->out->url, sizeof(r->out->url), json_string_value(url),
                     template, guard);
    return why == NULL || refuse(r, why);
}

static bool
take_extension(struct reading *r, const json_t *bazaar)
{
    json_t *copy;

    if (bazaar == NULL)
        return true;
    if (x402_bazaar_check(r->why, r->why_len, bazaar) != X402_OK)
        return false;
    copy = clean_object(bazaar, LISTING_ITEM_MAX / 2);
    if (json_object_size(copy) == 0) {
        json_decref(copy);
        return refuse(r, "the extension is too large to be listed");
    }
    add_term(r->out, "extension", "bazaar");
    json_object_set_new(r->item, "extensions",
                        json_pack("{s:o}", "bazaar", copy));
    return true;
}

static bool
write_item(struct reading *r)
{
    struct listing *out = r->out;

    out->item_len =
        json_dumpb(r->item, out->item, sizeof(out->item), JSON_COMPACT);
    if (out->item_len < 2 || out->item_len > sizeof(out->item))
        return refuse(r, "the listing is too large");
    out->item_len--; /* its '}' comes after what the catalogue knows */
    return true;
}

bool
listing_read(struct listing *out, char *why, size_t why_len,
             const struct listing_source *source, const struct guard *guard)
{
    struct reading r = {out, why, why_len, json_object()};
    const json_t *info = json_object_get(source->bazaar, "info");
    bool good;

    memset(out, 0, sizeof(*out));
    out->price_micro = -1;
    good =
        r.item != NULL && take_url(&r, source, guard) && take_key(&r, source);
    if (good) {
        json_object_set_new(r.item, "resource", json_string(out->url));
        json_object_set_new(r.item, "type", json_string(out->type));
        json_object_set_new(r.item, "x402Version",
                            json_integer(source->version));
        good = take_accepts(&r, source->accepts);
    }
    if (good)
        take_about(&r, source->resource, json_object_get(info, "input"));
    good = good && take_extension(&r, source->bazaar) && write_item(&r);
    json_decref(r.item);
    return good;
}
