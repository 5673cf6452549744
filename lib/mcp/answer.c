/* SPDX-License-Identifier: Apache-2.0 */
/* What the server says: JSON-RPC responses. */
#include <stdio.h>
#include <strings.h>

#include <x402/encode.h>
#include <x402/json.h>

#include "../mutant.h"
#include "mcp.h"

/* The newest first.  2025-03-26 would oblige us to take batches. */
static const char *const versions[] = {"2025-11-25", "2025-06-18"};

bool
x402_mcp_speaks(struct x402_span version)
{
    for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++) {
        if (x402_span_eq(version, x402_span_of(versions[i])))
            return true;
    }
    return false;
}

static void
begin(struct x402_buf *buf, const json_t *id, const char *member)
{
    x402_buf_text(buf, "{\"jsonrpc\":\"2.0\",\"id\":");
    if (json_is_integer(id)) {
        char text[24];

        snprintf(text, sizeof(text), "%lld", (long long)json_integer_value(id));
        x402_buf_text(buf, text);
    } else if (json_is_string(id)) {
        x402_buf_json(buf, (struct x402_span){json_string_value(id),
                                              json_string_length(id)});
    } else {
        x402_buf_text(buf, "null");
    }
    x402_buf_text(buf, ",\"");
    x402_buf_text(buf, member);
    x402_buf_text(buf, "\":");
}

void
x402_mcp_result(struct x402_buf *buf, const json_t *id, struct x402_span result)
{
    begin(buf, id, "result");
    x402_buf_add(buf, result);
    x402_buf_char(buf, '}');
}

void
x402_mcp_error(struct x402_buf *buf, const json_t *id, enum x402_mcp_code code,
               const char *message)
{
    char number[16];

    snprintf(number, sizeof(number), "%d", (int)code);
    begin(buf, id, "error");
    x402_buf_text(buf, "{\"code\":");
    x402_buf_text(buf, number);
    x402_buf_text(buf, ",\"message\":");
    x402_buf_json(buf, x402_span_of(message));
    x402_buf_text(buf, "}}");
}

static void
add_member(struct x402_buf *buf, const char *key, json_t *text)
{
    x402_buf_text(buf, key);
    x402_buf_json(buf, (struct x402_span){json_string_value(text),
                                          json_string_length(text)});
    json_decref(text);
}

void
x402_mcp_initialize(struct x402_buf *buf, const json_t *id,
                    struct x402_span version,
                    const struct x402_service *service)
{
    begin(buf, id, "result");
    x402_buf_text(buf, "{\"protocolVersion\":");
    x402_buf_json(buf, x402_mcp_speaks(version) ? version
                                                : x402_span_of(versions[0]));
    x402_buf_text(buf, ",\"capabilities\":{\"tools\":{}},\"serverInfo\":{");
    add_member(buf, "\"name\":", discovery_title(service));
    add_member(buf, ",\"version\":", discovery_version(service));
    x402_buf_text(
        buf, "},\"instructions\":\"Every tool is paid per call (x402): the "
             "result of a call without payment says what to pay, in "
             "structuredContent. Sign, and call again with the payment in "
             "_meta[\\\"x402/payment\\\"]. A call that fails is not charged."
             "\"}}");
}

static bool
begins(struct x402_span text, const char *with)
{
    size_t len = strlen(with);

    return text.len >= len && strncasecmp(text.at, with, len) == 0;
}

static bool
has(struct x402_span text, const char *part)
{
    size_t len = strlen(part);

    for (size_t i = 0; i + len <= text.len; i++) {
        if (strncasecmp(text.at + i, part, len) == 0)
            return true;
    }
    return false;
}

static bool
is_text(struct x402_span type)
{
    return type.len == 0 || begins(type, "text/") || has(type, "json") ||
           has(type, "xml") || has(type, "javascript") ||
           begins(type, "application/x-www-form-urlencoded");
}

/* Without parameters: "image/png; a=b" -> "image/png" */
static struct x402_span
essence(struct x402_span type)
{
    for (size_t i = 0; i < type.len; i++) {
        if (type.at[i] == ';' || type.at[i] == ' ')
            type.len = i;
    }
    return type;
}

static void
add_blob(struct x402_buf *buf, const char *key, struct x402_span bytes)
{
    x402_buf_text(buf, key);
    x402_buf_char(buf, '"');
    x402_buf_base64(buf, (const uint8_t *)bytes.at, bytes.len);
    x402_buf_char(buf, '"');
}

