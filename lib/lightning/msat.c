/* SPDX-License-Identifier: Apache-2.0 */
/* Millisatoshis: exact, bounded, never mixed with satoshis. */
#include <x402/msat.h>

#include <x402/amount.h>

enum x402_err
x402_msat_of(struct x402_msat *out, uint64_t value)
{
    if (value > X402_MSAT_MAX)
        return X402_ERR_RANGE;
    out->value = value;
    return X402_OK;
}

enum x402_err
x402_msat_of_sat(struct x402_msat *out, uint64_t sat)
{
    if (sat > X402_MSAT_MAX / 1000)
        return X402_ERR_RANGE;
    out->value = sat * 1000;
    return X402_OK;
}

/* A decimal number of units with `decimals` places, as millisatoshis; zero is
 * no price. */
static enum x402_err
parse_positive(struct x402_msat *out, struct x402_span text, unsigned decimals)
{
    struct x402_amount amount;
    uint64_t value;
    enum x402_err err = x402_amount_parse_decimal(&amount, text, decimals);

    if (err != X402_OK)
        return err;
    if (x402_amount_is_zero(&amount))
        return X402_ERR_SYNTAX;
    return x402_amount_u64(&value, &amount) ? x402_msat_of(out, value)
                                            : X402_ERR_RANGE;
}

enum x402_err
x402_msat_parse(struct x402_msat *out, struct x402_span text)
{
    /* "It MUST NOT contain a sign, decimal point, exponent, separator, or unit
     * suffix." */
    if (text.len > 0 && memchr(text.at, '.', text.len) != NULL)
        return X402_ERR_SYNTAX;
    return parse_positive(out, text, 0);
}

/* Takes the ending off, if it is there. */
static bool
strip(struct x402_span *text, const char *ending)
{
    size_t len = strlen(ending);

    if (text->len <= len || memcmp(text->at + text->len - len, ending, len))
        return false;
    text->len -= len;
    return true;
}

enum x402_err
x402_msat_parse_price(struct x402_msat *out, struct x402_span text)
{
    if (strip(&text, " msat"))
        return parse_positive(out, text, 0);
    if (strip(&text, " sat") || strip(&text, " sats"))
        return parse_positive(out, text, 3);
    return X402_ERR_SYNTAX;
}

size_t
x402_msat_format(char out[X402_MSAT_TEXT_MAX + 1], struct x402_msat amount)
{
    struct x402_amount wide = x402_amount_of(amount.value);
    char digits[X402_AMOUNT_TEXT_MAX + 1];
    size_t len = x402_amount_format(digits, &wide);

    memcpy(out, digits, len + 1);
    return len;
}

struct x402_msat
x402_msat_ceil(struct x402_msat amount)
{
    /* The largest amount is whole: no overflow. */
    return (struct x402_msat){(amount.value + 999) / 1000 * 1000};
}

bool
x402_msat_sats(uint64_t *out, struct x402_msat amount)
{
    if (amount.value % 1000 != 0)
        return false;
    *out = amount.value / 1000;
    return true;
}

int
x402_msat_cmp(struct x402_msat a, struct x402_msat b)
{
    return a.value < b.value ? -1 : a.value > b.value;
}

bool
x402_msat_add(struct x402_msat *out, struct x402_msat a, struct x402_msat b)
{
    if (b.value > X402_MSAT_MAX - a.value)
        return false;
    out->value = a.value + b.value;
    return true;
}
