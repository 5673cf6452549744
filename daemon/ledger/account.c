/* SPDX-License-Identifier: Apache-2.0 */
/* See account.h. */
#include "account.h"

#include <stdlib.h>
#include <string.h>

#include "internal.h"

#define BUCKETS_FIRST 1024

/* -- sums -- */

void
account_add(struct x402_amount *sum, const struct x402_amount *more)
{
    uint8_t most[32];

    if (x402_amount_add(sum, sum, more))
        return;
    memset(most, 0xff, sizeof most);
    x402_amount_from_be32(sum, most);
}

static bool
change(struct x402_amount *sum, const struct x402_amount *by, bool leaves)
{
    return leaves ? x402_amount_sub(sum, sum, by)
                  : x402_amount_add(sum, sum, by);
}

/* Both or neither. */
static bool
change_both(struct x402_amount *all, struct x402_amount *after,
            const struct account_move *move)
{
    struct x402_amount new_all = *all, new_after = *after;

    if (!change(&new_all, &move->all, move->leaves) ||
        !change(&new_after, &move->after, move->leaves))
        return false;
    *all = new_all;
    *after = new_after;
    return true;
}

/* Where the block is, or belongs.  Most are near the end. */
static size_t
block_at(const struct account *account, uint64_t block)
{
    size_t at = account->mined_len;

    while (at > 0 && account->mined[at - 1].block >= block)
        at--;
    return at;
}

static struct block_sum *
block_new(struct account *account, size_t at, uint64_t block)
{
    struct block_sum *sum;

    if (account->mined_len == account->mined_cap) {
        account->mined_cap =
            account->mined_cap == 0 ? 4 : account->mined_cap * 2;
        account->mined = command_resize(
            account->mined, account->mined_cap * sizeof *account->mined);
    }
    sum = &account->mined[at];
    memmove(sum + 1, sum, (account->mined_len - at) * sizeof *sum);
    account->mined_len++;
    *sum = (struct block_sum){.block = block};
    return sum;
}

static void
block_gone(struct account *account, size_t at)
{
    account->mined_len--;
    memmove(&account->mined[at], &account->mined[at + 1],
            (account->mined_len - at) * sizeof *account->mined);
}

static bool
move_mined(struct account *account, const struct account_move *move)
{
    size_t at = block_at(account, move->block);
    bool there =
        at < account->mined_len && account->mined[at].block == move->block;
    struct block_sum *sum;

    if (!there && move->leaves)
        return false;
    sum = there ? &account->mined[at] : block_new(account, at, move->block);
    if (!change_both(&sum->all, &sum->after, move))
        return false;
    if (move->leaves)
        sum->n--;
    else
        sum->n++;
    if (sum->n == 0)
        block_gone(account, at);
    return true;
}

static bool
move_open(struct account *account, const struct account_move *move)
{
    if ((move->leaves && account->open == 0) ||
        !change_both(&account->open_all, &account->open_after, move))
        return false;
    if (move->leaves)
        account->open--;
    else
        account->open++;
    return true;
}

static bool
apply(struct account *account, const struct account_move *move)
{
    return move->mined ? move_mined(account, move) : move_open(account, move);
}

void
account_mined_above(const struct account *account, uint64_t block, bool after,
                    struct x402_amount *sum)
{
    for (size_t i = account->mined_len;
         i > 0 && account->mined[i - 1].block > block; i--)
        account_add(sum, after ? &account->mined[i - 1].after
                               : &account->mined[i - 1].all);
}

/* -- the table -- */

static size_t
bucket_of(const struct accounts *accounts, const struct account_key *key)
{
    const uint8_t *payer = key->payer.byte;
    uint64_t hash = accounts->seed ^ key->chain_id ^ key->asset.byte[19];

    for (size_t i = 0; i < sizeof key->payer.byte; i += 4) {
        uint32_t word;

        memcpy(&word, payer + i, sizeof word);
        hash = (hash ^ word) * 0xbf58476d1ce4e5b9u;
        hash ^= hash >> 29;
    }
    return (size_t)(hash & (accounts->buckets - 1));
}

