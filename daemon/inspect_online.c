/* SPDX-License-Identifier: Apache-2.0 */
/* `x402d check FILE --online`: the configuration is good in itself; what do the
 * nodes say of the accounts in it?
 *
 * A signer's key lies on this machine for gas.  Tokens on its account, or an
 * allowance that it gave, are there for whoever gets hold of the machine or of
 * the contract that was allowed.  And a payee for whom another ledger collects
 * may be paid once for two answers: each ledger sees an authorization for the
 * first time. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <uv.h>

#include <x402/abi.h>
#include <x402/permit2.h>

#include "chain/income.h"
#include "chain/params.h"
#include "chain/quantity.h"
#include "failpoint.h"
#include "inspect_inside.h"
#include "ledger/view.h"

#define ASSETS_MAX 16
#define SPENDERS 4

/** One network while its node is asked. */
struct online {
    struct inspection *in;
    const struct config_network *network;
    const char *place;
    struct rpc *rpc;
    uv_loop_t loop;
    const struct x402_asset *asset[ASSETS_MAX];
    size_t asset_len;
    bool done;
    /* the signer being looked at */
    char who[X402_ADDRESS_TEXT_LEN + 1];
    uint64_t head;
    struct ledger_view *view; /* NULL: nothing was ever collected here */
    struct foreign {
        struct x402_address payee;
        unsigned payments;
    } foreign[CONFIG_PAYEES_MAX];
    size_t foreign_len;
    bool unknown;
};

static void
wait_for(struct online *o)
{
    while (!o->done)
        uv_run(&o->loop, UV_RUN_ONCE);
    o->done = false;
}

static void
no_answer(struct online *o, const char *what)
{
    INSPECT_WARN(o->in, o->place, "no usable answer of a node: %s", what);
}

/* -- signers: gas and nothing else -- */

static const struct x402_address *
spender(size_t i, const char **name)
{
    static struct x402_address multicall3;
    const struct {
        const char *name;
        const struct x402_address *address;
    } rows[SPENDERS] = {
        {"Permit2", &x402_permit2_contract},
        {"x402ExactPermit2Proxy", &x402_permit2_exact_proxy},
        {"x402UptoPermit2Proxy", &x402_permit2_upto_proxy},
        {"Multicall3, which anybody can make call the token", &multicall3},
    };

    if (x402_address_parse(&multicall3, x402_span_of(X402_MULTICALL3)) !=
        X402_OK)
        abort();
    *name = rows[i].name;
    return rows[i].address;
}

/* allowance(owner, spender): the library's call names Permit2 as spender. */
static size_t
allowance_call(uint8_t out[68], const struct x402_address *owner,
               const struct x402_address *of)
{
    size_t len = x402_abi_allowance(out, owner);

    memcpy(out + len - sizeof of->byte, of->byte, sizeof of->byte);
    return len;
}

static struct rpc_call
token_call(const struct x402_asset *asset, const uint8_t *data, size_t len)
{
    const struct params_message message = {.to = &asset->address,
                                           .data = data,
                                           .data_len = len,
                                           .block = "latest"};

    return params_call(&message);
}

static bool
is_some(const struct rpc_answer *answer)
{
    struct x402_amount amount;
    uint8_t word[32];

    if (answer->status != RPC_RESULT ||
        !quantity_bytes(word, sizeof word, answer->result))
        return false; /* a token that is not there */
    x402_amount_from_be32(&amount, word);
    return !x402_amount_is_zero(&amount);
}

static void
judge_token(struct online *o, const struct x402_asset *asset,
            const struct rpc_answer *answers)
{
    const char *name;

    if (is_some(&answers[0]))
        INSPECT_WARN(o->in, o->place,
                     "signer %s holds %s: its key is on this machine; move "
                     "them to an account whose key is not",
                     o->who, asset->symbol);
    for (size_t i = 0; i < SPENDERS; i++) {
        (void)spender(i, &name);
        if (is_some(&answers[1 + i]))
            INSPECT_WARN(o->in, o->place,
                         "signer %s has given an allowance of %s to %s; a "
                         "signer needs none: approve 0",
                         o->who, asset->symbol, name);
    }
}

static void
on_signer(void *arg, const struct rpc_answer *answers, size_t len)
{
    struct online *o = arg;
    struct x402_amount wei;
    uint8_t *code = NULL;
    size_t code_len = 0;

    (void)len;
    o->done = true;
    if (answers[0].status != RPC_RESULT ||
        !quantity_amount(&wei, answers[0].result) ||
        answers[1].status != RPC_RESULT ||
        !quantity_data(&code, &code_len, answers[1].result)) {
        no_answer(o, "what does the signer hold?");
        return;
    }
    free(code);
    if (x402_amount_is_zero(&wei))
        INSPECT_WARN(o->in, o->place, "signer %s has nothing to pay gas with",
                     o->who);
    if (code_len > 0)
        INSPECT_WARN(o->in, o->place,
                     "signer %s has code (EIP-7702): that code can spend what "
                     "is there",
                     o->who);
    for (size_t i = 0; i < o->asset_len; i++)
        judge_token(o, o->asset[i], answers + 2 + i * (1 + SPENDERS));
}

