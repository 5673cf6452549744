/* SPDX-License-Identifier: Apache-2.0 */
/* See inquire.h.  The logs are searched backwards from the head in windows:
 * the use is nearly always recent, and nodes limit how much they search.
 *
 * Permit2 logs no use.  There the payer's transfers to our payee are gone
 * through, and the calls that made them are read (proof.c).  When none of them
 * is this payment's, and its nonce is used at a final block, it was taken back
 * or used for something else. */
#include "inquire.h"

#include <stdlib.h>
#include <string.h>

#include <x402/abi.h>

#include "../failpoint.h"
#include "../log.h"
#include "../metrics.h"
#include "follow.h"
#include "inquire_inside.h"
#include "look.h"
#include "params.h"
#include "proof.h"
#include "quantity.h"
#include "settle.h"
#include "watch.h"

#define WINDOW 5000 /* blocks in one search; providers allow 10,000 */
#define WINDOW_LEAST 100
#define WINDOWS_MAX 64 /* about a week of two-second blocks */
/* Where the node cannot look into a final block any more (its state was
 * pruned): this long after the end no reorg brings the time back. */
#define LONG_AFTER_S 3600
/* Of a younger payment every transfer since it was made was looked at. */
#define SEARCHED_MS (3 * 24 * 3600 * 1000ull)

static void search(struct inquiry *q);
static void proceed(struct inquiry *q);

void
inquire_ask(struct inquiry *q, const struct rpc_call *calls, size_t len,
            rpc_cb cb)
{
    rpc_ask_without(q->chain->rpc, q->without, calls, len, cb, q);
}

void
inquire_note_answerer(struct inquiry *q)
{
    q->asked |= rpc_answerer(q->chain->rpc);
}

/* -- the end -- */

void
inquire_end(struct inquiry *q, enum x402_err later)
{
    q->chain->settler_inquiries--;
    settle_put_back(q->chain->settler, q->row.id, later);
    receipt_free(&q->receipt);
    free(q);
}

/* A settle-first payment that was never submitted is let go without proof:
 * nobody was given anything for it, and we shall not submit it. */
static bool
may_let_go(const struct pay_row *row)
{
    return row->state == PAY_RESERVED && row->batch_id == 0;
}

/* A proof counts when two endpoints, each asked from the beginning, come to the
 * same.  Returns true then; else the inquiry goes on, or ended. */
bool
inquire_is_proven(struct inquiry *q, const struct finding *proof)
{
    if (!rpc_must_agree(q->chain->rpc))
        return true;
    if (!q->second) {
        q->first = *proof;
        q->second = true;
        q->without = q->asked;
        q->candidates = 0;
        q->doubt = q->searched = false;
        receipt_free(&q->receipt);
        proceed(q);
        return false;
    }
    if (proof->paid == q->first.paid && proof->reason == q->first.reason &&
        memcmp(proof->tx_hash, q->first.tx_hash, 32) == 0 &&
        memcmp(proof->block_hash, q->first.block_hash, 32) == 0)
        return true;
    log_event(LOG_ERROR, "endpoints_disagree", NULL);
    inquire_end(q, q->asked_for);
    return false;
}

/* Somebody was faster than our transaction. */
static void
excuse(const struct inquiry *q)
{
    struct breaker *breaker =
        chain_breaker(q->chain, &q->row.asset, q->row.alone);

    if (breaker != NULL)
        breaker_excused(breaker);
}

static void
on_failed(void *arg, enum x402_err err, int64_t payment)
{
    struct inquiry *q = arg;

    q->chain->ledger_waits--;
    if (err == X402_OK) {
        metrics_add(METRIC_FAILED, 1);
        if (q->reason == X402_ERR_NONCE_USED)
            excuse(q);
        watch_refused(q->chain->watches, payment, q->reason);
    }
    inquire_end(q, X402_OK);
}

static void
fail(struct inquiry *q, enum x402_err reason)
{
    struct finding proof = {.reason = reason};

    if (!may_let_go(&q->row) && !inquire_is_proven(q, &proof))
        return;
    log_event(LOG_WARN, "payment_failed", "reason", x402_err_info(reason)->name,
              NULL);
    q->reason = reason;
    q->chain->ledger_waits++;
    ledger_failed(q->chain->ledger, q->row.id, reason, core_now_ms(), on_failed,
                  q);
}

/* FAILED needs the deed in a final block; until then it may be undone. */
static void
fail_if_final(struct inquiry *q, uint64_t block,
              const struct rpc_answer *finalized)
{
    uint64_t final;

    if (may_let_go(&q->row) ||
        (follow_read_final(q->chain, finalized, &final) && block <= final))
        fail(q, X402_ERR_NONCE_USED);
    else
        inquire_end(q, X402_ERR_NONCE_USED);
}

