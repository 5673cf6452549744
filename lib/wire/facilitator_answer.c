/* SPDX-License-Identifier: Apache-2.0 */
/* A facilitator's answers, read by a seller.  Only what is plainly a yes or a
 * no to our own question counts; everything else says nothing at all, and the
 * caller must treat it so. */
#include <string.h>

#include <x402/encode.h>
#include <x402/facilitator.h>

#include "wire.h"

static enum x402_err
answer_load(json_t **out, struct x402_span body)
{
    enum x402_err err = x402_json_load(out, body, X402_FACILITATOR_BODY_MAX,
                                       X402_JSON_DEPTH_MAX);

    if (err != X402_OK || json_is_object(*out))
        return err;
    json_decref(*out);
    return X402_ERR_SYNTAX;
}

/* "true" in quotes, 1 and null are neither yes nor no. */
static enum x402_err
boolean_read(bool *out, const json_t *object, const char *key)
{
    const json_t *member = json_object_get(object, key);

    if (!json_is_boolean(member))
        return X402_ERR_SYNTAX;
    *out = json_is_true(member);
    return X402_OK;
}

static enum x402_err
payer_check(const json_t *object, const struct x402_facilitator_ask *ask)
{
    struct x402_address payer;
    enum x402_err err;

    if (!wire_says_something(object, "payer"))
        return X402_OK;
    err = x402_json_address(&payer, object, "payer");
    if (err == X402_OK && !x402_address_eq(&payer, &ask->auth->from))
        err = X402_ERR_SYNTAX;
    return err;
}

/* A reason against a yes makes it no answer; a no may have none. */
static enum x402_err
reason_read(enum x402_err *out, const json_t *object, const char *key, bool yes)
{
    struct x402_span text;

    *out = X402_OK;
    if (yes)
        return wire_says_something(object, key) ? X402_ERR_SYNTAX : X402_OK;
    *out = X402_ERR_INTERNAL;
    if (x402_json_string(&text, object, key) == X402_OK)
        *out = wire_reason(text);
    return X402_OK;
}

enum x402_err
x402_verify_answer_decode(struct x402_verify_answer *out, struct x402_span body,
                          const struct x402_facilitator_ask *ask)
{
    struct x402_verify_answer answer;
    json_t *object;
    enum x402_err err = answer_load(&object, body);

    if (err != X402_OK)
        return err;
    err = boolean_read(&answer.valid, object, "isValid");
    if (err == X402_OK)
        err =
            reason_read(&answer.reason, object, "invalidReason", answer.valid);
    if (err == X402_OK)
        err = payer_check(object, ask);
    json_decref(object);
    if (err == X402_OK)
        *out = answer;
    return err;
}

/* -- settle -- */

static bool
transaction_read(struct x402_settle_answer *out, const json_t *object)
{
    struct x402_span text;

    out->has_transaction =
        x402_json_string(&text, object, "transaction") == X402_OK &&
        x402_hex_decode(out->transaction, sizeof(out->transaction), text) ==
            X402_OK &&
        !x402_all_zero(out->transaction, sizeof(out->transaction));
    return out->has_transaction;
}

/* In either spelling: some facilitators answer version 1 with CAIP-2. */
static bool
network_is(const json_t *object, uint64_t chain_id)
{
    const struct x402_network *network;
    struct x402_span text;

    if (x402_json_string(&text, object, "network") != X402_OK)
        return false;
    network = x402_network_by_caip2(text);
    if (network == NULL)
        network = x402_network_by_v1_name(text);
    return network != NULL && network->chain_id == chain_id;
}

static enum x402_err
amount_check(const json_t *object, const struct x402_facilitator_ask *ask)
{
    const struct x402_amount *expected =
        ask->charge != NULL ? ask->charge : &ask->auth->value;
    struct x402_amount amount;
    enum x402_err err;

    if (!wire_says_something(object, "amount"))
        return X402_OK;
    err = x402_json_amount(&amount, object, "amount");
    if (err == X402_OK && x402_amount_cmp(&amount, expected) != 0)
        err = X402_ERR_SYNTAX;
    return err;
}

static enum x402_err
success_check(struct x402_settle_answer *out, const json_t *object,
              const struct x402_facilitator_ask *ask)
{
    enum x402_err err;

    if (!transaction_read(out, object) && out->success)
        return X402_ERR_SYNTAX;
    if (!out->success)
        return X402_OK;
    if (!network_is(object, ask->asset->chain_id))
        return X402_ERR_SYNTAX;
    err = payer_check(object, ask);
    if (err == X402_OK)
        err = amount_check(object, ask);
    return err;
}

