/* SPDX-License-Identifier: Apache-2.0 */
/* Payments on their way: all of them in a list, those in work by their key as
 * well.  Two of the same at once meet here, before anybody is asked. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "inside.h"

void *
op_new(struct cashier *cashier, size_t size)
{
    struct op *op = calloc(1, size);

    if (op == NULL) {
        fprintf(stderr, "x402d: out of memory\n");
        abort();
    }
    op->cashier = cashier;
    op->next = cashier->ops;
    op->at = &cashier->ops;
    if (op->next != NULL)
        op->next->at = &op->next;
    cashier->ops = op;
    return op;
}

void
op_free(struct op *op)
{
    *op->at = op->next;
    if (op->next != NULL)
        op->next->at = op->at;
    if (op->bucket_at != NULL) {
        *op->bucket_at = op->bucket_next;
        if (op->bucket_next != NULL)
            op->bucket_next->bucket_at = op->bucket_at;
    }
    free(op);
}

/* The nonce is 256 bits that the payer chose: mixed with a secret, so that
 * nobody can fill one bucket (splitmix64's finish). */
static size_t
bucket_of(const struct cashier *cashier, const struct ledger_reserve *in)
{
    uint64_t hash = cashier->salt, word;

    for (size_t i = 0; i < sizeof in->auth.nonce; i += sizeof word) {
        memcpy(&word, in->auth.nonce + i, sizeof word);
        hash ^= word;
        hash = (hash ^ (hash >> 30)) * 0xbf58476d1ce4e5b9u;
        hash = (hash ^ (hash >> 27)) * 0x94d049bb133111ebu;
        hash ^= hash >> 31;
    }
    return hash % CASHIER_BUCKETS;
}

static bool
same_key(const struct ledger_reserve *a, const struct ledger_reserve *b)
{
    const struct x402_address *contract =
        x402_method_contract(a->method, &a->asset);

    return memcmp(a->auth.nonce, b->auth.nonce, sizeof a->auth.nonce) == 0 &&
           x402_address_eq(&a->auth.from, &b->auth.from) &&
           x402_address_eq(contract,
                           x402_method_contract(b->method, &b->asset)) &&
           a->chain_id == b->chain_id;
}

struct op *
op_in_work(const struct cashier *cashier, const struct ledger_reserve *in)
{
    struct op *op = cashier->bucket[bucket_of(cashier, in)];

    while (op != NULL && !same_key(&op->in, in))
        op = op->bucket_next;
    return op;
}

void
op_work(struct op *op)
{
    struct op **bucket = &op->cashier->bucket[bucket_of(op->cashier, &op->in)];

    op->bucket_next = *bucket;
    op->bucket_at = bucket;
    if (op->bucket_next != NULL)
        op->bucket_next->bucket_at = &op->bucket_next;
    *bucket = op;
}
