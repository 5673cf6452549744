/* SPDX-License-Identifier: Apache-2.0 */
/* Lightning payments as text. */
#include <string.h>

#include <x402/encode.h>
#include <x402/json.h>

#include "ln_record.h"

static void
put_key(struct x402_buf *out, const char *key)
{
    x402_buf_text(out, ",\"");
    x402_buf_text(out, key);
    x402_buf_text(out, "\":");
}

static void
put_text(struct x402_buf *out, const char *key, const char *text)
{
    put_key(out, key);
    x402_buf_json(out, x402_span_of(text));
}

static void
put_u64(struct x402_buf *out, const char *key, uint64_t value)
{
    put_key(out, key);
    x402_buf_u64(out, value);
}

static void
put_bytes(struct x402_buf *out, const char *key, const uint8_t *bytes,
          size_t len)
{
    put_key(out, key);
    x402_buf_char(out, '"');
    x402_buf_hex_bare(out, bytes, len);
    x402_buf_char(out, '"');
}

void
ln_record_encode(struct x402_buf *out, const struct ln_record *record)
{
    x402_buf_text(out, "{\"version\":1,\"rail\":\"lightning\"");
    put_u64(out, "created", record->created.wall_s);
    put_u64(out, "boot", record->created.boot_s);
    put_text(out, "bootId", record->created.boot_id);
    put_text(out, "method", record->method);
    put_text(out, "url", record->url);
    put_text(out, "origin", record->origin);
    put_bytes(out, "body", record->body32, 32);
    put_text(out, "network", x402_ln_name(record->network));
    put_bytes(out, "payee", record->payee, X402_NODE_LEN);
    put_bytes(out, "paymentHash", record->payment_hash, 32);
    put_bytes(out, "requestHash", record->request_hash, 32);
    put_u64(out, "msat", record->amount.value);
    put_u64(out, "maxFee", record->max_fee.value);
    put_u64(out, "end", record->end_s);
    put_text(out, "invoice", record->invoice);
    put_text(out, "accepted", record->accepted);
    put_text(out, "resource", record->resource);
    if (record->held)
        x402_buf_text(out, ",\"held\":true");
    x402_buf_text(out, "}\n");
}

static bool
get_text(char *out, size_t cap, const json_t *root, const char *key)
{
    struct x402_span text;

    if (x402_json_string(&text, root, key) != X402_OK || text.len >= cap)
        return false;
    memcpy(out, text.at, text.len);
    out[text.len] = '\0';
    return true;
}

static bool
get_u64(uint64_t *out, const json_t *root, const char *key)
{
    const json_t *value = json_object_get(root, key);

    if (!json_is_integer(value) || json_integer_value(value) < 0)
        return false;
    *out = (uint64_t)json_integer_value(value);
    return true;
}

static bool
get_bytes(uint8_t *out, size_t len, const json_t *root, const char *key)
{
    struct x402_span text;

    return x402_json_string(&text, root, key) == X402_OK &&
           x402_hex_decode_bare(out, len, text) == X402_OK;
}

static bool
get_msat(struct x402_msat *out, const json_t *root, const char *key)
{
    uint64_t value;

    return get_u64(&value, root, key) && x402_msat_of(out, value) == X402_OK;
}

static bool
get_request(struct ln_record *out, const json_t *root)
{
    return get_u64(&out->created.wall_s, root, "created") &&
           get_u64(&out->created.boot_s, root, "boot") &&
           get_text(out->created.boot_id, RECORD_BOOT_MAX, root, "bootId") &&
           get_text(out->method, RECORD_METHOD_MAX, root, "method") &&
           get_text(out->url, X402_URL_MAX, root, "url") &&
           get_text(out->origin, URL_ORIGIN_MAX, root, "origin") &&
           get_bytes(out->body32, 32, root, "body");
}

static bool
get_invoice(struct ln_record *out, const json_t *root)
{
    struct x402_span network;

    return x402_json_string(&network, root, "network") == X402_OK &&
           x402_ln_by_name(&out->network, network) == X402_OK &&
           get_bytes(out->payee, X402_NODE_LEN, root, "payee") &&
           get_bytes(out->payment_hash, 32, root, "paymentHash") &&
           get_bytes(out->request_hash, 32, root, "requestHash") &&
           get_msat(&out->amount, root, "msat") &&
           get_msat(&out->max_fee, root, "maxFee") &&
           get_u64(&out->end_s, root, "end") &&
           get_text(out->invoice, sizeof(out->invoice), root, "invoice") &&
           get_text(out->accepted, LN_ENTRY_MAX, root, "accepted") &&
           get_text(out->resource, LN_RESOURCE_MAX, root, "resource");
}

static bool
next_line(struct x402_span *line, struct x402_span *text)
{
    const char *end = text->len == 0 ? NULL : memchr(text->at, '\n', text->len);

    if (end == NULL)
        return false; /* torn: it was never finished */
    *line = (struct x402_span){text->at, (size_t)(end - text->at)};
    text->len -= line->len + 1;
    text->at = end + 1;
    return true;
}

/* A line that does not read was torn by a crash: the one before counts. */
static void
apply_line(struct ln_record *out, struct x402_span line)
{
    struct x402_span text;
    uint64_t status;
    json_t *root;

    if (x402_json_load(&root, line, 1024, 2) != X402_OK)
        return;
    if (get_bytes(out->preimage, 32, root, "preimage"))
        out->has_preimage = true;
    if (x402_json_string(&text, root, "state") == X402_OK)
        (void)record_state_by_name(&out->state, text);
    if (get_u64(&status, root, "status") && status < 1000)
        out->status = (long)status;
    json_decref(root);
}

enum x402_err
ln_record_decode(struct ln_record *out, struct x402_span text)
{
    struct x402_span line;
    uint64_t version;
    json_t *root;
    bool good;

    memset(out, 0, sizeof(*out));
    if (!next_line(&line, &text) ||
        x402_json_load(&root, line, RECORD_TEXT_MAX, 2) != X402_OK)
        return X402_ERR_SYNTAX;
    good = get_u64(&version, root, "version") && version == 1 &&
           get_request(out, root) && get_invoice(out, root);
    out->held = json_is_true(json_object_get(root, "held"));
    json_decref(root);
    if (!good)
        return X402_ERR_SYNTAX;
    out->state = RECORD_SIGNED;
    while (next_line(&line, &text)) {
        if (line.len > 0)
            apply_line(out, line);
    }
    return X402_OK;
}
