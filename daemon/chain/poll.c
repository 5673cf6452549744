/* SPDX-License-Identifier: Apache-2.0 */
/* See poll.h. */
#include "poll.h"

#include <stdlib.h>
#include <string.h>

#include "../log.h"
#include "params.h"
#include "quantity.h"
#include "upkeep.h"

#define CHECK_MAX_MS pace_ms(30000) /* between looks at a mined block */
/* where a node knows no "finalized": this deep (Bitcoin-like caution) */
#define FINAL_DEPTH 256

/* -- asking -- */

static uint64_t
check_interval(const struct follower *follower, const struct flight *flight,
               uint64_t now_ms)
{
    uint64_t poll_ms = follower->chain->config->poll_ms;
    uint64_t age = now_ms > flight->mined_ms ? now_ms - flight->mined_ms : 0;
    uint64_t wait = age / 4;

    if (wait > CHECK_MAX_MS)
        wait = CHECK_MAX_MS;
    return wait < poll_ms ? poll_ms : wait;
}

static bool
add(struct poll *poll, enum ask_kind kind, struct flight *flight, size_t tx,
    struct signer *signer, struct rpc_call call)
{
    if (poll->len == RPC_CALLS_MAX) {
        free(call.params);
        return false;
    }
    poll->ask[poll->len].kind = kind;
    poll->ask[poll->len].flight = flight;
    poll->ask[poll->len].tx = tx;
    poll->ask[poll->len].signer = signer;
    poll->call[poll->len++] = call;
    return true;
}

static void
add_counts(struct poll *poll)
{
    struct signers *signers = poll->follower->chain->signers;

    for (size_t i = 0; i < signers_len(signers); i++) {
        struct signer *signer = signers_at(signers, i);

        if (signer->flights == 0)
            continue;
        add(poll, ASK_MINED_COUNT, NULL, 0, signer,
            params_nonce(&signer->address, "latest"));
        add(poll, ASK_FINAL_COUNT, NULL, 0, signer,
            params_nonce(&signer->address, "finalized"));
    }
}

static void
add_open(struct poll *poll, struct flight *flight)
{
    if (poll->len + flight->txs_len > RPC_CALLS_MAX)
        return; /* next time: those before it will have been mined */
    for (size_t i = 0; i < flight->txs_len; i++)
        add(poll, ASK_RECEIPT, flight, i, NULL,
            params_receipt(flight->txs[i].hash));
}

static void
add_mined(struct poll *poll, struct flight *flight, uint64_t now_ms)
{
    const struct follower *follower = poll->follower;
    bool final = follower->final_known &&
                 follower->final_number >= flight->step.block_number;

    if ((!final && now_ms < flight->check_ms) || poll->len + 64 > RPC_CALLS_MAX)
        return;
    flight->check_ms = now_ms + check_interval(follower, flight, now_ms);
    add(poll, ASK_BLOCK, flight, 0, NULL,
        params_block_at(flight->step.block_number));
}

struct poll *
poll_make(struct follower *follower)
{
    struct poll *poll = chain_alloc(sizeof *poll);
    uint64_t now_ms = core_now_ms();

    poll->follower = follower;
    add(poll, ASK_HEAD, NULL, 0, NULL, params_block("latest"));
    add(poll, ASK_FINAL, NULL, 0, NULL, params_block("finalized"));
    add_counts(poll);
    for (struct flight *f = follower->flights; f != NULL; f = f->next) {
        if (f->dead || f->busy)
            continue;
        if (f->step.state == STEP_OPEN)
            add_open(poll, f);
        else
            add_mined(poll, f, now_ms);
    }
    return poll;
}

/* -- reading -- */

static size_t
signer_index(const struct poll *poll, const struct signer *signer)
{
    return (size_t)(signer - signers_at(poll->follower->chain->signers, 0));
}

bool
follow_read_final(const struct chain *chain, const struct rpc_answer *answer,
                  uint64_t *number)
{
    uint64_t head = chain->health.head_number;

    if (answer->status == RPC_UNKNOWN)
        return false;
    if (answer->status == RPC_RESULT &&
        quantity_u64(number, json_object_get(answer->result, "number")))
        return true;
    if (head < FINAL_DEPTH)
        return false;
    *number = head - FINAL_DEPTH;
    return true;
}