enum x402_err
x402_settle_answer_decode(struct x402_settle_answer *out, struct x402_span body,
                          const struct x402_facilitator_ask *ask)
{
    struct x402_settle_answer answer;
    json_t *object;
    enum x402_err err = answer_load(&object, body);

    if (err != X402_OK)
        return err;
    memset(&answer, 0, sizeof(answer));
    err = boolean_read(&answer.success, object, "success");
    if (err == X402_OK)
        err =
            reason_read(&answer.reason, object, "errorReason", answer.success);
    if (err == X402_OK)
        err = success_check(&answer, object, ask);
    json_decref(object);
    if (err == X402_OK)
        *out = answer;
    return err;
}

/* -- supported -- */

/* 2, 1, or 0 for a kind that is not ours. */
static int
kind_version(const json_t *kind, const struct x402_network *network)
{
    const json_t *version = json_object_get(kind, "x402Version");
    struct x402_span scheme, text;

    if (!json_is_integer(version) ||
        x402_json_string(&scheme, kind, "scheme") != X402_OK ||
        x402_json_string(&text, kind, "network") != X402_OK ||
        !wire_is(scheme, "exact"))
        return 0;
    if (json_integer_value(version) == 2)
        return wire_is(text, network->caip2) ? 2 : 0;
    return json_integer_value(version) == 1 && network->v1_name != NULL &&
           wire_is(text, network->v1_name);
}

enum x402_err
x402_supported_decode(int *version, struct x402_span body,
                      const struct x402_network *network)
{
    const json_t *kinds, *kind;
    json_t *object;
    size_t i;
    int best = 0;
    enum x402_err err = answer_load(&object, body);

    if (err != X402_OK)
        return err;
    kinds = json_object_get(object, "kinds");
    if (!json_is_array(kinds))
        err = X402_ERR_SYNTAX;
    json_array_foreach(kinds, i, kind)
    {
        int found = kind_version(kind, network);

        if (found > best)
            best = found;
    }
    json_decref(object);
    if (err == X402_OK)
        *version = best;
    return err;
}

/* -- upto -- */

struct accounts {
    struct x402_address *out;
    size_t len, cap;
};

static void
add_account(struct accounts *accounts, struct x402_span text)
{
    struct x402_address address;

    if (x402_address_parse(&address, text) != X402_OK ||
        x402_address_is_zero(&address))
        return;
    for (size_t i = 0; i < accounts->len; i++) {
        if (x402_address_eq(&accounts->out[i], &address))
            return;
    }
    if (accounts->len < accounts->cap)
        accounts->out[accounts->len++] = address;
}

/* {"eip155:*": ["0x..."], "eip155:8453": [...]} */
static void
add_signers(struct accounts *accounts, const json_t *signers,
            const struct x402_network *network)
{
    const char *const names[] = {network->caip2, "eip155:*"};

    for (size_t k = 0; k < sizeof(names) / sizeof(names[0]); k++) {
        const json_t *list = json_object_get(signers, names[k]), *one;
        size_t i;

        json_array_foreach(list, i, one)
        {
            if (json_is_string(one))
                add_account(accounts,
                            (struct x402_span){json_string_value(one),
                                               json_string_length(one)});
        }
    }
}

static bool
is_upto(const json_t *kind, const struct x402_network *network)
{
    struct x402_span scheme, text;

    return json_integer_value(json_object_get(kind, "x402Version")) == 2 &&
           x402_json_string(&scheme, kind, "scheme") == X402_OK &&
           wire_is(scheme, "upto") &&
           x402_json_string(&text, kind, "network") == X402_OK &&
           wire_is(text, network->caip2);
}

enum x402_err
x402_supported_upto(struct x402_address *out, size_t *len, size_t cap,
                    struct x402_span body, const struct x402_network *network)
{
    struct accounts accounts = {out, 0, cap};
    const json_t *kind;
    struct x402_span text;
    bool any = false;
    json_t *object;
    size_t i;
    enum x402_err err = answer_load(&object, body);

    if (err != X402_OK)
        return err;
    json_array_foreach(json_object_get(object, "kinds"), i, kind)
    {
        if (!is_upto(kind, network))
            continue;
        any = true;
        if (x402_json_string(&text, json_object_get(kind, "extra"),
                             "facilitatorAddress") == X402_OK)
            add_account(&accounts, text);
    }
    if (any)
        add_signers(&accounts, json_object_get(object, "signers"), network);
    json_decref(object);
    *len = accounts.len;
    return X402_OK;
}