static bool
same_key(const struct account_key *a, const struct account_key *b)
{
    return x402_address_eq(&a->payer, &b->payer) &&
           x402_address_eq(&a->asset, &b->asset) && a->chain_id == b->chain_id;
}

static void
grow(struct accounts *accounts)
{
    struct account **old = accounts->bucket;
    size_t buckets = accounts->buckets;

    accounts->buckets = buckets * 2;
    accounts->bucket = command_new(accounts->buckets * sizeof *old);
    for (size_t i = 0; i < buckets; i++) {
        for (struct account *at = old[i], *next; at != NULL; at = next) {
            struct account **place =
                &accounts->bucket[bucket_of(accounts, &at->key)];

            next = at->next;
            at->next = *place;
            *place = at;
        }
    }
    free(old);
}

static struct account *
add(struct accounts *accounts, const struct account_key *key)
{
    struct account *account = command_new(sizeof *account);
    struct account **place;

    if (accounts->len == accounts->buckets)
        grow(accounts);
    place = &accounts->bucket[bucket_of(accounts, key)];
    account->key = *key;
    account->next = *place;
    *place = account;
    accounts->len++;
    return account;
}

struct account *
accounts_get(struct accounts *accounts, const struct account_key *key)
{
    struct account *account = accounts->bucket[bucket_of(accounts, key)];

    while (account != NULL && !same_key(&account->key, key))
        account = account->next;
    if (account == NULL)
        account = add(accounts, key);
    if (!account->is_touched) {
        account->is_touched = true;
        account->touched = accounts->touched;
        accounts->touched = account;
    }
    return account;
}

static void
drop(struct accounts *accounts, struct account *account)
{
    struct account **at = &accounts->bucket[bucket_of(accounts, &account->key)];

    while (*at != account)
        at = &(*at)->next;
    *at = account->next;
    accounts->len--;
    free(account->mined);
    free(account);
}

/* -- groups -- */

bool
accounts_move(struct accounts *accounts, struct account *account,
              const struct account_move *move)
{
    if (!apply(account, move))
        return false;
    if (accounts->undo_len == accounts->undo_cap) {
        accounts->undo_cap =
            accounts->undo_cap == 0 ? 256 : accounts->undo_cap * 2;
        accounts->undo = command_resize(
            accounts->undo, accounts->undo_cap * sizeof *accounts->undo);
    }
    accounts->undo[accounts->undo_len++] =
        (struct account_undo){account, *move};
    return true;
}

void
accounts_keep(struct accounts *accounts)
{
    struct account *account = accounts->touched;

    accounts->undo_len = 0;
    accounts->touched = NULL;
    while (account != NULL) {
        struct account *next = account->touched;

        account->is_touched = false;
        if (account->open == 0 && account->mined_len == 0)
            drop(accounts, account);
        account = next;
    }
}

/* Last first.  What the ledger's own tables say is read again. */
void
accounts_undo(struct accounts *accounts)
{
    while (accounts->undo_len > 0) {
        struct account_undo *last = &accounts->undo[--accounts->undo_len];

        last->move.leaves = !last->move.leaves;
        if (!apply(last->account, &last->move))
            ledger_die("the sums of payers do not add up", SQLITE_INTERNAL);
    }
    for (struct account *at = accounts->touched; at != NULL; at = at->touched)
        at->known = false;
    accounts_keep(accounts);
}

void
accounts_forget_payers(struct accounts *accounts)
{
    for (size_t i = 0; i < accounts->buckets; i++) {
        struct account *at = accounts->bucket[i];

        for (; at != NULL; at = at->next)
            at->known = false;
    }
}

void
accounts_init(struct accounts *accounts)
{
    memset(accounts, 0, sizeof *accounts);
    core_random(&accounts->seed, sizeof accounts->seed);
    accounts->buckets = BUCKETS_FIRST;
    accounts->bucket = command_new(BUCKETS_FIRST * sizeof *accounts->bucket);
}

void
accounts_free(struct accounts *accounts)
{
    for (size_t i = 0; accounts->bucket != NULL && i < accounts->buckets; i++)
        while (accounts->bucket[i] != NULL)
            drop(accounts, accounts->bucket[i]);
    free(accounts->bucket);
    free(accounts->undo);
}
