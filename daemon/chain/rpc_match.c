/* SPDX-License-Identifier: Apache-2.0 */
/* One HTTP body against the questions that were asked: ids first_id, +1, ...
 * A server that answers a question nobody asked, or one twice, is not believed
 * in anything it says. */
#include "rpc.h"

#include <string.h>

#include <x402/json.h>

#define DEPTH_MAX 12 /* batch, answer, result, logs, log, topics: 6 */

/* "MUST contain ... the same as the value of the id member in the Request
 * Object." (JSON-RPC 2.0, section 5) */
static bool
find_index(size_t *index, const json_t *answer, uint64_t first_id, size_t len)
{
    const json_t *id = json_object_get(answer, "id");
    json_int_t value;

    if (!json_is_integer(id))
        return false;
    value = json_integer_value(id);
    if (value < 0 || (uint64_t)value < first_id ||
        (uint64_t)value - first_id >= len)
        return false;
    *index = (size_t)((uint64_t)value - first_id);
    return true;
}

/* "Either the result member or error member MUST be included, but both members
 * MUST NOT be included."  Some nodes add "error": null to a result. */
static bool
read_answer(struct rpc_answer *out, const json_t *answer)
{
    const json_t *result = json_object_get(answer, "result");
    const json_t *error = json_object_get(answer, "error");
    const char *message;

    if (error == NULL || json_is_null(error)) {
        if (result == NULL)
            return false;
        *out = (struct rpc_answer){
            .status = RPC_RESULT, .result = result, .message = ""};
        return true;
    }
    if (!json_is_object(error) || (result != NULL && !json_is_null(result)) ||
        !json_is_integer(json_object_get(error, "code")))
        return false;
    message = json_string_value(json_object_get(error, "message"));
    *out = (struct rpc_answer){
        .status = RPC_ERROR,
        .code = json_integer_value(json_object_get(error, "code")),
        .message = message == NULL ? "" : message,
        .data = json_object_get(error, "data"),
    };
    return true;
}

static bool
take_one(struct rpc_answer *answers, size_t len, uint64_t first_id,
         const json_t *answer)
{
    size_t index;

    if (!json_is_object(answer) || !find_index(&index, answer, first_id, len) ||
        answers[index].status != RPC_UNKNOWN)
        return false;
    return read_answer(&answers[index], answer);
}

static bool
take_all(struct rpc_answer *answers, size_t len, uint64_t first_id,
         const json_t *root)
{
    size_t i;
    const json_t *answer;

    if (!json_is_array(root))
        return len == 1 && take_one(answers, len, first_id, root);
    json_array_foreach(root, i, answer)
    {
        if (!take_one(answers, len, first_id, answer))
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
rpc_match(struct rpc_answer *answers, size_t len, uint64_t first_id,
          struct x402_span body, json_t **root)
{
    *root = NULL;
    forget(answers, len);
    if (x402_json_load(root, body, RPC_ANSWER_MAX, DEPTH_MAX) != X402_OK)
        return false;
    if (take_all(answers, len, first_id, *root))
        return true;
    forget(answers, len);
    json_decref(*root);
    *root = NULL;
    return false;
}
