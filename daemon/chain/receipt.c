/* SPDX-License-Identifier: Apache-2.0 */
/* See receipt.h.
 *
 * A payment is proven by two logs of its token, one right after the other:
 * AuthorizationUsed(payer, nonce) and Transfer(payer, payee, value).  EIP-3009
 * tokens mark the authorization as used and then move the money, so the next
 * log of the same token is the transfer that the authorization bought.  Looking
 * for any Transfer of the right size instead would let one transfer prove two
 * payments: a payer can sign one nonce twice, spend it on himself, and point at
 * the transfer of another, equal payment in the same transaction.
 *
 * With Permit2 it is the other way round: the token's Transfer(payer, payee,
 * value), then the proxy's Settled() as soon as Permit2 has returned.  Neither
 * names the nonce; so a transaction of ours holds one Permit2 payment of a
 * payer at most (settle.c), and the newest Transfer since the last Settled is
 * the one that it bought.  What a stranger's transaction says is not enough
 * (inquire.c). */
#include "receipt.h"

#include <stdlib.h>
#include <string.h>

#include <x402/abi.h>

#include "quantity.h"
#include "scan.h"
#include "../failpoint.h"

struct log {
    struct x402_address token;
    uint8_t topic[4][32];
    size_t topics;
    uint8_t data[32];
    bool has_word; /* data is one word */
};

/* -- one log -- */

static bool
read_topics(struct log *out, struct x402_span topics)
{
    struct x402_span name, topic;
    struct scan scan;

    if (!scan_begin(&scan, topics) || scan.object)
        return false;
    while (scan_next(&scan, &name, &topic)) {
        if (out->topics == 4 ||
            !quantity_text_bytes(out->topic[out->topics++], 32, topic))
            return false;
    }
    return true;
}

static bool
is_bytes(const uint8_t *bytes, struct x402_span json)
{
    uint8_t read[32];

    return quantity_text_bytes(read, 32, json) && memcmp(read, bytes, 32) == 0;
}

static bool
read_log(struct log *out, struct x402_span log, const struct receipt *receipt)
{
    enum { ADDRESS, TOPICS, DATA, TRANSACTION, BLOCK, REMOVED, MEMBERS };
    struct scan_want want[MEMBERS] = {
        [ADDRESS].name = "address", [TOPICS].name = "topics",
        [DATA].name = "data",       [TRANSACTION].name = "transactionHash",
        [BLOCK].name = "blockHash", [REMOVED].name = "removed",
    };

    out->topics = 0;
    if (!scan_find(want, MEMBERS, log) ||
        !quantity_text_bytes(out->token.byte, sizeof out->token.byte,
                             want[ADDRESS].value) ||
        !read_topics(out, want[TOPICS].value) ||
        scan_is(want[REMOVED].value, "true"))
        return false;
    /* a log of another transaction or block has no place in this receipt */
    if (!is_bytes(receipt->tx_hash, want[TRANSACTION].value) ||
        !is_bytes(receipt->block_hash, want[BLOCK].value))
        return false;
    out->has_word = quantity_text_bytes(out->data, 32, want[DATA].value);
    return true;
}

static bool
is_address_topic(struct x402_address *out, const uint8_t topic[32])
{
    static const uint8_t zero[12];

    if (memcmp(topic, zero, 12) != 0)
        return false;
    memcpy(out->byte, topic + 12, 20);
    return true;
}

/* -- all logs -- */

static bool
begins_use(struct receipt_use *use, const struct log *log)
{
    memset(use, 0, sizeof *use);
    if (log->topics != 3 ||
        memcmp(log->topic[0], x402_abi_topic_authorization_used, 32) != 0 ||
        !is_address_topic(&use->payer, log->topic[1]))
        return false;
    use->token = log->token;
    memcpy(use->nonce, log->topic[2], 32);
    return true;
}

static void
end_use(struct receipt_use *use, const struct log *log)
{
    struct x402_address from;

    if (log->topics != 3 || !log->has_word ||
        memcmp(log->topic[0], x402_abi_topic_transfer, 32) != 0 ||
        !is_address_topic(&from, log->topic[1]) ||
        !is_address_topic(&use->payee, log->topic[2]) ||
        !x402_address_eq(&from, &use->payer))
        return;
    x402_amount_from_be32(&use->value, log->data);
    use->moved = true;
}

/* The newest use of this token that still waits for its transfer. */
static struct receipt_use *
open_use(struct receipt_use *uses, const bool *open, size_t len,
         const struct x402_address *token)
{
    for (size_t i = len; i-- > 0;) {
        if (x402_address_eq(&uses[i].token, token))
            return open[i] ? &uses[i] : NULL;
    }
    return NULL;
}

/* Which proxy says that it has settled?  EIP3009: none. */
static enum x402_method
settled_by(const struct log *log)
{
    if (log->topics != 1 ||
        (memcmp(log->topic[0], x402_abi_topic_settled, 32) != 0 &&
         memcmp(log->topic[0], x402_abi_topic_settled_with_permit, 32) != 0))
        return X402_METHOD_EIP3009;
    if (x402_address_eq(&log->token, &x402_permit2_exact_proxy))
        return X402_METHOD_PERMIT2_EXACT;
    if (x402_address_eq(&log->token, &x402_permit2_upto_proxy))
        return X402_METHOD_PERMIT2_UPTO;
    return X402_METHOD_EIP3009;
}

static bool
is_transfer(const struct log *log)
{
    return log->topics == 3 && log->has_word &&
           memcmp(log->topic[0], x402_abi_topic_transfer, 32) == 0;
}

