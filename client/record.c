/* SPDX-License-Identifier: Apache-2.0 */
/* Journal records as text. */
#include <string.h>

#include <x402/encode.h>
#include <x402/json.h>

#include "record.h"

static const struct {
    enum record_state state;
    const char *name;
} states[] = {{RECORD_SIGNED, "signed"},   {RECORD_ACCEPTED, "accepted"},
              {RECORD_DONE, "done"},       {RECORD_REFUSED, "refused"},
              {RECORD_UNKNOWN, "unknown"}, {RECORD_VOID, "void"},
              {RECORD_FAILED, "failed"}};

enum { STATES = sizeof(states) / sizeof(states[0]) };

const char *
record_header_name(enum x402_wire wire)
{
    switch (wire) {
    case X402_WIRE_V2:
        return "PAYMENT-SIGNATURE";
    case X402_WIRE_V1:
    case X402_WIRE_SEED000:
        return "X-PAYMENT";
    case X402_WIRE_SEED001:
        return "X-Payment";
    }
    return "";
}

const char *
record_wire_name(enum x402_wire wire)
{
    switch (wire) {
    case X402_WIRE_V2:
        return "v2";
    case X402_WIRE_V1:
        return "v1";
    case X402_WIRE_SEED000:
        return "seed000";
    case X402_WIRE_SEED001:
        return "seed001";
    }
    return "?";
}

const char *
record_state_name(enum record_state state)
{
    for (size_t i = 0; i < STATES; i++) {
        if (states[i].state == state)
            return states[i].name;
    }
    return "?";
}

bool
record_state_by_name(enum record_state *out, struct x402_span name)
{
    for (size_t i = 0; i < STATES; i++) {
        if (x402_span_eq(name, x402_span_of(states[i].name))) {
            *out = states[i].state;
            return true;
        }
    }
    return false;
}

bool
record_is_unresolved(enum record_state state)
{
    switch (state) {
    case RECORD_SIGNED:
    case RECORD_UNKNOWN:
        return true;
    case RECORD_ACCEPTED:
    case RECORD_DONE:
    case RECORD_REFUSED:
    case RECORD_VOID:
    case RECORD_FAILED:
        return false;
    }
    return true;
}

static void
put_text(struct x402_buf *out, const char *key, const char *text)
{
    x402_buf_text(out, ",\"");
    x402_buf_text(out, key);
    x402_buf_text(out, "\":");
    x402_buf_json(out, x402_span_of(text));
}

static void
put_hex(struct x402_buf *out, const char *key, const uint8_t *bytes, size_t len)
{
    x402_buf_text(out, ",\"");
    x402_buf_text(out, key);
    x402_buf_text(out, "\":\"");
    x402_buf_hex(out, bytes, len);
    x402_buf_char(out, '"');
}

static void
put_address(struct x402_buf *out, const char *key,
            const struct x402_address *address)
{
    char text[X402_ADDRESS_TEXT_LEN + 1];

    x402_address_format(text, address);
    put_text(out, key, text);
}

static void
put_u64(struct x402_buf *out, const char *key, uint64_t value)
{
    x402_buf_text(out, ",\"");
    x402_buf_text(out, key);
    x402_buf_text(out, "\":");
    x402_buf_u64(out, value);
}

void
record_encode(struct x402_buf *out, const struct record *record)
{
    const struct x402_authorization *auth = &record->auth;
    char amount[X402_AMOUNT_TEXT_MAX + 1];

    (void)x402_amount_format(amount, &auth->value);
    x402_buf_text(out, "{\"version\":1");
    put_u64(out, "created", record->created.wall_s);
    put_u64(out, "boot", record->created.boot_s);
    put_text(out, "bootId", record->created.boot_id);
    put_text(out, "method", record->method);
    put_text(out, "url", record->url);
    put_text(out, "origin", record->origin);
    put_hex(out, "body", record->body32, sizeof(record->body32));
    put_text(out, "wire", record_wire_name(record->wire));
    put_u64(out, "chain", record->chain_id);
    put_address(out, "asset", &record->asset);
    put_text(out, "amount", amount);
    put_address(out, "from", &auth->from);
    put_address(out, "to", &auth->to);
    put_u64(out, "validAfter", auth->valid_after_s);
    put_u64(out, "validBefore", auth->valid_before_s);
    put_hex(out, "nonce", auth->nonce, sizeof(auth->nonce));
    put_text(out, "header", record->header);
    x402_buf_text(out, "}\n");
}

void
record_encode_state(struct x402_buf *out, enum record_state state, long status,
                    uint64_t now_s)
{
    /* the line end in front closes a line that a crash has torn */
    x402_buf_text(out, "\n{\"state\":\"");
    x402_buf_text(out, record_state_name(state));
    x402_buf_char(out, '"');
    put_u64(out, "status", (uint64_t)(status < 0 ? 0 : status));
    put_u64(out, "at", now_s);
    x402_buf_text(out, "}\n");
}