/* -- somebody used it: for whom? -- */

static void
on_paid(void *arg, enum x402_err err, int64_t payment)
{
    struct inquiry *q = arg;

    q->chain->ledger_waits--;
    if (err == X402_OK) {
        log_event(LOG_INFO,
                  q->chain->remote != NULL ? "paid" : "paid_by_another", NULL);
        excuse(q);
        metrics_add(METRIC_MINED, 1);
        if (!q->chain->closing)
            follow_paid_by(q->chain->follower, &q->receipt);
        watch_mined(q->chain->watches, payment);
    }
    inquire_end(q, X402_OK);
}

void
inquire_paid(struct inquiry *q)
{
    struct finding proof = {.paid = true};

    memcpy(proof.tx_hash, q->receipt.tx_hash, 32);
    memcpy(proof.block_hash, q->receipt.block_hash, 32);
    if (!inquire_is_proven(q, &proof))
        return;
    q->chain->ledger_waits++;
    ledger_paid_by(q->chain->ledger, q->row.id, q->receipt.tx_hash,
                   q->receipt.block_number, q->receipt.block_hash,
                   core_now_ms(), on_paid, q);
}

static struct receipt_claim
claim_of(const struct inquiry *q)
{
    return (struct receipt_claim){
        .method = q->row.method,
        .token = &q->row.asset,
        .payer = &q->row.auth.from,
        .payee = &q->row.auth.to,
        .value = &q->row.charge,
        .nonce = q->row.auth.nonce,
    };
}

static void
on_receipt(void *arg, const struct rpc_answer *answers, size_t len)
{
    struct inquiry *q = arg;
    struct receipt_claim claim = claim_of(q);

    (void)len;
    inquire_note_answerer(q);
    if (answers[0].status != RPC_RESULT || q->chain->closing ||
        receipt_read(&q->receipt, answers[0].text, q->tx_hash) !=
            RECEIPT_READ ||
        !receipt_used(&q->receipt, &claim)) {
        inquire_end(q, X402_ERR_NONCE_USED);
        return;
    }
    if (receipt_paid(&q->receipt, &claim) && !mutant("others_pay_nothing"))
        inquire_paid(q);
    else
        fail_if_final(q, q->receipt.block_number, &answers[1]);
}

/* -- the search -- */

static bool
is_topic(const json_t *log, size_t i, const uint8_t topic[32])
{
    uint8_t bytes[32];
    const json_t *topics = json_object_get(log, "topics");

    return quantity_bytes(bytes, 32, json_array_get(topics, i)) &&
           memcmp(bytes, topic, 32) == 0;
}

/* The log that we asked for, not one that a node made up. */
static bool
is_about(const struct inquiry *q, const json_t *log)
{
    struct x402_address address;
    uint8_t payer[32] = {0};

    memcpy(payer + 12, q->row.auth.from.byte, 20);
    return quantity_address(&address, json_object_get(log, "address")) &&
           x402_address_eq(&address, &q->row.asset) &&
           is_topic(log, 1, payer) && is_topic(log, 2, q->row.auth.nonce);
}

static void
on_canceled(void *arg, const struct rpc_answer *answers, size_t len)
{
    struct inquiry *q = arg;

    (void)len;
    inquire_note_answerer(q);
    if (q->chain->closing)
        inquire_end(q, X402_ERR_NONCE_USED);
    else
        fail_if_final(q, q->use_block, &answers[0]);
}

static void
found(struct inquiry *q, const json_t *log)
{
    struct rpc_call calls[2];

    if (!is_about(q, log) ||
        !quantity_u64(&q->use_block, json_object_get(log, "blockNumber")) ||
        !quantity_bytes(q->tx_hash, 32,
                        json_object_get(log, "transactionHash"))) {
        inquire_end(q, X402_ERR_NONCE_USED);
        return;
    }
    if (is_topic(log, 0, x402_abi_topic_authorization_canceled)) {
        calls[0] = params_block("finalized");
        inquire_ask(q, calls, 1, on_canceled);
        return;
    }
    calls[0] = params_receipt(q->tx_hash);
    calls[1] = params_block("finalized");
    inquire_ask(q, calls, 2, on_receipt);
}

/* -- Permit2 -- */

static bool
by_permit2(const struct inquiry *q)
{
    return q->row.method != X402_METHOD_EIP3009;
}

