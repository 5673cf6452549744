/* SPDX-License-Identifier: Apache-2.0 */
/* One HTTP body against the questions that were asked: ids first_id, +1, ...
 * A server that answers a question nobody asked, or one twice, is not believed
 * in anything it says. */
#include "rpc.h"

#include <string.h>

#include <x402/json.h>

#include "scan.h"
#include "../failpoint.h"

enum member { ID, RESULT, ERROR, MEMBERS };

struct match {
    struct rpc_answer *answers;
    const struct rpc_call *calls;
    size_t len;
    uint64_t first_id;
    json_t *root; /* an array of what was parsed */
};

/* "MUST contain ... the same as the value of the id member in the Request
 * Object." (JSON-RPC 2.0, section 5).  We ask with digits only. */
static bool
find_index(size_t *index, const struct match *match, struct x402_span id)
{
    uint64_t value = 0;

    if (id.at == NULL || id.len == 0 || id.len > 19 ||
        (id.len > 1 && id.at[0] == '0'))
        return false;
    for (size_t i = 0; i < id.len; i++) {
        if (id.at[i] < '0' || id.at[i] > '9')
            return false;
        value = value * 10 + (uint64_t)(id.at[i] - '0');
    }
    if (mutant("rpc_any_id")) {
        *index = (size_t)(value - match->first_id) % match->len;
        return true;
    }
    if (value < match->first_id || value - match->first_id >= match->len)
        return false;
    *index = (size_t)(value - match->first_id);
    return true;
}

/* NULL: jansson does not take it, which reads a little more strictly. */
static const json_t *
parse(const struct match *match, struct x402_span text)
{
    json_t *value;

    if (x402_json_load_node(&value, text, RPC_ANSWER_MAX, SCAN_DEPTH_MAX) !=
        X402_OK)
        return NULL;
    json_array_append_new(match->root, value);
    return value;
}

static bool
read_result(const struct match *match, size_t index, struct x402_span text)
{
    struct rpc_answer *out = &match->answers[index];

    *out =
        (struct rpc_answer){.status = RPC_RESULT, .text = text, .message = ""};
    if (match->calls[index].raw)
        return true;
    out->result = parse(match, text);
    return out->result != NULL;
}

static bool
read_error(const struct match *match, size_t index, struct x402_span text)
{
    const json_t *error = parse(match, text);
    const char *message;

    if (!json_is_object(error) ||
        !json_is_integer(json_object_get(error, "code")))
        return false;
    message = json_string_value(json_object_get(error, "message"));
    match->answers[index] = (struct rpc_answer){
        .status = RPC_ERROR,
        .code = json_integer_value(json_object_get(error, "code")),
        .message = message == NULL ? "" : message,
        .data = json_object_get(error, "data"),
    };
    return true;
}

/* "Either the result member or error member MUST be included, but both members
 * MUST NOT be included."  Some nodes add "error": null to a result. */
static bool
take_one(const struct match *match, struct x402_span answer)
{
    struct scan_want want[MEMBERS] = {
        {"id", {NULL, 0}}, {"result", {NULL, 0}}, {"error", {NULL, 0}}};
    struct x402_span result, error;
    size_t index;

    if (!scan_find(want, MEMBERS, answer) ||
        !find_index(&index, match, want[ID].value) ||
        match->answers[index].status != RPC_UNKNOWN)
        return false;
    result = want[RESULT].value;
    error = want[ERROR].value;
    if (error.at == NULL || scan_is(error, "null"))
        return result.at != NULL && read_result(match, index, result);
    return (result.at == NULL || scan_is(result, "null")) &&
           read_error(match, index, error);
}

static bool
take_all(const struct match *match, struct x402_span body)
{
    struct x402_span name, answer;
    struct scan scan;

    if (!scan_check(body) || !scan_begin(&scan, body))
        return false;
    if (scan.object)
        return match->len == 1 && take_one(match, body);
    while (scan_next(&scan, &name, &answer)) {
        if (!take_one(match, answer))
            return false;
    }
    return true;
}

static void
forget(struct rpc_answer *answers, size_t len)
{
    for (size_t i = 0; i < len; i++)
        answers[i] = (struct rpc_answer){.status = RPC_UNKNOWN, .message = ""};
}

bool
rpc_match(struct rpc_answer *answers, const struct rpc_call *calls, size_t len,
          uint64_t first_id, struct x402_span body, json_t **root)
{
    struct match match = {answers, calls, len, first_id, json_array()};

    *root = match.root;
    forget(answers, len);
    if (body.len <= RPC_ANSWER_MAX && match.root != NULL &&
        take_all(&match, body))
        return true;
    forget(answers, len);
    json_decref(*root);
    *root = NULL;
    return false;
}
