/* SPDX-License-Identifier: Apache-2.0 */
/* The request hash of the profile mcp:1. */
#include "lnbtc.h"

#include <x402/jcs.h>

#include "hash.h"

static enum x402_err
write_text(struct x402_buf *buf, struct x402_span text)
{
    json_t *string = json_stringn(text.at, text.len); /* NULL: no UTF-8 */
    enum x402_err err =
        string != NULL ? x402_jcs_write(buf, string) : X402_ERR_LN_BINDING;

    json_decref(string);
    return err == X402_OK ? X402_OK : X402_ERR_LN_BINDING;
}

/* "It MUST NOT include `x402/payment` or `progressToken`." */
static bool
may_be_bound(const char *name)
{
    return *name != '\0' && strcmp(name, "x402/payment") != 0 &&
           strcmp(name, "progressToken") != 0;
}

/* "For each present bound metadata member, `valueHash` MUST be SHA-256 of
 * `0x01 || UTF8(JCS(value))`.  For an absent member it MUST be SHA-256 of the
 * single byte `0x00`." */
static enum x402_err
member_hash(uint8_t out32[32], const json_t *value)
{
    char memory[X402_LNBTC_CALL_MAX];
    struct x402_buf buf = x402_buf_on(memory, sizeof memory);

    x402_buf_char(&buf, value != NULL ? 1 : 0);
    if (value != NULL && x402_jcs_write(&buf, value) != X402_OK)
        return X402_ERR_LN_BINDING;
    if (buf.full)
        return X402_ERR_LN_BINDING;
    hash_sha256(out32, x402_buf_span(&buf));
    return X402_OK;
}

static enum x402_err
write_metadata(struct x402_buf *buf, const struct x402_lnbtc_call *call)
{
    for (size_t i = 0; i < call->metadata_len; i++) {
        const char *name = call->metadata[i];
        uint8_t hash[32];
        enum x402_err err;

        /* "sorted according to JCS property ordering, without duplicates" */
        if (!may_be_bound(name) ||
            (i > 0 && !x402_jcs_before(call->metadata[i - 1], name)))
            return X402_ERR_LN_BINDING;
        err = member_hash(hash, json_object_get(call->meta, name));
        x402_buf_text(buf, i > 0 ? ",{\"name\":" : "{\"name\":");
        if (err == X402_OK)
            err = write_text(buf, x402_span_of(name));
        if (err != X402_OK)
            return err;
        x402_buf_text(buf, ",\"valueHash\":\"");
        x402_buf_hex_bare(buf, hash, sizeof hash);
        x402_buf_text(buf, "\"}");
    }
    return X402_OK;
}

/* "`{}` if omitted.  Null and non-object values MUST be rejected." */
static enum x402_err
write_arguments(struct x402_buf *buf, const json_t *arguments)
{
    if (arguments == NULL) {
        x402_buf_text(buf, "{}");
        return X402_OK;
    }
    if (!json_is_object(arguments) || x402_jcs_write(buf, arguments) != X402_OK)
        return X402_ERR_LN_BINDING;
    return X402_OK;
}

/* "A present non-object `_meta` MUST be rejected." */
static bool
is_good(const struct x402_lnbtc_call *call)
{
    return call->name.len > 0 &&
           x402_lnbtc_check_url(call->server) == X402_OK &&
           call->metadata_len <= X402_LNBTC_HEADERS_MAX &&
           (call->meta == NULL || json_is_object(call->meta));
}

/* "The binding object MUST contain exactly these members": in JCS order. */
enum x402_err
x402_lnbtc_call_hash(uint8_t out32[32], const struct x402_lnbtc_call *call)
{
    char memory[X402_LNBTC_CALL_MAX];
    struct x402_buf buf = x402_buf_on(memory, sizeof memory);
    enum x402_err err;

    if (!is_good(call))
        return X402_ERR_LN_BINDING;
    x402_buf_text(&buf, "{\"arguments\":");
    err = write_arguments(&buf, call->arguments);
    x402_buf_text(
        &buf, ",\"domain\":\"x402:exact:lnbtc:bolt11:mcp:1\",\"metadata\":[");
    if (err == X402_OK)
        err = write_metadata(&buf, call);
    x402_buf_text(&buf, "],\"method\":\"tools/call\",\"name\":");
    if (err == X402_OK)
        err = write_text(&buf, call->name);
    x402_buf_text(&buf, ",\"server\":");
    if (err == X402_OK)
        err = write_text(&buf, call->server);
    x402_buf_char(&buf, '}');
    if (err != X402_OK || buf.full)
        return X402_ERR_LN_BINDING;
    hash_sha256(out32, x402_buf_span(&buf));
    return X402_OK;
}