static void
add_block(struct x402_buf *buf, const struct x402_mcp_answer *answer)
{
    const char *kind = begins(answer->type, "image/")   ? "image"
                       : begins(answer->type, "audio/") ? "audio"
                                                        : NULL;

    if (is_text(answer->type)) {
        x402_buf_text(buf, "{\"type\":\"text\",\"text\":");
        x402_buf_json(buf, answer->body);
    } else if (kind != NULL) {
        x402_buf_text(buf, "{\"type\":\"");
        x402_buf_text(buf, kind);
        add_blob(buf, "\",\"data\":", answer->body);
        x402_buf_text(buf, ",\"mimeType\":");
        x402_buf_json(buf, essence(answer->type));
    } else {
        x402_buf_text(buf, "{\"type\":\"resource\",\"resource\":{\"uri\":");
        x402_buf_json(buf, answer->url);
        x402_buf_text(buf, ",\"mimeType\":");
        x402_buf_json(buf, essence(answer->type));
        add_blob(buf, ",\"blob\":", answer->body);
        x402_buf_char(buf, '}');
    }
    x402_buf_char(buf, '}');
}

static bool
is_object(struct x402_span text)
{
    json_t *root;
    bool object;

    if (x402_json_load(&root, text, X402_MCP_MAX, X402_JSON_DEPTH_MAX) !=
        X402_OK)
        return false;
    object = json_is_object(root);
    json_decref(root);
    return object;
}

/* "`content[0].text` is simply `JSON.stringify(structuredContent)`"
 * -- x402 mcp.md, Payment Required Signaling */
static void
add_required(struct x402_buf *buf, struct x402_span required)
{
    x402_buf_text(buf, "{\"isError\":true,\"structuredContent\":");
    x402_buf_add(buf, required);
    x402_buf_text(buf, ",\"content\":[{\"type\":\"text\",\"text\":");
    x402_buf_json(buf, required);
    x402_buf_text(buf, "}]");
}

static void
add_failure(struct x402_buf *buf, const struct x402_mcp_answer *answer)
{
    char status[32];

    snprintf(status, sizeof(status), "HTTP %u", answer->status);
    x402_buf_text(buf, "{\"isError\":true,\"content\":[{\"type\":\"text\","
                       "\"text\":");
    x402_buf_json(buf,
                  x402_span_of(answer->trouble ? answer->trouble : status));
    x402_buf_char(buf, '}');
    if (answer->body.len > 0 && is_text(answer->type)) {
        x402_buf_char(buf, ',');
        add_block(buf, answer);
    }
    x402_buf_char(buf, ']');
}

static bool
is_structured(const struct x402_mcp_answer *answer)
{
    return has(answer->type, "json") && is_object(answer->body);
}

static void
add_success(struct x402_buf *buf, const struct x402_mcp_answer *answer)
{
    x402_buf_text(buf, "{\"content\":[");
    add_block(buf, answer);
    x402_buf_char(buf, ']');
    if (is_structured(answer)) {
        x402_buf_text(buf, ",\"structuredContent\":");
        x402_buf_add(buf, answer->body);
    }
}

/* It may have been paid: what came is there all the same. */
static void
add_broken_promise(struct x402_buf *buf, const struct x402_mcp_answer *answer)
{
    x402_buf_text(buf, "{\"isError\":true,\"content\":[{\"type\":\"text\","
                       "\"text\":\"the answer is not the JSON object that "
                       "the tool's outputSchema promises\"},");
    add_block(buf, answer);
    x402_buf_char(buf, ']');
}

void
x402_mcp_call_result(struct x402_buf *buf, const json_t *id,
                     const struct x402_mcp_answer *answer)
{
    begin(buf, id, "result");
    if (answer->required.len > 0 && is_object(answer->required))
        add_required(buf, answer->required);
    else if (answer->trouble != NULL || answer->status < 200 ||
             answer->status >= 300)
        add_failure(buf, answer);
    else if (answer->promised && !is_structured(answer) &&
             !mutant("mcp_promise"))
        add_broken_promise(buf, answer);
    else
        add_success(buf, answer);
    if (answer->receipt.len > 0 && is_object(answer->receipt)) {
        x402_buf_text(buf, ",\"_meta\":{\"x402/payment-response\":");
        x402_buf_add(buf, answer->receipt);
        x402_buf_char(buf, '}');
    }
    x402_buf_text(buf, "}}");
}
