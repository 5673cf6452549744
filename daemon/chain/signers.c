/* SPDX-License-Identifier: Apache-2.0 */
/* See signers.h. */
#include "signers.h"

#include "../failpoint.h"

#include <keystore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gift.h"
#include "wallet.h"

#define GWEI 1000000000u

struct signers {
    struct chain *chain;
    struct signer signer[CONFIG_SIGNERS_MAX];
    size_t len;
    size_t turn;
};

/* -- keys -- */

static enum keystore_err
read_key(uint8_t key32[32], const struct config_key *from)
{
    char password[KEYSTORE_PASSWORD_MAX];
    size_t len;
    enum keystore_err err;

    if (from->keystore_file == NULL)
        return keystore_file_open(key32, from->key_file,
                                  (struct x402_span){NULL, 0});
    err = keystore_password_read(password, &len, from->password_file);
    if (err == KEYSTORE_OK)
        err = keystore_file_open(key32, from->keystore_file,
                                 (struct x402_span){password, len});
    explicit_bzero(password, sizeof password);
    return err;
}

static enum keystore_err
open_key(struct signer *signer, const struct config_key *from)
{
    uint8_t *key32 = keystore_secret_new(32);
    uint8_t seed[32];
    enum keystore_err err;

    signer->key = keystore_secret_new(sizeof *signer->key);
    if (key32 == NULL || signer->key == NULL) {
        keystore_secret_free(key32, 32);
        return KEYSTORE_ERR_MEMORY;
    }
    core_random(seed, sizeof seed);
    err = read_key(key32, from);
    if (err == KEYSTORE_OK &&
        x402_signer_open(signer->key, key32, seed) != X402_OK)
        err = KEYSTORE_ERR_KEY;
    explicit_bzero(seed, sizeof seed);
    keystore_secret_free(key32, 32);
    if (err == KEYSTORE_OK)
        signer->address = signer->key->address;
    return err;
}

static bool
add_signer(struct signers *signers, const struct config_key *from, char *error,
           size_t error_len)
{
    struct signer *signer = &signers->signer[signers->len];
    const char *path =
        from->keystore_file == NULL ? from->key_file : from->keystore_file;
    enum keystore_err err = open_key(signer, from);

    if (err != KEYSTORE_OK) {
        snprintf(error, error_len, "%s: %s", path, keystore_err_text(err));
        keystore_secret_free(signer->key, sizeof *signer->key);
        return false;
    }
    signers->len++;
    if (signers_find(signers, &signer->address) != signer) {
        snprintf(error, error_len, "%s: the same key twice", path);
        return false;
    }
    return true;
}

struct signers *
signers_open(struct chain *chain, char *error, size_t error_len)
{
    struct signers *signers = chain_alloc(sizeof *signers);

    signers->chain = chain;
    for (size_t i = 0; i < chain->config->signer_len; i++) {
        if (!add_signer(signers, &chain->config->signer[i], error, error_len)) {
            signers_free(signers);
            return NULL;
        }
    }
    return signers;
}

void
signers_free(struct signers *signers)
{
    for (size_t i = 0; i < signers->len; i++) {
        x402_signer_close(signers->signer[i].key);
        keystore_secret_free(signers->signer[i].key,
                             sizeof *signers->signer[i].key);
    }
    free(signers);
}

/* -- who -- */

size_t
signers_len(const struct signers *signers)
{
    return signers->len;
}

struct signer *
signers_at(struct signers *signers, size_t i)
{
    return &signers->signer[i];
}

struct signer *
signers_find(struct signers *signers, const struct x402_address *address)
{
    for (size_t i = 0; i < signers->len; i++) {
        if (x402_address_eq(&signers->signer[i].address, address))
            return &signers->signer[i];
    }
    return NULL;
}

const struct x402_address *
signers_any(const struct signers *signers)
{
    return signers->len == 0 ? NULL : &signers->signer[0].address;
}

/* -- money -- */

/* Enough for one settlement at today's fees, nothing offered above them. */
static bool
can_pay(const struct signer *signer, const struct fees *fees)
{
    struct x402_amount cost;

    return signer->balance_known &&
           fees_cost(&cost, &fees->max_fee, FEES_GAS_SINGLE) &&
           x402_amount_cmp(&signer->balance, &cost) >= 0;
}

