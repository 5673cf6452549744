/* SPDX-License-Identifier: Apache-2.0 */
/* See income.h.  First the Transfer logs of all our tokens to the payees, in
 * one HTTP request; then the receipts of their transactions, which say whether
 * an authorization was used, and which; then the calls of those that a Permit2
 * proxy settled. */
#include "income.h"

#include <stdlib.h>
#include <string.h>

#include <x402/abi.h>
#include <x402/network.h>

#include "../failpoint.h"
#include "../must.h"
#include "look.h"
#include "params.h"
#include "proof.h"
#include "quantity.h"
#include "receipt.h"

#define RECEIPTS_TOGETHER 32
#define PAYEES_TOGETHER 256 /* in one eth_getLogs */

struct reading {
    struct income_ask ask;
    income_cb cb;
    void *arg;
    struct x402_address *payee;
    struct income *item;
    size_t len, cap;
    size_t next;                     /* items before it have their receipt */
    size_t asked[RECEIPTS_TOGETHER]; /* the first item of each transaction */
    size_t asked_len;
    bool proxied[RECEIPTS_TOGETHER]; /* its call is wanted as well */
};

static void ask_receipts(struct reading *r);

static void
end(struct reading *r, enum income_status status)
{
    r->cb(r->arg, status, r->item, status == INCOME_READ ? r->len : 0);
    free(r->item);
    free(r->payee);
    free(r);
}

uint64_t
income_window(uint64_t window, enum income_status status)
{
    if (status == INCOME_READ)
        return window * 2 < INCOME_WINDOW ? window * 2 : INCOME_WINDOW;
    return window > 1 ? window / 2 : 1;
}

/* -- logs -- */

static struct income *
new_item(struct reading *r)
{
    if (r->len == r->cap) {
        size_t cap = r->cap == 0 ? 64 : r->cap * 2;
        struct income *item = realloc(r->item, cap * sizeof *item);

        if (item == NULL)
            abort();
        r->item = item;
        r->cap = cap;
    }
    memset(&r->item[r->len], 0, sizeof *r->item);
    return &r->item[r->len++];
}

static bool
read_party(struct x402_address *out, const json_t *topics, size_t i)
{
    static const uint8_t zero[12];
    uint8_t topic[32];

    if (!quantity_bytes(topic, 32, json_array_get(topics, i)) ||
        memcmp(topic, zero, 12) != 0)
        return false;
    memcpy(out->byte, topic + 12, 20);
    return true;
}

static bool
is_payee(const struct reading *r, const struct x402_address *address)
{
    for (size_t i = 0; i < r->ask.payees_len; i++) {
        if (x402_address_eq(&r->ask.payees[i], address))
            return true;
    }
    return false;
}

/** One log, and only one that we asked for: a node that makes others up is not
 * believed. */
static bool
read_log(struct reading *r, const json_t *log)
{
    const json_t *topics = json_object_get(log, "topics");
    struct income *item = new_item(r);
    uint8_t topic[32], word[32];

    if (json_array_size(topics) != 3 ||
        !quantity_bytes(topic, 32, json_array_get(topics, 0)) ||
        memcmp(topic, x402_abi_topic_transfer, 32) != 0 ||
        !read_party(&item->payer, topics, 1) ||
        !read_party(&item->payee, topics, 2) || !is_payee(r, &item->payee) ||
        !quantity_bytes(word, 32, json_object_get(log, "data")) ||
        !quantity_address(&item->token, json_object_get(log, "address")) ||
        x402_asset_by_address(r->ask.chain_id, &item->token) == NULL ||
        !quantity_bytes(item->tx_hash, 32,
                        json_object_get(log, "transactionHash")) ||
        !quantity_bytes(item->block_hash, 32,
                        json_object_get(log, "blockHash")) ||
        !quantity_u64(&item->block_number,
                      json_object_get(log, "blockNumber")) ||
        item->block_number < r->ask.from || item->block_number > r->ask.to ||
        json_is_true(json_object_get(log, "removed")))
        return false;
    x402_amount_from_be32(&item->value, word);
    return true;
}