static void
read_final(struct poll *poll, const struct rpc_answer *answer)
{
    struct follower *follower = poll->follower;

    if (follow_read_final(follower->chain, answer, &follower->final_number))
        follower->final_known = true;
}

void
poll_read(struct poll *poll, const struct rpc_answer *answers)
{
    for (size_t i = 0; i < poll->len; i++) {
        const struct rpc_answer *answer = &answers[i];
        struct signer *signer = poll->ask[i].signer;

        switch (poll->ask[i].kind) {
        case ASK_HEAD:
            poll->head_known =
                answer->status == RPC_RESULT && json_is_object(answer->result);
            if (poll->head_known)
                upkeep_head(poll->follower->chain, answer->result);
            else
                upkeep_lost(poll->follower->chain);
            break;
        case ASK_FINAL:
            read_final(poll, answer);
            break;
        case ASK_MINED_COUNT: {
            size_t k = signer_index(poll, signer);

            poll->count[k].mined_known =
                answer->status == RPC_RESULT &&
                quantity_u64(&poll->count[k].mined, answer->result);
            if (poll->count[k].mined_known && signer->nonce_known)
                signer_counted(signer, poll->count[k].mined, 0);
            break;
        }
        case ASK_FINAL_COUNT: {
            size_t k = signer_index(poll, signer);

            poll->count[k].final_known =
                answer->status == RPC_RESULT &&
                quantity_u64(&poll->count[k].final, answer->result);
            break;
        }
        case ASK_RECEIPT:
        case ASK_BLOCK:
            break;
        }
    }
}

static enum step_block
read_block(const struct flight *flight, const struct rpc_answer *answer)
{
    uint8_t hash[32];

    if (answer->status != RPC_RESULT)
        return STEP_BLOCK_UNKNOWN;
    if (json_is_null(answer->result))
        return STEP_BLOCK_NONE;
    if (!quantity_bytes(hash, 32, json_object_get(answer->result, "hash")))
        return STEP_BLOCK_UNKNOWN;
    return memcmp(hash, flight->block_hash, 32) == 0 ? STEP_BLOCK_SAME
                                                     : STEP_BLOCK_OTHER;
}

/* Receipts of all its transactions, or its block. */
static void
read_own(const struct poll *poll, const struct flight *flight,
         const struct rpc_answer *answers, struct step_view *view,
         struct receipt *receipt)
{
    size_t none = 0;

    for (size_t i = 0; i < poll->len; i++) {
        if (poll->ask[i].flight != flight)
            continue;
        if (poll->ask[i].kind == ASK_BLOCK) {
            view->block = read_block(flight, &answers[i]);
            continue;
        }
        if (answers[i].status != RPC_RESULT || view->has_receipt)
            continue;
        switch (receipt_read(receipt, answers[i].text,
                             flight->txs[poll->ask[i].tx].hash)) {
        case RECEIPT_NONE:
            none++;
            break;
        case RECEIPT_READ:
            view->has_receipt = true;
            break;
        case RECEIPT_BAD:
            log_event(LOG_ERROR, "receipt_not_believed", NULL);
            break;
        }
    }
    view->no_receipts = flight->txs_len > 0 && none == flight->txs_len;
}

static void
fill_view(const struct poll *poll, const struct flight *flight,
          struct step_view *view)
{
    const struct follower *follower = poll->follower;
    const struct chain_health *health = &follower->chain->health;

    *view = (struct step_view){
        .now_ms = core_now_ms(),
        .head_known = poll->head_known,
        .head_number = health->head_number,
        .head_time_s = health->head_time_s,
        .final_known = follower->final_known,
        .final_number = follower->final_number,
        .block = STEP_BLOCK_UNKNOWN,
    };
    if (flight->signer != NULL) {
        size_t k = signer_index(poll, flight->signer);

        view->mined_known = poll->count[k].mined_known;
        view->mined = poll->count[k].mined;
        view->final_mined_known = poll->count[k].final_known;
        view->final_mined = poll->count[k].final;
    }
}

void
poll_view(const struct poll *poll, const struct flight *flight,
          const struct rpc_answer *answers, struct step_view *view,
          struct receipt *receipt)
{
    fill_view(poll, flight, view);
    read_own(poll, flight, answers, view, receipt);
}
