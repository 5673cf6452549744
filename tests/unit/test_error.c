/* SPDX-License-Identifier: Apache-2.0 */
/* The error table: every number has a whole row, and the texts keep to the
 * vocabularies of their wires. */
#include "test.h"

#include <x402/error.h>

/* The ErrorReasons of the official 1.2 packages, a closed list there. */
static const char *const v1_reasons[] = {
    "insufficient_funds",
    "invalid_exact_evm_payload_authorization_valid_after",
    "invalid_exact_evm_payload_authorization_valid_before",
    "invalid_exact_evm_payload_authorization_value",
    "invalid_exact_evm_payload_signature",
    "invalid_exact_evm_payload_recipient_mismatch",
    "invalid_exact_evm_payload_undeployed_smart_wallet",
    "invalid_network",
    "invalid_payload",
    "invalid_payment_requirements",
    "invalid_scheme",
    "invalid_payment",
    "payment_expired",
    "unsupported_scheme",
    "invalid_x402_version",
    "invalid_transaction_state",
    "duplicate_settlement",
    "unexpected_settle_error",
    "unexpected_verify_error"};

static bool
is_v1_reason(const char *text)
{
    for (size_t i = 0; i < TEST_LEN(v1_reasons); i++) {
        if (strcmp(v1_reasons[i], text) == 0)
            return true;
    }
    return false;
}

/* X-Payment-Error is a token of lower-case words. */
static bool
is_token(const char *text)
{
    return *text != '\0' &&
           strspn(text, "abcdefghijklmnopqrstuvwxyz_") == strlen(text);
}

static bool
status_fits(const struct x402_err_info *info)
{
    switch (info->fault) {
    case X402_FAULT_NONE:
        return info->http_status == 200;
    case X402_FAULT_PEER:
        return info->http_status == 400 || info->http_status == 402 ||
               info->http_status == 412;
    case X402_FAULT_AGAIN:
        return info->http_status == 409 || info->http_status == 429 ||
               info->http_status == 503 || info->http_status == 504;
    case X402_FAULT_SELF:
        return info->http_status == 500 || info->http_status == 502 ||
               info->http_status == 503;
    }
    return false;
}

static void
test_rows(void)
{
    for (int i = 1; i < X402_ERR_COUNT; i++) {
        const struct x402_err_info *info = x402_err_info((enum x402_err)i);

        test_ok(strncmp(info->name, "X402_ERR_", 9) == 0, "%d is named %s", i,
                info->name);
        test_ok(status_fits(info), "%s: status %d fits who is at fault",
                info->name, info->http_status);
        test_ok(is_v1_reason(info->v1), "%s: %s is a version 1 reason",
                info->name, info->v1);
        test_ok(info->v2[0] != '\0', "%s has a version 2 reason", info->name);
        test_ok(is_token(info->token), "%s: %s is a token", info->name,
                info->token);
    }
}

/* Numbers in ledgers and frames: these must never move. */
static void
test_numbers(void)
{
    static const struct {
        enum x402_err err;
        int number;
        const char *name;
    } rows[] = {
        {X402_OK, 0, "X402_OK"},
        {X402_ERR_SYNTAX, 1, "X402_ERR_SYNTAX"},
        {X402_ERR_SIGNATURE, 12, "X402_ERR_SIGNATURE"},
        {X402_ERR_REPLAYED, 20, "X402_ERR_REPLAYED"},
        {X402_ERR_PENDING, 24, "X402_ERR_PENDING"},
        {X402_ERR_INTERNAL, 32, "X402_ERR_INTERNAL"},
    };

    for (size_t i = 0; i < TEST_LEN(rows); i++) {
        test_ok((int)rows[i].err == rows[i].number, "%s is %d", rows[i].name,
                rows[i].number);
        test_text(x402_err_info(rows[i].err)->name, rows[i].name,
                  "and its row is there");
    }
}

static void
test_outside(void)
{
    const struct x402_err_info *internal = x402_err_info(X402_ERR_INTERNAL);
    static const int numbers[] = {X402_ERR_COUNT, 255, -1, INT32_MAX,
                                  INT32_MIN};

    for (size_t i = 0; i < TEST_LEN(numbers); i++)
        test_ok(x402_err_info((enum x402_err)numbers[i]) == internal,
                "%d is no error: internal", numbers[i]);
}

int
main(void)
{
    test_rows();
    test_numbers();
    test_outside();
    return test_done();
}
