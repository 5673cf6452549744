/* SPDX-License-Identifier: Apache-2.0 */
/* Payments for people, for spreadsheets and for programs.  The signature is in
 * none of them: while it is unused, whoever has it can send it. */
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include <x402/buf.h>
#include <x402/encode.h>
#include <x402/network.h>

#include "tools.h"

/* 6 bytes for each of a resource's, and the rest */
#define LINE_MAX_BYTES (6 * X402_URL_MAX + 4096)

static const struct {
    const char *name;
    unsigned bits;
} states[] = {
    {"reserved", 1u << PAY_RESERVED},
    {"released", 1u << PAY_RELEASED},
    {"captured", 1u << PAY_CAPTURED},
    {"submitted", 1u << PAY_SUBMITTED},
    {"mined", 1u << PAY_MINED},
    {"final", 1u << PAY_FINAL},
    {"failed", 1u << PAY_FAILED},
    {"unsettled", 1u << PAY_CAPTURED | 1u << PAY_SUBMITTED},
};

const char *
tool_state(enum pay_state state)
{
    for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
        if (states[i].bits == 1u << state)
            return states[i].name;
    }
    return "?";
}

unsigned
tool_state_bits(const char *name)
{
    for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
        if (strcmp(states[i].name, name) == 0)
            return states[i].bits;
    }
    return 0;
}

static const char *
run_text(enum pay_run run)
{
    static const char *const text[] = {"none", "open", "delivered",
                                       "redeemable"};

    return (unsigned)run < 4 ? text[run] : "?";
}

void
tool_when(char out[TOOL_WHEN_MAX], uint64_t ms)
{
    time_t when = (time_t)(ms / 1000);
    struct tm utc;

    if (gmtime_r(&when, &utc) == NULL ||
        strftime(out, TOOL_WHEN_MAX, "%Y-%m-%dT%H:%M:%SZ", &utc) == 0)
        memcpy(out, "?", 2);
}

static const char *
network_text(uint64_t chain_id)
{
    const struct x402_network *network = x402_network_by_id(chain_id);

    return network != NULL ? network->caip2 : "?";
}

void
tool_money(char out[TOOL_MONEY_MAX], const struct x402_amount *amount,
           uint64_t chain_id, const struct x402_address *address)
{
    const struct x402_asset *asset = x402_asset_by_address(chain_id, address);
    size_t len;

    if (asset == NULL || asset->decimals > 18) {
        len = x402_amount_format(out, amount);
        snprintf(out + len, TOOL_MONEY_MAX - len, " units");
        return;
    }
    len = x402_amount_format_decimal(out, amount, asset->decimals, 0);
    snprintf(out + len, TOOL_MONEY_MAX - len, " %.8s", asset->symbol);
}

void
tool_print_clean(const char *text)
{
    for (; *text != '\0'; text++)
        putchar(*text > ' ' && *text <= '~' ? *text : '?');
}

/* -- text -- */

void
tool_print_text(const struct pay_row *row, const char *resource)
{
    char when[TOOL_WHEN_MAX], money[TOOL_MONEY_MAX];
    char payer[X402_ADDRESS_TEXT_LEN + 1];

    tool_when(when, row->created_ms);
    tool_money(money, &row->charge, row->chain_id, &row->asset);
    x402_address_format(payer, &row->auth.from);
    printf("%-7" PRId64 " %s  %-9s  %14s  %s  %s  ", row->id, when,
           tool_state(row->state), money, network_text(row->chain_id), payer);
    tool_print_clean(resource);
    putchar('\n');
}

static void
print_hash(const char *name, const uint8_t hash[32])
{
    char text[2 * 32 + 3];

    x402_hex_encode(text, hash, 32);
    printf("%-13s %s\n", name, text);
}

static void
print_address(const char *name, const struct x402_address *address)
{
    char text[X402_ADDRESS_TEXT_LEN + 1];

    x402_address_format(text, address);
    printf("%-13s %s\n", name, text);
}

static void
print_when(const char *name, uint64_t ms)
{
    char when[TOOL_WHEN_MAX];

    tool_when(when, ms);
    printf("%-13s %s\n", name, when);
}