static bool
offer_single(const struct chain *chain, struct fees *out)
{
    struct fees_caps caps = {chain->config->max_fee_gwei,
                             chain->config->max_fee_settlement_gwei};

    return fees_offer(out, &chain->market, &caps, FEES_GAS_SINGLE, 1);
}

uint64_t
chain_gas_gwei(const struct chain *chain, const struct chain_verdict *verdict)
{
    uint64_t gas = verdict->deploys    ? WALLET_DEPLOY_GAS
                   : verdict->has_code ? WALLET_GAS
                                       : FEES_GAS_SINGLE;
    struct fees fees;
    struct x402_amount wei, gwei;
    uint64_t out, gift;

    if (chain->remote != NULL || !offer_single(chain, &fees))
        return 0;
    if (!fees_cost(&wei, &fees.max_fee, gas))
        return UINT64_MAX;
    (void)x402_amount_div_u64(&gwei, &wei, GWEI);
    if (!x402_amount_u64(&out, &gwei) || out == UINT64_MAX)
        return UINT64_MAX;
    out++; /* upwards */
    gift =
        verdict->gift_gwei == 0 ? 0 : gift_cost_gwei(verdict->gift_gwei, &fees);
    return gift > UINT64_MAX - out ? UINT64_MAX : out + gift;
}

static bool
is_ready(const struct signer *signer, const struct fees *fees)
{
    return signer->nonce_known && signer->flights < SIGNER_FLIGHTS_MAX &&
           can_pay(signer, fees);
}

struct signer *
signers_ready(struct signers *signers, const struct x402_address *address)
{
    struct signer *signer = signers_find(signers, address);
    struct fees fees;

    if (signer == NULL || !offer_single(signers->chain, &fees) ||
        !is_ready(signer, &fees))
        return NULL;
    return signer;
}

struct signer *
signers_choose(struct signers *signers)
{
    struct fees fees;

    if (!offer_single(signers->chain, &fees))
        return NULL;
    for (size_t i = 0; i < signers->len; i++) {
        struct signer *signer =
            &signers->signer[(signers->turn + i) % signers->len];

        if (is_ready(signer, &fees)) {
            signers->turn = (signers->turn + i + 1) % signers->len;
            return signer;
        }
    }
    return NULL;
}

enum x402_err
signers_refuse(const struct signers *signers)
{
    struct fees fees;

    if (signers->len == 0)
        return X402_OK;
    if (!signers->chain->market.known)
        return X402_ERR_UNAVAILABLE;
    if (!offer_single(signers->chain, &fees) ||
        spent_reached(&signers->chain->spent,
                      signers->chain->config->max_fee_day_gwei, core_now_ms()))
        return X402_ERR_FEES;
    for (size_t i = 0; i < signers->len; i++) {
        if (can_pay(&signers->signer[i], &fees))
            return X402_OK;
    }
    return X402_ERR_UNAVAILABLE;
}

static void
read_breakers(struct chain *chain)
{
    chain->health.stopped = false;
    for (size_t i = 0; i < chain->assets_len; i++) {
        if (breaker_tripped(&chain->assets[i].accounts))
            chain->health.stopped = true;
    }
}

void
signers_health(struct signers *signers)
{
    struct chain_health *health = &signers->chain->health;

    health->signer_len = signers->len;
    for (size_t i = 0; i < signers->len; i++) {
        health->signer[i] = signers->signer[i].address;
        health->signer_balance[i] = signers->signer[i].balance;
    }
    read_breakers(signers->chain);
    health->can_settle = signers->chain->ready && health->reachable &&
                         signers->len > 0 && signers_refuse(signers) == X402_OK;
}

/* -- account nonces -- */

void
signer_used(struct signer *signer, uint64_t nonce)
{
    if (nonce >= signer->next_nonce && !mutant("nonce_twice"))
        signer->next_nonce = nonce + 1;
}

void
signer_counted(struct signer *signer, uint64_t mined, uint64_t pending)
{
    signer->mined = mined;
    /* between taking a nonce and the ledger's answer the count stands still */
    if (signer->busy)
        return;
    if (mined > signer->next_nonce)
        signer->next_nonce = mined;
    if (!signer->nonce_known && pending > signer->next_nonce)
        signer->next_nonce = pending;
    signer->nonce_known = true;
}
