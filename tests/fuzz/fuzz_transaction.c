/* SPDX-License-Identifier: Apache-2.0 */
/* Signed transactions: what is read holds every byte of what came in. */
#include "fuzz.h"

#include <x402/rlp.h>
#include <x402/transaction.h>

#define BYTES_MAX 4096

/* The three strings that end the list. */
static void
put_signature(struct x402_rlp_writer *w, const uint8_t *raw, size_t len)
{
    struct x402_rlp_item list, item[12];
    const uint8_t *at = raw + 1;
    size_t left = len - 1;

    HOLDS(x402_rlp_read(&list, &at, &left) == X402_OK);
    at = list.at;
    left = list.len;
    for (unsigned i = 0; i < 12; i++)
        HOLDS(x402_rlp_read(&item[i], &at, &left) == X402_OK);
    HOLDS(left == 0);
    for (unsigned i = 12; i-- > 9;)
        x402_rlp_bytes(w, item[i].at, item[i].len);
}

static void
put_fields(struct x402_rlp_writer *w, const struct x402_transaction *tx)
{
    x402_rlp_list(w, w->start);
    x402_rlp_bytes(w, tx->data, tx->data_len);
    x402_rlp_amount(w, &tx->value);
    x402_rlp_bytes(w, tx->to.byte, 20);
    x402_rlp_u64(w, tx->gas_limit);
    x402_rlp_amount(w, &tx->max_fee);
    x402_rlp_amount(w, &tx->max_priority_fee);
    x402_rlp_u64(w, tx->nonce);
    x402_rlp_u64(w, tx->chain_id);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t memory[BYTES_MAX];
    struct x402_rlp_writer w = {memory, BYTES_MAX, BYTES_MAX, false};
    struct x402_transaction tx;
    struct x402_address sender;

    if (size > BYTES_MAX ||
        x402_transaction_decode(&tx, &sender, data, size) != X402_OK)
        return 0;
    HOLDS(tx.data >= data && tx.data + tx.data_len <= data + size);
    put_signature(&w, data, size);
    put_fields(&w, &tx);
    x402_rlp_list(&w, BYTES_MAX);
    HOLDS(!w.full && BYTES_MAX - w.start == size - 1);
    HOLDS(memcmp(memory + w.start, data + 1, size - 1) == 0);
    return 0;
}