static enum x402_err
get_text(char *out, size_t cap, const json_t *root, const char *key)
{
    struct x402_span text;

    if (x402_json_string(&text, root, key) != X402_OK || text.len >= cap)
        return X402_ERR_SYNTAX;
    memcpy(out, text.at, text.len);
    out[text.len] = '\0';
    return X402_OK;
}

static enum x402_err
get_u64(uint64_t *out, const json_t *root, const char *key)
{
    const json_t *value = json_object_get(root, key);

    if (!json_is_integer(value) || json_integer_value(value) < 0)
        return X402_ERR_SYNTAX;
    *out = (uint64_t)json_integer_value(value);
    return X402_OK;
}

static enum x402_err
get_wire(enum x402_wire *out, const json_t *root)
{
    static const enum x402_wire all[] = {X402_WIRE_V2, X402_WIRE_V1,
                                         X402_WIRE_SEED000, X402_WIRE_SEED001};
    struct x402_span text;

    if (x402_json_string(&text, root, "wire") != X402_OK)
        return X402_ERR_SYNTAX;
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        if (x402_span_eq(text, x402_span_of(record_wire_name(all[i])))) {
            *out = all[i];
            return X402_OK;
        }
    }
    return X402_ERR_SYNTAX;
}

static enum x402_err
get_authorization(struct x402_authorization *out, const json_t *root)
{
    if (x402_json_address(&out->from, root, "from") != X402_OK ||
        x402_json_address(&out->to, root, "to") != X402_OK ||
        x402_json_amount(&out->value, root, "amount") != X402_OK ||
        get_u64(&out->valid_after_s, root, "validAfter") != X402_OK ||
        get_u64(&out->valid_before_s, root, "validBefore") != X402_OK)
        return X402_ERR_SYNTAX;
    return x402_json_hex(out->nonce, sizeof(out->nonce), root, "nonce");
}

static enum x402_err
get_request(struct record *out, const json_t *root)
{
    if (get_text(out->method, sizeof(out->method), root, "method") != X402_OK ||
        get_text(out->url, sizeof(out->url), root, "url") != X402_OK ||
        get_text(out->origin, sizeof(out->origin), root, "origin") != X402_OK)
        return X402_ERR_SYNTAX;
    return x402_json_hex(out->body32, sizeof(out->body32), root, "body");
}

static enum x402_err
get_created(struct record_time *out, const json_t *root)
{
    if (get_u64(&out->wall_s, root, "created") != X402_OK ||
        get_u64(&out->boot_s, root, "boot") != X402_OK)
        return X402_ERR_SYNTAX;
    return get_text(out->boot_id, sizeof(out->boot_id), root, "bootId");
}

static enum x402_err
get_all(struct record *out, const json_t *root)
{
    uint64_t version;

    if (get_u64(&version, root, "version") != X402_OK || version != 1)
        return X402_ERR_SYNTAX;
    if (get_created(&out->created, root) != X402_OK ||
        get_request(out, root) != X402_OK ||
        get_wire(&out->wire, root) != X402_OK ||
        get_u64(&out->chain_id, root, "chain") != X402_OK ||
        x402_json_address(&out->asset, root, "asset") != X402_OK ||
        get_authorization(&out->auth, root) != X402_OK)
        return X402_ERR_SYNTAX;
    return get_text(out->header, sizeof(out->header), root, "header");
}

/* A state line that does not read was torn by a crash: the one before counts.
 */
static void
apply_state(struct record *out, struct x402_span line)
{
    struct x402_span name;
    uint64_t status = 0;
    json_t *root;

    if (x402_json_load(&root, line, 1024, 2) != X402_OK)
        return;
    if (x402_json_string(&name, root, "state") == X402_OK)
        (void)record_state_by_name(&out->state, name);
    if (get_u64(&status, root, "status") == X402_OK && status < 1000)
        out->status = (long)status;
    json_decref(root);
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

enum x402_err
record_decode(struct record *out, struct x402_span text)
{
    struct x402_span line;
    enum x402_err err;
    json_t *root;

    if (!next_line(&line, &text))
        return X402_ERR_SYNTAX;
    err = x402_json_load(&root, line, RECORD_TEXT_MAX, 2);
    if (err != X402_OK)
        return err;
    err = get_all(out, root);
    json_decref(root);
    if (err != X402_OK)
        return err;
    out->state = RECORD_SIGNED;
    out->status = 0;
    while (next_line(&line, &text)) {
        if (line.len > 0)
            apply_state(out, line);
    }
    return X402_OK;
}