static enum income_status
read_logs(struct reading *r, const struct rpc_answer *answer)
{
    if (answer->status == RPC_ERROR)
        return INCOME_REFUSED;
    if (answer->status != RPC_RESULT || !json_is_array(answer->result))
        return INCOME_UNKNOWN;
    for (size_t i = 0; i < json_array_size(answer->result); i++) {
        if (!read_log(r, json_array_get(answer->result, i)))
            return INCOME_UNKNOWN;
    }
    return INCOME_READ;
}

static void
on_logs(void *arg, const struct rpc_answer *answers, size_t len)
{
    struct reading *r = arg;

    for (size_t i = 0; i < len; i++) {
        enum income_status status = read_logs(r, &answers[i]);

        if (status != INCOME_READ) {
            end(r, status);
            return;
        }
    }
    ask_receipts(r);
}

static void
ask_logs(struct reading *r)
{
    struct rpc_call calls[RPC_CALLS_MAX];
    const struct x402_asset *asset;
    size_t len = 0;

    for (size_t i = 0; (asset = x402_asset_at(i)) != NULL; i++) {
        if (asset->chain_id != r->ask.chain_id)
            continue;
        for (size_t k = 0; k < r->ask.payees_len && len < RPC_CALLS_MAX;
             k += PAYEES_TOGETHER) {
            size_t n = r->ask.payees_len - k;

            calls[len++] =
                params_transfers(&asset->address, r->ask.payees + k,
                                 n < PAYEES_TOGETHER ? n : PAYEES_TOGETHER,
                                 r->ask.from, r->ask.to);
        }
    }
    rpc_ask(r->ask.rpc, calls, len, on_logs, r);
}

/* -- receipts -- */

static bool
is_same_tx(const struct income *a, const struct income *b)
{
    return memcmp(a->tx_hash, b->tx_hash, 32) == 0;
}

/** Which use of an authorization moved these tokens?  Each use explains one
 * transfer. */
static void
explain(struct income *item, struct receipt *receipt)
{
    for (size_t i = 0; i < receipt->uses_len; i++) {
        struct receipt_use *use = &receipt->uses[i];

        if (!use->moved || !x402_address_eq(&use->token, &item->token) ||
            !x402_address_eq(&use->payer, &item->payer) ||
            !x402_address_eq(&use->payee, &item->payee) ||
            x402_amount_cmp(&use->value, &item->value) != 0)
            continue;
        item->method = use->method;
        item->authorized = use->method == X402_METHOD_EIP3009;
        memcpy(item->nonce, use->nonce, 32);
        use->moved = false;
        return;
    }
}

static size_t
count_together(const struct receipt *receipt, const struct income *item)
{
    size_t n = 0;

    for (size_t i = 0; i < receipt->uses_len; i++)
        n += receipt->uses[i].method == item->method &&
             x402_address_eq(&receipt->uses[i].token, &item->token) &&
             x402_address_eq(&receipt->uses[i].payer, &item->payer);
    return n;
}

static bool
read_receipt(struct reading *r, size_t which, const struct rpc_answer *answer)
{
    size_t first = r->asked[which];
    struct receipt receipt;

    r->proxied[which] = false;

    if (answer->status != RPC_RESULT ||
        receipt_read(&receipt, answer->text, r->item[first].tx_hash) !=
            RECEIPT_READ)
        return false;
    for (size_t i = first; i < r->len; i++) {
        if (!is_same_tx(&r->item[i], &r->item[first]))
            break;
        explain(&r->item[i], &receipt);
        if (r->item[i].method == X402_METHOD_EIP3009)
            continue;
        r->item[i].together = count_together(&receipt, &r->item[i]);
        r->proxied[which] = true;
    }
    receipt_free(&receipt);
    return true;
}

/* -- calls -- */

static bool
is_call_of(const struct x402_abi_seen *seen, const struct income *item)
{
    return seen->method == item->method &&
           x402_address_eq(&seen->token, &item->token) &&
           x402_address_eq(&seen->auth.from, &item->payer);
}

/* Each call that was carried out is one transfer.  With fewer transfers than
 * calls some of them failed: which? */