/* The newest Transfer is what this Settled is about. */
static bool
settles(struct receipt_use *use, const struct log *transfer,
        enum x402_method method)
{
    memset(use, 0, sizeof *use);
    use->method = method;
    use->token = transfer->token;
    if (transfer->topics != 3 ||
        !is_address_topic(&use->payer, transfer->topic[1]) ||
        !is_address_topic(&use->payee, transfer->topic[2]))
        return false;
    x402_amount_from_be32(&use->value, transfer->data);
    use->moved = true;
    return true;
}

static bool
count_logs(size_t *n, struct x402_span logs)
{
    struct x402_span name, log;
    struct scan scan;

    *n = 0;
    if (!scan_begin(&scan, logs) || scan.object)
        return false;
    while (scan_next(&scan, &name, &log)) {
        if (++*n > RECEIPT_LOGS_MAX)
            return false;
    }
    return true;
}

/* A log may end the use before it, and begin one. */
static void
take_log(struct receipt *out, bool *open, const struct log *log,
         struct log *transfer)
{
    enum x402_method method = settled_by(log);
    struct receipt_use *use =
        open_use(out->uses, open, out->uses_len, &log->token);

    if (use != NULL) {
        end_use(use, log);
        open[use - out->uses] = false;
    }
    if (begins_use(&out->uses[out->uses_len], log))
        open[out->uses_len++] = true;
    if (is_transfer(log))
        *transfer = *log;
    if (method == X402_METHOD_EIP3009)
        return;
    if (settles(&out->uses[out->uses_len], transfer, method))
        out->uses_len++; /* never open: its transfer came before */
    transfer->topics = 0;
}

static bool
read_logs(struct receipt *out, struct x402_span logs)
{
    struct x402_span name, text;
    struct scan scan;
    struct log log, transfer = {.topics = 0};
    bool *open, good = true;
    size_t n;

    if (!count_logs(&n, logs) || !scan_begin(&scan, logs))
        return false;
    out->uses = calloc(n + 1, sizeof *out->uses);
    open = calloc(n + 1, sizeof *open);
    if (out->uses == NULL || open == NULL)
        abort();
    while (good && scan_next(&scan, &name, &text)) {
        good = read_log(&log, text, out);
        if (good)
            take_log(out, open, &log, &transfer);
    }
    free(open);
    return good;
}

enum receipt_read
receipt_read(struct receipt *out, struct x402_span result,
             const uint8_t tx_hash[32])
{
    enum { TRANSACTION, STATUS, NUMBER, BLOCK, LOGS, MEMBERS };
    struct scan_want want[MEMBERS] = {
        [TRANSACTION].name = "transactionHash",
        [STATUS].name = "status",
        [NUMBER].name = "blockNumber",
        [BLOCK].name = "blockHash",
        [LOGS].name = "logs",
    };
    uint64_t status;

    memset(out, 0, sizeof *out);
    if (scan_is(result, "null"))
        return RECEIPT_NONE;
    if (!scan_find(want, MEMBERS, result) ||
        !quantity_text_bytes(out->tx_hash, 32, want[TRANSACTION].value) ||
        memcmp(out->tx_hash, tx_hash, 32) != 0 ||
        !quantity_text_u64(&status, want[STATUS].value) || status > 1 ||
        !quantity_text_u64(&out->block_number, want[NUMBER].value) ||
        !quantity_text_bytes(out->block_hash, 32, want[BLOCK].value))
        return RECEIPT_BAD;
    out->success = status == 1 || mutant("status_ignored");
    if (!read_logs(out, want[LOGS].value)) {
        receipt_free(out);
        return RECEIPT_BAD;
    }
    return RECEIPT_READ;
}

void
receipt_free(struct receipt *receipt)
{
    free(receipt->uses);
    receipt->uses = NULL;
    receipt->uses_len = 0;
}

static bool
same_use(const struct receipt_use *a, const struct receipt_use *b)
{
    return a->method == b->method && x402_address_eq(&a->token, &b->token) &&
           x402_address_eq(&a->payer, &b->payer) &&
           memcmp(a->nonce, b->nonce, 32) == 0 && a->moved == b->moved &&
           x402_address_eq(&a->payee, &b->payee) &&
           x402_amount_cmp(&a->value, &b->value) == 0;
}

bool
receipt_same(const struct receipt *a, const struct receipt *b)
{
    if (a->success != b->success || a->block_number != b->block_number ||
        memcmp(a->block_hash, b->block_hash, 32) != 0 ||
        memcmp(a->tx_hash, b->tx_hash, 32) != 0 || a->uses_len != b->uses_len)
        return false;
    for (size_t i = 0; i < a->uses_len; i++) {
        if (!same_use(&a->uses[i], &b->uses[i]))
            return false;
    }
    return true;
}

/* -- claims -- */

static const struct receipt_use *
find_use(const struct receipt *receipt, const struct receipt_claim *claim)
{
    for (size_t i = 0; i < receipt->uses_len; i++) {
        const struct receipt_use *use = &receipt->uses[i];

        if (x402_address_eq(&use->token, claim->token) &&
            x402_address_eq(&use->payer, claim->payer) &&
            use->method == claim->method &&
            (claim->method != X402_METHOD_EIP3009 ||
             memcmp(use->nonce, claim->nonce, 32) == 0))
            return use;
    }
    return NULL;
}

bool
receipt_used(const struct receipt *receipt, const struct receipt_claim *claim)
{
    return receipt->success && find_use(receipt, claim) != NULL;
}

bool
receipt_paid(const struct receipt *receipt, const struct receipt_claim *claim)
{
    const struct receipt_use *use = find_use(receipt, claim);

    if (mutant("transfer_unchecked"))
        return receipt->success && use != NULL;
    return receipt->success && use != NULL && use->moved &&
           x402_address_eq(&use->payee, claim->payee) &&
           x402_amount_cmp(&use->value, claim->value) == 0;
}
