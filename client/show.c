/* SPDX-License-Identifier: Apache-2.0 */
/* A run's end for people. */
#include <inttypes.h>
#include <stdio.h>

#include <x402/encode.h>

#include "money.h"
#include "show.h"

static void
show_budget(const struct config *config, bool testnet)
{
    char limit[BUDGET_TEXT_MAX], left_text[MONEY_TEXT_MAX];
    struct x402_amount left;
    struct journal journal;

    budget_format(limit, &config->budget);
    if (config->budget.set && journal_open(&journal) &&
        pay_budget_left(&left, &journal, &config->budget, testnet)) {
        money_format(left_text, &left);
        printf("  budget   %s, %s left\n", limit, left_text);
    } else {
        printf("  budget   %s\n", limit);
    }
}

static void
show_payer(const struct wallet_source *wallet)
{
    struct x402_address address;
    char text[X402_ADDRESS_TEXT_LEN + 1];

    if (wallet->file == NULL || !wallet_peek(&address, wallet))
        return;
    x402_address_format(text, &address);
    printf("  from     %s\n", text);
}

void
show_offer(const struct fetch_result *result, const struct get_options *options,
           const struct config *config)
{
    const struct x402_requirement *offer = &result->offer;
    const struct x402_network *network =
        x402_network_by_id(offer->asset->chain_id);
    char price[MONEY_TEXT_MAX], payee[X402_ADDRESS_TEXT_LEN + 1];
    char max[MONEY_TEXT_MAX];

    money_format_asset(price, &offer->amount, offer->asset);
    money_format(max, &options->fetch.policy.max);
    x402_address_format(payee, &offer->pay_to);
    printf("%s %s\n",
           result->outcome == FETCH_WOULD_PAY ? "would pay" : "would not pay",
           price);
    printf("  to       %s\n", payee);
    printf("  on       %s (%s)\n", network->label, network->caip2);
    printf("  token    %s %s\n", offer->asset->symbol,
           offer->asset->address_text);
    printf("  wire     %s\n", record_wire_name(result->wire));
    printf("  valid    %" PRIu64 " s\n", policy_lifetime_s(offer));
    printf("  cap      %s per payment\n", max);
    show_budget(config, network->testnet);
    show_payer(&options->fetch.wallet);
}

void
show_lightning(const struct fetch_result *result,
               const struct get_options *options)
{
    const struct fetch_lightning *offer = &result->lightning;
    char price[LN_BUDGET_TEXT_MAX], max[LN_BUDGET_TEXT_MAX];
    char fee[LN_BUDGET_TEXT_MAX], budget[LN_BUDGET_TEXT_MAX];
    char payee[2 * X402_NODE_LEN + 1] = "";
    struct x402_buf buf = x402_buf_on(payee, sizeof(payee) - 1);

    x402_buf_hex_bare(&buf, offer->payee, X402_NODE_LEN);
    ln_money_format(price, offer->amount);
    ln_money_format(max, options->fetch.ln.max);
    ln_money_format(fee, options->fetch.ln.max_fee);
    ln_budget_format(budget, &options->fetch.ln.budget[0]);
    printf("%s %s\n",
           result->outcome == FETCH_WOULD_PAY ? "would pay" : "would not pay",
           price);
    printf("  to       %s\n", payee);
    printf("  on       Lightning, %s\n", x402_ln_name(offer->network));
    printf("  cap      %s per payment, %s of fees\n", max, fee);
    printf("  budget   %s\n", budget);
}

static void
show_receipt(const struct x402_receipt *receipt)
{
    char transaction[2 * 32 + 3] = "none yet";

    if (receipt->has_transaction)
        x402_hex_encode(transaction, receipt->transaction,
                        sizeof(receipt->transaction));
    fprintf(stderr,
            "x402: the server's receipt says: %s, transaction %s "
            "(its word, not proof)\n",
            receipt->success ? "success" : "failure", transaction);
}

void
show_end(const struct fetch_result *result, const struct get_options *options)
{
    if (result->has_receipt && options->say.verbose)
        show_receipt(&result->receipt);
    if (result->exit != CLIENT_EXIT_OK)
        say_error("%s", result->reason);
    else if (result->outcome == FETCH_FAILED)
        say_note(&options->say, "%s", result->reason);
    else if (options->fetch.dry_run && result->outcome == FETCH_FREE)
        say_note(&options->say, "nothing to pay: HTTP %ld", result->status);
    if (result->outcome == FETCH_UNKNOWN)
        say_note(&options->say, "the payment is written down in %s",
                 result->payment.entry.path);
}