void
tool_print_whole(const struct pay_row *row, const char *resource)
{
    char money[TOOL_MONEY_MAX];

    tool_money(money, &row->charge, row->chain_id, &row->asset);
    printf("%-13s %" PRId64 "\n", "payment", row->id);
    printf("%-13s %s\n", "state", tool_state(row->state));
    if (row->reason != X402_OK)
        printf("%-13s %s\n", "reason", x402_err_info(row->reason)->token);
    printf("%-13s %s\n", "amount", money);
    printf("%-13s %s\n", "network", network_text(row->chain_id));
    print_address("token", &row->asset);
    print_address("payer", &row->auth.from);
    print_address("payee", &row->auth.to);
    print_hash("nonce", row->auth.nonce);
    if (row->auth.valid_before_s == INT64_MAX) /* adopted: logs do not say */
        printf("%-13s not known\n", "valid before");
    else
        print_when("valid before", row->auth.valid_before_s * 1000);
    if (row->has_tx)
        print_hash("transaction", row->tx_hash);
    if (row->block_number != 0)
        printf("%-13s %" PRIu64 "\n", "block", row->block_number);
    printf("%-13s %s, settled %s the response\n", "asked by",
           row->origin == PAY_ORIGIN_GATEWAY ? "a gateway" : "POST /settle",
           row->mode == PAY_SETTLE_AFTER ? "after" : "before");
    printf("%-13s %s; %u charged, %u released\n", "run", run_text(row->run),
           row->runs, row->releases);
    printf("%-13s ", "resource");
    tool_print_clean(resource);
    putchar('\n');
    print_when("created", row->created_ms);
    print_when("changed", row->updated_ms);
}

/* -- JSON: one object a line -- */

struct line {
    char memory[LINE_MAX_BYTES];
    struct x402_buf buf;
};

void
tool_add_text(struct x402_buf *buf, const char *before, const char *text)
{
    x402_buf_text(buf, before);
    x402_buf_json(buf, x402_span_of(text));
}

void
tool_add_number(struct x402_buf *buf, const char *before, uint64_t number)
{
    x402_buf_text(buf, before);
    x402_buf_u64(buf, number);
}

void
tool_add_when(struct x402_buf *buf, const char *before, uint64_t ms)
{
    char when[TOOL_WHEN_MAX];

    tool_when(when, ms);
    tool_add_text(buf, before, when);
}

static void
add_address(struct x402_buf *buf, const char *before,
            const struct x402_address *address)
{
    char text[X402_ADDRESS_TEXT_LEN + 1];

    x402_address_format(text, address);
    tool_add_text(buf, before, text);
}

static void
add_transaction(struct x402_buf *buf, const struct pay_row *row)
{
    x402_buf_text(buf, ",\"transaction\":");
    if (row->has_tx) {
        x402_buf_char(buf, '"');
        x402_buf_hex(buf, row->tx_hash, 32);
        x402_buf_char(buf, '"');
    } else {
        x402_buf_text(buf, "null");
    }
    if (row->block_number != 0)
        tool_add_number(buf, ",\"block\":", row->block_number);
    else
        x402_buf_text(buf, ",\"block\":null");
}

static void
add_parties(struct x402_buf *buf, const struct pay_row *row)
{
    tool_add_text(buf, ",\"network\":", network_text(row->chain_id));
    add_address(buf, ",\"asset\":", &row->asset);
    x402_buf_text(buf, ",\"amount\":\"");
    x402_buf_amount(buf, &row->charge);
    add_address(buf, "\",\"payer\":", &row->auth.from);
    add_address(buf, ",\"payee\":", &row->auth.to);
    x402_buf_text(buf, ",\"nonce\":\"");
    x402_buf_hex(buf, row->auth.nonce, 32);
    x402_buf_char(buf, '"');
}

