/* SPDX-License-Identifier: Apache-2.0 */
/* A 402 came and nothing was paid yet: decide, and make the one payment. */
#include <errno.h>
#include <string.h>

#include "ask.h"
#include "fetch_inside.h"
#include "money.h"

struct x402_challenge *
fetch_read_challenge(const struct fetch *fetch)
{
    const struct heads *heads = &fetch->answer->heads;
    const struct x402_challenge_input in = {
        .payment_required = heads_single(heads, "payment-required"),
        .body = fetch->answer->body_cut ? (struct x402_span){NULL, 0}
                                        : blob_span(&fetch->answer->body),
        .seed001_required = heads_single(heads, "x-payment-required"),
        .seed001_currency = heads_single(heads, "x-payment-currency"),
        .seed001_chain = heads_single(heads, "x-payment-chain"),
        .seed001_pay_to = heads_single(heads, "x-pay-to"),
    };
    struct x402_challenge *challenge;

    if (x402_challenge_read(&challenge, &in) != X402_OK)
        return NULL;
    return challenge;
}

static enum fetch_next
too_dear(struct fetch *fetch)
{
    char price[MONEY_TEXT_MAX], max[MONEY_TEXT_MAX];

    money_format_asset(price, &fetch->result->offer.amount,
                       fetch->result->offer.asset);
    money_format(max, &fetch->options->policy.max);
    return fetch_end(fetch, CLIENT_EXIT_POLICY,
                     "the price is %s, above --max-amount %s", price, max);
}

static enum fetch_next
no_payment(struct fetch *fetch, enum policy_verdict verdict)
{
    fetch->result->outcome = FETCH_NOT_PAID;
    switch (verdict) {
    case POLICY_TOO_DEAR:
        return too_dear(fetch);
    case POLICY_NOTHING_KNOWN:
    case POLICY_NOT_ALLOWED:
        return fetch_end(fetch, CLIENT_EXIT_NO_OFFER, "%s",
                         policy_text(verdict));
    case POLICY_PAY:
    case POLICY_INSECURE:
    case POLICY_FOREIGN:
    case POLICY_UPTO:
    case POLICY_OTHER_PAYEE:
        return fetch_end(fetch, CLIENT_EXIT_POLICY, "%s", policy_text(verdict));
    }
    return FETCH_NEXT_END;
}

static void
say_payment(const struct fetch *fetch)
{
    const struct payment *payment = &fetch->result->payment;
    const struct record *record = &payment->record;
    const struct x402_asset *asset =
        x402_asset_by_address(record->chain_id, &record->asset);
    const struct x402_network *network = x402_network_by_id(record->chain_id);
    char price[MONEY_TEXT_MAX], payee[X402_ADDRESS_TEXT_LEN + 1];

    if (asset == NULL || network == NULL)
        return;
    money_format_asset(price, &record->auth.value, asset);
    x402_address_format(payee, &record->auth.to);
    say_note(fetch->say, "%s %s on %s to %s",
             payment->resumed ? "sending once more the payment of" : "paying",
             price, network->label, payee);
}

/* With the wallet open: everything until the payment is in the journal. */
static enum fetch_next
make_payment(struct fetch *fetch, const struct x402_choice *choice,
             const struct x402_payment_echo *echo, const struct wallet *wallet)
{
    const struct pay_order order = {fetch->method, &fetch->url, fetch->body32,
                                    choice, echo};
    struct pay_limits limits = fetch->options->limits;
    char reason[256] = "";
    enum client_exit code;

    limits.earlier = fetch->earlier;
    code = pay_prepare(&fetch->result->payment, &fetch->journal, &order,
                       &limits, wallet, reason);
    if (code == CLIENT_EXIT_UNRESOLVED && fetch->options->ask) {
        limits.earlier = ask_about_earlier();
        code = pay_prepare(&fetch->result->payment, &fetch->journal, &order,
                           &limits, wallet, reason);
    }
    if (code != CLIENT_EXIT_OK)
        return fetch_end(fetch, (int)code, "%s", reason);
    fetch->result->has_payment = true;
    fetch->carries = true;
    say_payment(fetch);
    return FETCH_NEXT_SEND;
}

static enum fetch_next
pay(struct fetch *fetch, const struct x402_challenge *challenge,
    const struct x402_choice *choice)
{
    const struct x402_payment_echo echo =
        x402_challenge_echo(challenge, choice);
    struct wallet *wallet;
    enum fetch_next next;

    fetch->result->outcome = FETCH_NOT_PAID;
    if (!output_open(fetch->output))
        return fetch_end(fetch, CLIENT_EXIT_WRITE, "the output failed");
    if (!journal_open(&fetch->journal))
        return fetch_end(fetch, CLIENT_EXIT_STATE, "the journal %.150s: %s",
                         fetch->journal.folder, strerror(errno));
    if (fetch->options->wallet.file == NULL)
        return fetch_end(fetch, CLIENT_EXIT_WALLET,
                         "there is no wallet: x402 wallet new, or --key-file");
    wallet = wallet_open(&fetch->options->wallet, fetch->say);
    if (wallet == NULL)
        return fetch_end(fetch, CLIENT_EXIT_WALLET,
                         "the wallet cannot be opened");
    next = make_payment(fetch, choice, &echo, wallet);
    wallet_close(wallet);
    return next;
}

static enum fetch_next
decide(struct fetch *fetch, const struct x402_challenge *challenge)
{
    struct policy_case the_case = {
        .url = &fetch->url,
        .peer_loopback = fetch->answer->peer_loopback,
        .resource = x402_challenge_resource(challenge),
    };
    size_t which = 0;
    enum policy_verdict verdict;

    the_case.choices_len = x402_challenge_choices(challenge, &the_case.choices);
    verdict = policy_choose(&which, &fetch->options->policy, &the_case);
    if (verdict == POLICY_PAY || verdict == POLICY_TOO_DEAR) {
        fetch->result->has_offer = true;
        fetch->result->offer = the_case.choices[which].requirement;
        fetch->result->wire = the_case.choices[which].wire;
    }
    if (verdict != POLICY_PAY)
        return no_payment(fetch, verdict);
    if (fetch->options->dry_run) {
        fetch->result->outcome = FETCH_WOULD_PAY;
        return fetch_end(fetch, CLIENT_EXIT_OK, "%s", "");
    }
    return pay(fetch, challenge, &the_case.choices[which]);
}

enum fetch_next
fetch_402(struct fetch *fetch)
{
    struct x402_challenge *challenge;
    enum fetch_next next;

    if (fetch->options->lightning)
        return fetch_402_lightning(fetch);
    challenge = fetch_read_challenge(fetch);
    if (challenge == NULL) {
        fetch->result->outcome = FETCH_NOT_PAID;
        return fetch_end(fetch, CLIENT_EXIT_NO_OFFER,
                         "the 402 carries no offer in a form that we know");
    }
    next = decide(fetch, challenge);
    x402_challenge_free(challenge);
    return next;
}
