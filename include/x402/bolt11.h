/* SPDX-License-Identifier: Apache-2.0 */
/* BOLT 11: Lightning invoices, read strictly. */
#ifndef X402_BOLT11_H
#define X402_BOLT11_H

#include <stdbool.h>
#include <stdint.h>

#include <x402/buf.h>
#include <x402/msat.h>
#include <x402/signer.h>

#define X402_BOLT11_MAX 7089 /* characters, lnd's bound */
#define X402_BOLT11_DESCRIPTION_MAX 639
#define X402_NODE_LEN 33 /* a node's key, compressed */

/** Where an invoice is good.  Stored in the ledger: append only. */
enum x402_ln_network {
    X402_LN_MAINNET = 1, /* lnbc */
    X402_LN_TESTNET = 2, /* lntb */
    X402_LN_REGTEST = 3, /* lnbcrt */
    X402_LN_SIGNET = 4,  /* lntbs; not an x402 network */
    X402_LN_SIMNET = 5,  /* lnsb; not an x402 network */
};

struct x402_bolt11 {
    enum x402_ln_network network;
    bool has_amount;
    struct x402_msat amount; /* zero without one */
    uint64_t created_s;
    uint64_t expiry_s;       /* after created_s; 3600 when not stated */
    uint32_t min_final_cltv; /* 18 when not stated */
    uint8_t payment_hash[32];
    uint8_t payment_secret[32];
    bool has_description_hash; /* or a description, never both */
    uint8_t description_hash[32];
    char description[X402_BOLT11_DESCRIPTION_MAX + 1]; /* hostile text; NUL
                                                          terminated */
    size_t description_len;
    bool has_node;                /* the payee is stated, not only recovered */
    uint8_t payee[X402_NODE_LEN]; /* who signed it */
};

/** Read an invoice and check its signature.
 *
 *  Stricter than BOLT 11 asks: no field twice, zero padding, exactly one of
 *  description and description hash, no zero amount, amounts up to 21 million
 *  bitcoin.  Required features other than 8 (onion), 14 (payment secret), 16
 *  (multi-part) and 48 (metadata) are unknown here; AMP (30) and blinded paths
 *  (262) are among them.
 *
 *  Source:  BOLT 11; BIP 173
 *  In:      text  all lower or all upper case, no "lightning:"
 *  Returns: X402_ERR_TOO_LARGE  longer than X402_BOLT11_MAX
 *           X402_ERR_NETWORK    a well-formed prefix that is not in the table
 *           X402_ERR_RANGE      an amount that is not whole millisatoshis
 *           X402_ERR_SIGNATURE
 *           X402_ERR_SYNTAX     everything else
 *           Out: unchanged on error.
 *  Memory:  allocates nothing.  Threads: any. */
X402_MUST_CHECK enum x402_err x402_bolt11_decode(struct x402_bolt11 *out,
                                                 struct x402_span text);

/** Write and sign an invoice: for tests and fake nodes.
 *  In:      invoice  every field is written; payee is ignored, the key's own
 *                    is stated when has_node
 *           key32    the node's private key
 *  Returns: X402_ERR_RANGE      a bad key, or a value that has no encoding
 *           X402_ERR_TOO_LARGE  buf is full */
X402_MUST_CHECK enum x402_err
x402_bolt11_encode(struct x402_buf *buf, const struct x402_bolt11 *invoice,
                   const uint8_t key32[32]);

/** Is it past its time?  At exactly created + expiry it is. */
bool x402_bolt11_is_expired(const struct x402_bolt11 *invoice, uint64_t now_s);

/** "bc", "tb", "bcrt", "tbs", "sb". */
const char *x402_ln_currency(enum x402_ln_network network);
/** "lnbtc:000000000019d6689c085ae165831e93"; NULL for signet and simnet.
 *  Regtest's is ours, by the same rule. */
const char *x402_ln_caip2(enum x402_ln_network network);
/** "mainnet", "testnet", "regtest", "signet", "simnet". */
const char *x402_ln_name(enum x402_ln_network network);
/** X402_ERR_NETWORK when it is none of ours. */
X402_MUST_CHECK enum x402_err x402_ln_by_caip2(enum x402_ln_network *out,
                                               struct x402_span text);
X402_MUST_CHECK enum x402_err x402_ln_by_name(enum x402_ln_network *out,
                                              struct x402_span text);

#endif