static void
write_members(struct x402_buf *buf, const struct pay_row *row,
              const char *resource)
{
    char money[TOOL_MONEY_MAX];

    tool_money(money, &row->charge, row->chain_id, &row->asset);
    tool_add_number(buf, "{\"id\":", (uint64_t)row->id);
    tool_add_text(buf, ",\"state\":", tool_state(row->state));
    tool_add_text(buf, ",\"reason\":",
                  row->reason == X402_OK ? ""
                                         : x402_err_info(row->reason)->token);
    add_parties(buf, row);
    tool_add_text(buf, ",\"money\":", money);
    tool_add_number(buf, ",\"validBefore\":", row->auth.valid_before_s);
    add_transaction(buf, row);
    tool_add_text(buf, ",\"origin\":",
                  row->origin == PAY_ORIGIN_GATEWAY ? "gateway"
                                                    : "facilitator");
    tool_add_text(buf, ",\"settle\":",
                  row->mode == PAY_SETTLE_AFTER ? "after" : "before");
    tool_add_text(buf, ",\"run\":", run_text(row->run));
    tool_add_number(buf, ",\"runs\":", row->runs);
    tool_add_number(buf, ",\"releases\":", row->releases);
    tool_add_text(buf, ",\"resource\":", resource);
    tool_add_when(buf, ",\"created\":", row->created_ms);
    tool_add_when(buf, ",\"changed\":", row->updated_ms);
}

void
tool_write_json(struct x402_buf *buf, const struct pay_row *row,
                const char *resource)
{
    write_members(buf, row, resource);
    x402_buf_char(buf, '}');
}

bool
tool_write_whole(struct x402_buf *buf, struct ledger_view *view,
                 const struct pay_row *row, const char *resource)
{
    bool good;

    write_members(buf, row, resource);
    x402_buf_text(buf, ",\"history\":");
    good = tool_write_history(buf, view, LEDGER_PAYMENT, row->id);
    x402_buf_char(buf, '}');
    return good;
}

void
tool_print_json(const struct pay_row *row, const char *resource)
{
    struct line line;

    line.buf = x402_buf_on(line.memory, sizeof(line.memory));
    tool_write_json(&line.buf, row, resource);
    x402_buf_char(&line.buf, '\n');
    fwrite(line.buf.at, 1, line.buf.len, stdout);
}

/* -- CSV: RFC 4180 -- */

void
tool_print_csv_head(void)
{
    fputs("id,state,reason,network,asset,amount,payer,payee,nonce,"
          "valid_before,transaction,block,origin,settle,run,runs,releases,"
          "resource,created,changed\r\n",
          stdout);
}

/** A text that a stranger chose.  A spreadsheet would run "=..." as a formula:
 * such a one gets an apostrophe in front. */
static void
print_quoted(const char *text)
{
    putchar('"');
    if (*text != '\0' && strchr("=+-@\t\r", *text) != NULL)
        putchar('\'');
    for (; *text != '\0'; text++) {
        if (*text == '"')
            putchar('"');
        putchar((unsigned char)*text >= ' ' ? *text : '?');
    }
    putchar('"');
}

void
tool_print_csv(const struct pay_row *row, const char *resource)
{
    char asset[X402_ADDRESS_TEXT_LEN + 1], payer[X402_ADDRESS_TEXT_LEN + 1];
    char payee[X402_ADDRESS_TEXT_LEN + 1], amount[X402_AMOUNT_TEXT_MAX + 1];
    char nonce[2 * 32 + 3], tx[2 * 32 + 3] = "", when[TOOL_WHEN_MAX];

    x402_address_format(asset, &row->asset);
    x402_address_format(payer, &row->auth.from);
    x402_address_format(payee, &row->auth.to);
    x402_amount_format(amount, &row->charge);
    x402_hex_encode(nonce, row->auth.nonce, 32);
    if (row->has_tx)
        x402_hex_encode(tx, row->tx_hash, 32);
    printf("%" PRId64 ",%s,%s,%s,%s,%s,%s,%s,%s,%" PRIu64 ",%s,", row->id,
           tool_state(row->state),
           row->reason == X402_OK ? "" : x402_err_info(row->reason)->token,
           network_text(row->chain_id), asset, amount, payer, payee, nonce,
           row->auth.valid_before_s, tx);
    if (row->block_number != 0)
        printf("%" PRIu64, row->block_number);
    printf(",%s,%s,%s,%u,%u,",
           row->origin == PAY_ORIGIN_GATEWAY ? "gateway" : "facilitator",
           row->mode == PAY_SETTLE_AFTER ? "after" : "before",
           run_text(row->run), row->runs, row->releases);
    print_quoted(resource);
    tool_when(when, row->created_ms);
    printf(",%s,", when);
    tool_when(when, row->updated_ms);
    printf("%s\r\n", when);
}
