/* SPDX-License-Identifier: Apache-2.0 */
/* See fake_chain.h. */
#include "fake_chain.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define WAITING_MAX 2048

struct chain {
    struct core *core;
};

struct ask {
    chain_verdict_cb cb;
    void *arg;
    struct chain_verdict verdict;
};

struct watch {
    int64_t payment;
    chain_watch_cb cb;
    void *arg;
};

struct fake_chain fake;

static struct chain chain;
static struct ask held[WAITING_MAX];
static struct watch watches[WAITING_MAX];
static size_t held_len, watches_len;

struct chain *
fake_chain(struct core *core)
{
    memset(&fake, 0, sizeof fake);
    fake.verdict.balance = x402_amount_of(1000000000);
    fake.verdict.block_number = 100;
    fake.health.reachable = fake.health.can_settle = true;
    fake.health.head_number = 100;
    fake.health.signer_len = 1;
    held_len = watches_len = 0;
    chain.core = core;
    return &chain;
}

static void
answer_one(void *arg)
{
    struct ask *ask = arg;

    ask->cb(ask->arg, &ask->verdict);
    free(ask);
}

struct adoption {
    chain_adopt_cb cb;
    void *arg;
};

static void
refuse_adoption(void *arg)
{
    struct adoption *adoption = arg;

    adoption->cb(adoption->arg, X402_ERR_NONCE_USED);
    free(adoption);
}

void
chain_adopt(struct chain *c, enum x402_method method,
            const struct x402_address *asset,
            const struct x402_authorization *auth, const char *resource,
            chain_adopt_cb cb, void *arg)
{
    struct adoption *adoption = malloc(sizeof *adoption);

    (void)method;
    (void)asset;
    (void)auth;
    (void)resource;
    if (adoption == NULL)
        abort();
    *adoption = (struct adoption){cb, arg};
    core_post(c->core, refuse_adoption, adoption);
}

void
chain_simulate(struct chain *c, const struct chain_ask *ask,
               chain_verdict_cb cb, void *arg)
{
    struct ask *mine;

    fake.asked++;
    fake.advice = ask->advice;
    if (fake.hold && held_len < WAITING_MAX) {
        held[held_len++] = (struct ask){cb, arg, fake.verdict};
        return;
    }
    mine = malloc(sizeof *mine);
    if (mine == NULL)
        abort();
    *mine = (struct ask){cb, arg, fake.verdict};
    core_post(c->core, answer_one, mine);
}

void
fake_answer(void)
{
    size_t len = held_len;

    held_len = 0;
    for (size_t i = 0; i < len; i++)
        held[i].cb(held[i].arg, &held[i].verdict);
}

void
chain_kick(struct chain *c, bool urgent)
{
    (void)c;
    fake.kicks++;
    fake.urgent_kicks += urgent;
}

void
chain_watch(struct chain *c, int64_t payment, unsigned timeout_ms,
            chain_watch_cb cb, void *arg)
{
    (void)c;
    (void)timeout_ms;
    if (watches_len == WAITING_MAX)
        abort();
    watches[watches_len++] = (struct watch){payment, cb, arg};
}

void
chain_look_again(struct chain *c, int64_t payment)
{
    (void)c;
    fake.looked_again = payment;
}

size_t
fake_watched(void)
{
    return watches_len;
}

void
fake_tell(struct ledger *ledger, enum chain_outcome outcome,
          enum x402_err reason)
{
    size_t len = watches_len;
    struct watch list[WAITING_MAX];

    memcpy(list, watches, sizeof *list * len);
    watches_len = 0;
    for (size_t i = 0; i < len; i++) {
        struct pay_row row;

        memset(&row, 0, sizeof row);
        (void)ledger_get(ledger, list[i].payment, &row);
        if (outcome == CHAIN_REFUSED)
            row.reason = reason;
        list[i].cb(list[i].arg, outcome, &row);
    }
}

const struct chain_health *
chain_health(const struct chain *c)
{
    (void)c;
    return &fake.health;
}

uint64_t
chain_id(const struct chain *c)
{
    (void)c;
    return 84532;
}

/* -- configuration and payments -- */

struct config *
fake_config(void)
{
    static struct config config;
    struct config_network *network = &config.network[0];

    memset(&config, 0, sizeof config);
    network->network = x402_network_by_id(84532);
    network->confirmations = 2;
    network->credit_payer = x402_amount_of(1000000000);
    network->credit_total = x402_amount_of(1000000000);
    config.network_len = 1;
    config.settle_margin_s = 20;
    config.payee[0].network = network->network;
    memset(config.payee[0].address.byte, 0x99, 20);
    config.payee_len = 1;
    config.till_mode = 0660;
    return &config;
}

struct x402_till_reserve
fake_payment(unsigned payer, unsigned nonce)
{
    struct x402_till_reserve in;
    uint64_t now_s = core_now_ms() / 1000;

    memset(&in, 0, sizeof in);
    in.wire = X402_WIRE_V2;
    in.chain_id = 84532;
    for (size_t i = 0; x402_asset_at(i) != NULL; i++)
        if (x402_asset_at(i)->chain_id == 84532)
            in.asset = x402_asset_at(i)->address;
    memset(in.auth.from.byte, 0x11, 20);
    memcpy(in.auth.from.byte, &payer, sizeof payer);
    memset(in.auth.to.byte, 0x99, 20);
    in.auth.value = x402_amount_of(1000);
    in.auth.valid_after_s = now_s - 600;
    in.auth.valid_before_s = now_s + 300;
    memcpy(in.auth.nonce, &nonce, sizeof nonce);
    memset(in.fingerprint, 0xf0, sizeof in.fingerprint);
    in.signature_len = 65;
    memset(in.signature, 0x51, 65);
    strcpy(in.resource, "https://api.example.com/paid");
    return in;
}

bool
chain_knows(const struct chain *c, enum x402_method method)
{
    (void)c;
    (void)method;
    return true;
}

uint64_t
chain_gas_gwei(const struct chain *c, const struct chain_verdict *verdict)
{
    (void)c;
    (void)verdict;
    return 1;
}

bool
chain_is_signer(const struct chain *c, const struct x402_address *address)
{
    (void)c;
    return x402_address_eq(address, &fake.health.signer[0]);
}