static void
look_at_signer(struct online *o, const struct x402_address *signer)
{
    struct rpc_call calls[2 + ASSETS_MAX * (1 + SPENDERS)];
    size_t len = 2;
    uint8_t data[68];
    const char *name;

    x402_address_format(o->who, signer);
    calls[0] = params_balance(signer);
    calls[1] = params_code(signer);
    for (size_t i = 0; i < o->asset_len; i++) {
        calls[len++] =
            token_call(o->asset[i], data, x402_abi_balance_of(data, signer));
        for (size_t k = 0; k < SPENDERS; k++)
            calls[len++] =
                token_call(o->asset[i], data,
                           allowance_call(data, signer, spender(k, &name)));
    }
    rpc_ask(o->rpc, calls, len, on_signer, o);
    wait_for(o);
}

/* -- payees: does somebody else collect for them? -- */

static void
note_foreign(struct online *o, const struct income *income)
{
    const struct pay_key key =
        income_key(o->network->network->chain_id, income);
    struct pay_row row;
    size_t i = 0;

    if (!income->authorized || mutant("foreign_unseen") ||
        (o->view != NULL && ledger_view_find(o->view, &key, &row)))
        return;
    while (i < o->foreign_len &&
           !x402_address_eq(&o->foreign[i].payee, &income->payee))
        i++;
    if (i == CONFIG_PAYEES_MAX)
        return;
    if (i == o->foreign_len)
        o->foreign[o->foreign_len++] = (struct foreign){.payee = income->payee};
    o->foreign[i].payments++;
}

static void
on_income(void *arg, enum income_status status, const struct income *items,
          size_t len)
{
    struct online *o = arg;

    o->done = true;
    o->unknown = status != INCOME_READ;
    for (size_t i = 0; i < len; i++)
        note_foreign(o, &items[i]);
}

static void
on_head(void *arg, const struct rpc_answer *answers, size_t len)
{
    struct online *o = arg;

    (void)len;
    o->done = true;
    o->unknown =
        answers[0].status != RPC_RESULT ||
        !quantity_u64(&o->head, json_object_get(answers[0].result, "number"));
}

static void
say_foreign(struct online *o)
{
    char text[X402_ADDRESS_TEXT_LEN + 1];

    for (size_t i = 0; i < o->foreign_len; i++) {
        x402_address_format(text, &o->foreign[i].payee);
        INSPECT_WARN(o->in, "payees",
                     "%u payments by authorization came to %s lately that this "
                     "ledger does not know: somebody else collects for it. "
                     "Two ledgers serve one authorization twice; write "
                     "x402_settle before at all of its gateways, or give each "
                     "a payee of its own",
                     o->foreign[i].payments, text);
    }
}

static void
look_at_payees(struct online *o)
{
    struct x402_address payee[CONFIG_PAYEES_MAX];
    struct rpc_call call = params_block("latest");
    struct income_ask ask = {.rpc = o->rpc,
                             .chain_id = o->network->network->chain_id,
                             .payees = payee};

    for (size_t i = 0; i < o->in->config->payee_len; i++) {
        if (o->in->config->payee[i].network == o->network->network)
            payee[ask.payees_len++] = o->in->config->payee[i].address;
    }
    if (ask.payees_len == 0) {
        free(call.params);
        return;
    }
    rpc_ask(o->rpc, &call, 1, on_head, o);
    wait_for(o);
    if (!o->unknown) {
        ask.to = o->head;
        ask.from = o->head < INCOME_WINDOW ? 0 : o->head - INCOME_WINDOW + 1;
        income_read(&ask, on_income, o);
        wait_for(o);
    }
    if (o->unknown)
        no_answer(o, "who was paid lately?");
    say_foreign(o);
}

/* -- one network -- */

static void
list_assets(struct online *o)
{
    const struct x402_asset *asset;

    for (size_t i = 0; (asset = x402_asset_at(i)) != NULL; i++) {
        if (asset->chain_id == o->network->network->chain_id &&
            o->asset_len < ASSETS_MAX)
            o->asset[o->asset_len++] = asset;
    }
}

static void
on_closed(void *arg)
{
    struct online *o = arg;

    o->done = true;
}

static void
look_at_network(struct inspection *in, size_t i)
{
    struct online *o = calloc(1, sizeof *o);
    struct x402_address signer;
    char place[64], error[512];
    struct rpc_options options = {0};

    if (o == NULL)
        abort();
    snprintf(place, sizeof place, "networks[%zu]", i);
    o->in = in;
    o->network = &in->config->network[i];
    o->place = place;
    options.urls = o->network->rpc;
    options.urls_len = o->network->rpc_len;
    options.timeout_ms = o->network->rpc_timeout_ms;
    options.chain_id = o->network->network->chain_id;
    if (uv_loop_init(&o->loop) != 0)
        abort();
    list_assets(o);
    o->view =
        ledger_view_open(in->config->ledger_file, false, error, sizeof error);
    o->rpc = rpc_new(&o->loop, &options);
    for (size_t k = 0; k < o->network->signer_len; k++) {
        if (inspect_address(&o->network->signer[k], &signer) == KEYSTORE_OK)
            look_at_signer(o, &signer);
    }
    if (in->config->till_socket != NULL)
        look_at_payees(o);
    rpc_close(o->rpc, on_closed, o);
    wait_for(o);
    uv_run(&o->loop, UV_RUN_DEFAULT);
    uv_loop_close(&o->loop);
    if (o->view != NULL)
        ledger_view_close(o->view);
    free(o);
}

void
inspect_online(struct inspection *in)
{
    for (size_t i = 0; i < in->config->network_len; i++) {
        if (in->config->network[i].rpc_len > 0)
            look_at_network(in, i);
    }
}