static void
not_found(struct inquiry *q)
{
    bool all =
        q->to < q->window || core_now_ms() - q->row.created_ms < SEARCHED_MS;

    /* FAILED is for inquire(), which looks at a final block */
    if (by_permit2(q) && !q->doubt && all && !q->searched && !q->use_only) {
        q->searched = true;
        inquire_ask_state(q);
        return;
    }
    log_event(LOG_WARN, "authorization_use_not_found", NULL);
    inquire_end(q, X402_ERR_NONCE_USED);
}

void
inquire_next_window(struct inquiry *q)
{
    if (q->to < q->window || ++q->windows == WINDOWS_MAX) {
        not_found(q);
        return;
    }
    q->to -= q->window;
    q->newest = false;
    search(q);
}

/* -- both -- */

static void
on_logs(void *arg, const struct rpc_answer *answers, size_t len)
{
    struct inquiry *q = arg;
    const json_t *logs = answers[0].result;

    (void)len;
    inquire_note_answerer(q);
    if (q->chain->closing) {
        inquire_end(q, X402_ERR_NONCE_USED);
    } else if (answers[0].status == RPC_ERROR && q->window > WINDOW_LEAST) {
        q->window /= 2; /* "range too large" */
        search(q);
    } else if (answers[0].status != RPC_RESULT || !json_is_array(logs)) {
        inquire_end(q, X402_ERR_NONCE_USED);
    } else if (by_permit2(q)) {
        inquire_take_candidates(q, logs);
        inquire_next_candidate(q);
    } else if (json_array_size(logs) > 0) {
        found(q, json_array_get(logs, json_array_size(logs) - 1));
    } else {
        inquire_next_window(q);
    }
}

static void
search(struct inquiry *q)
{
    uint8_t payer[32] = {0}, payee[32] = {0};
    struct params_logs logs = {
        .contract = &q->row.asset,
        .either = {x402_abi_topic_authorization_used,
                   x402_abi_topic_authorization_canceled},
        .topic1 = payer,
        .topic2 = q->row.auth.nonce,
        .from = q->to < q->window ? 0 : q->to - q->window + 1,
        .to = q->newest ? UINT64_MAX : q->to,
    };
    struct rpc_call call;

    memcpy(payer + 12, q->row.auth.from.byte, 20);
    memcpy(payee + 12, q->row.auth.to.byte, 20);
    if (by_permit2(q)) {
        logs.either[0] = logs.either[1] = x402_abi_topic_transfer;
        logs.topic2 = payee;
    }
    call = params_logs(&logs);
    inquire_ask(q, &call, 1, on_logs);
}

static void
begin_search(struct inquiry *q)
{
    q->to = q->chain->health.head_number;
    q->newest = true;
    q->window = WINDOW;
    search(q);
}

/* -- expired: unused at a final block after its end? -- */

static bool
read_state(struct inquiry *q, const struct rpc_answer *answer,
           struct look_seen *seen, struct look_block *block)
{
    struct look_payment payment = look_of_row(&q->row);
    uint8_t *data;
    size_t len;
    bool good;

    if (answer->status != RPC_RESULT ||
        !quantity_data(&data, &len, answer->result))
        return false;
    good = look_decode(seen, block, &payment, 1, false, data, len);
    free(data);
    return good && seen->token;
}

static void
on_state(void *arg, const struct rpc_answer *answers, size_t len)
{
    struct inquiry *q = arg;
    uint64_t ends_s = q->row.auth.valid_before_s;
    struct look_seen seen;
    struct look_block block;

    (void)len;
    inquire_note_answerer(q);
    if (q->chain->closing) {
        inquire_end(q, q->reason);
        return;
    }
    if (answers[0].status == RPC_ERROR && !q->pruned && !q->adopted) {
        q->pruned = true;
        log_event(LOG_INFO, "final_state_unavailable", "message",
                  answers[0].message, NULL);
        inquire_ask_state(q);
        return;
    }
    if (!read_state(q, &answers[0], &seen, &block)) {
        if (mutant("silence_is_failed")) {
            fail(q, q->reason);
            return;
        }
        inquire_end(q, q->reason);
        return;
    }
    /* "if (block.timestamp > permit.deadline) revert SignatureExpired": the
     * deadline's own second is good, and several blocks may share it */
    if (by_permit2(q))
        ends_s++;
    if (q->pruned)
        ends_s += LONG_AFTER_S;
    if (q->adopted && !seen.used)
        inquire_unused(q, block.time_s);
    else if (seen.used && q->searched)
        fail(q, X402_ERR_NONCE_USED);
    else if (seen.used)
        begin_search(q);
    else if (block.time_s >= ends_s && !q->use_only)
        fail(q, q->reason);
    else
        inquire_end(q, q->reason);
}