static void
name(struct income *item, struct x402_abi_seen *seen, size_t n)
{
    struct x402_abi_seen *mine = NULL;
    size_t calls = 0;

    for (size_t i = 0; i < n; i++) {
        if (!is_call_of(&seen[i], item))
            continue;
        calls++;
        if (mine == NULL && x402_address_eq(&seen[i].auth.to, &item->payee) &&
            x402_amount_cmp(&seen[i].charge, &item->value) == 0)
            mine = &seen[i];
    }
    if (mine == NULL ||
        (calls != item->together && !mutant("failed_call_adopted")))
        return;
    item->authorized = true;
    item->auth = mine->auth;
    item->facilitator = mine->facilitator;
    memcpy(item->nonce, mine->auth.nonce, 32);
    mine->auth.to = (struct x402_address){{0}}; /* once */
}

static bool
read_call(struct reading *r, size_t first, const struct rpc_answer *answer)
{
    struct x402_abi_seen *seen;
    size_t n;

    if (answer->status != RPC_RESULT || !json_is_object(answer->result))
        return false;
    seen = must(calloc(LOOK_MAX, sizeof *seen));
    /* a call of another form stays a transfer that cannot be told */
    if (proof_read_calls(seen, &n, r->item[first].tx_hash, answer->result)) {
        for (size_t i = first; i < r->len; i++) {
            if (!is_same_tx(&r->item[i], &r->item[first]))
                break;
            if (r->item[i].method != X402_METHOD_EIP3009)
                name(&r->item[i], seen, n);
        }
    }
    free(seen);
    return true;
}

static void
on_calls(void *arg, const struct rpc_answer *answers, size_t len)
{
    struct reading *r = arg;
    size_t next = 0;

    (void)len;
    for (size_t i = 0; i < r->asked_len; i++) {
        if (r->proxied[i] && !read_call(r, r->asked[i], &answers[next++])) {
            end(r, INCOME_UNKNOWN);
            return;
        }
    }
    ask_receipts(r);
}

static void
ask_calls(struct reading *r)
{
    struct rpc_call calls[RECEIPTS_TOGETHER];
    size_t len = 0;

    for (size_t i = 0; i < r->asked_len; i++) {
        if (r->proxied[i])
            calls[len++] = params_transaction(r->item[r->asked[i]].tx_hash);
    }
    if (len == 0)
        ask_receipts(r);
    else
        rpc_ask(r->ask.rpc, calls, len, on_calls, r);
}

static void
on_receipts(void *arg, const struct rpc_answer *answers, size_t len)
{
    struct reading *r = arg;

    for (size_t i = 0; i < len; i++) {
        if (!read_receipt(r, i, &answers[i])) {
            end(r, INCOME_UNKNOWN);
            return;
        }
    }
    ask_calls(r);
}

/* Logs come in the order of the chain: those of one transaction and token stand
 * together. */
static void
ask_receipts(struct reading *r)
{
    struct rpc_call calls[RECEIPTS_TOGETHER];

    r->asked_len = 0;
    while (r->next < r->len && r->asked_len < r->ask.together) {
        size_t first = r->next++;

        while (r->next < r->len &&
               is_same_tx(&r->item[r->next], &r->item[first]))
            r->next++;
        calls[r->asked_len] = params_receipt(r->item[first].tx_hash);
        r->asked[r->asked_len++] = first;
    }
    if (r->asked_len == 0)
        end(r, INCOME_READ);
    else
        rpc_ask(r->ask.rpc, calls, r->asked_len, on_receipts, r);
}

struct pay_key
income_key(uint64_t chain_id, const struct income *income)
{
    struct pay_key key = {
        .chain_id = chain_id,
        .contract = *x402_method_contract(income->method, &income->token),
        .payer = income->payer,
    };

    memcpy(key.nonce, income->nonce, sizeof key.nonce);
    return key;
}

void
income_read(const struct income_ask *ask, income_cb cb, void *arg)
{
    struct reading *r = calloc(1, sizeof *r);

    if (r == NULL)
        abort();
    r->payee = malloc(ask->payees_len * sizeof *r->payee);
    if (r->payee == NULL)
        abort();
    memcpy(r->payee, ask->payees, ask->payees_len * sizeof *r->payee);
    r->ask = *ask;
    r->ask.payees = r->payee;
    if (r->ask.together == 0 || r->ask.together > RECEIPTS_TOGETHER)
        r->ask.together = RECEIPTS_TOGETHER;
    r->cb = cb;
    r->arg = arg;
    ask_logs(r);
}