void
inquire_ask_state(struct inquiry *q)
{
    struct look_payment payment = look_of_row(&q->row);
    struct params_message message = {
        .to = chain_multicall3(),
        .block = q->pruned ? "latest" : "finalized",
    };
    uint8_t *data =
        look_encode(&message.data_len, chain_id(q->chain), &payment, 1, false);
    struct rpc_call call;

    message.data = data;
    call = params_call(&message);
    free(data);
    inquire_ask(q, &call, 1, on_state);
}

static void ask_claim(struct inquiry *q);

/* From the beginning. */
static void
proceed(struct inquiry *q)
{
    q->windows = 0;
    q->pruned = q->use_only || q->adopted;
    if (q->claimed)
        ask_claim(q);
    else if (q->asked_for == X402_ERR_NONCE_USED)
        begin_search(q);
    else
        inquire_ask_state(q);
}

static struct inquiry *
begin(struct chain *chain, const struct pay_row *row, enum x402_err reason)
{
    struct inquiry *q = chain_alloc(sizeof *q);

    chain->settler_inquiries++;
    q->chain = chain;
    q->row = *row;
    q->reason = q->asked_for = reason;
    return q;
}

bool
inquire(struct chain *chain, const struct pay_row *row, enum x402_err reason)
{
    struct inquiry *q;

    if (chain->settler_inquiries >= INQUIRE_MAX)
        return false;
    q = begin(chain, row, reason);
    if (reason != X402_ERR_NONCE_USED && may_let_go(row))
        fail(q, reason);
    else
        proceed(q);
    return true;
}

bool
inquire_adopted(struct chain *chain, const struct pay_row *row)
{
    struct inquiry *q;

    if (chain->settler_inquiries >= INQUIRE_MAX)
        return false;
    q = begin(chain, row, X402_ERR_PENDING);
    q->adopted = true;
    proceed(q);
    return true;
}

/* -- settled by somebody for us -- */

bool
inquire_use(struct chain *chain, const struct pay_row *row,
            enum x402_err reason)
{
    struct inquiry *q;

    if (chain->settler_inquiries >= INQUIRE_MAX)
        return false;
    q = begin(chain, row, reason);
    q->use_only = true;
    proceed(q);
    return true;
}

/* Permit2's logs name no nonce: another payment of the same amount would do. */
static bool
claim_paid(const struct inquiry *q, const struct rpc_answer *answers)
{
    struct receipt_claim claim = claim_of(q);

    if (!by_permit2(q) || mutant("claim_any_transfer"))
        return receipt_paid(&q->receipt, &claim);
    return answers[1].status == RPC_RESULT &&
           proof_permit2(&q->row, &q->receipt, answers[1].result) == PROOF_PAID;
}

static void
on_claim(void *arg, const struct rpc_answer *answers, size_t len)
{
    struct inquiry *q = arg;
    enum receipt_read read = RECEIPT_BAD;

    (void)len;
    inquire_note_answerer(q);
    if (answers[0].status != RPC_RESULT || q->chain->closing) {
        inquire_end(q, X402_ERR_PENDING);
        return;
    }
    read = receipt_read(&q->receipt, answers[0].text, q->tx_hash);
    if (read == RECEIPT_READ && claim_paid(q, answers)) {
        inquire_paid(q);
        return;
    }
    /* not mined as far as the node knows, or not about this payment */
    log_event(read == RECEIPT_NONE ? LOG_INFO : LOG_ERROR, "claim_not_believed",
              "network", q->chain->config->network->caip2, NULL);
    receipt_free(&q->receipt);
    memset(&q->receipt, 0, sizeof q->receipt);
    q->claimed = false;
    q->use_only = true;
    proceed(q);
}

static void
ask_claim(struct inquiry *q)
{
    struct rpc_call calls[2] = {params_receipt(q->claim)};
    size_t len = 1;

    memcpy(q->tx_hash, q->claim, sizeof q->tx_hash);
    if (by_permit2(q))
        calls[len++] = params_transaction(q->claim);
    inquire_ask(q, calls, len, on_claim);
}

void
inquire_claim(struct chain *chain, const struct pay_row *row,
              const uint8_t tx_hash[32])
{
    struct inquiry *q = begin(chain, row, X402_ERR_PENDING);

    memcpy(q->claim, tx_hash, sizeof q->claim);
    q->claimed = true;
    proceed(q);
}
