/* SPDX-License-Identifier: Apache-2.0 */
/* Amounts as text: atomic digits on the wires, decimal prices for people. */
#include <x402/amount.h>

#include "../mutant.h"

static bool
is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* false when the sum would not fit 256 bits. */
static bool
append_digit(struct x402_amount *sum, char digit)
{
    struct x402_amount unit = x402_amount_of((uint64_t)(digit - '0'));

    return x402_amount_mul_u64(sum, sum, 10) &&
           x402_amount_add(sum, sum, &unit);
}

/* Length of the digits that `text` begins with. */
static size_t
digits_of(struct x402_span text)
{
    size_t n = 0;

    while (n < text.len && is_digit(text.at[n]))
        n++;
    return n;
}

static bool
has_leading_zero(struct x402_span digits)
{
    return digits.len > 1 && digits.at[0] == '0' && !mutant("amount_zeros");
}

static enum x402_err
append_digits(struct x402_amount *sum, struct x402_span digits)
{
    for (size_t i = 0; i < digits.len; i++) {
        if (!append_digit(sum, digits.at[i]) && !mutant("amount_wraps"))
            return X402_ERR_RANGE;
    }
    return X402_OK;
}

enum x402_err
x402_amount_parse(struct x402_amount *out, struct x402_span text)
{
    struct x402_amount sum = {{0}};
    enum x402_err err;

    if (text.len == 0 || digits_of(text) != text.len || has_leading_zero(text))
        return X402_ERR_SYNTAX;
    /* No 79-digit number fits: bound the work before doing it. */
    if (text.len > X402_AMOUNT_TEXT_MAX)
        return X402_ERR_RANGE;
    err = append_digits(&sum, text);
    if (err != X402_OK)
        return err;
    *out = sum;
    return X402_OK;
}

/* Split "12.50" into "12" and "50"; the fraction is empty without a point. */
static enum x402_err
split_decimal(struct x402_span *whole, struct x402_span *fraction,
              struct x402_span text)
{
    size_t n = digits_of(text);

    *whole = (struct x402_span){text.at, n};
    *fraction = (struct x402_span){NULL, 0};
    if (n == 0 || has_leading_zero(*whole))
        return X402_ERR_SYNTAX;
    if (n == text.len)
        return X402_OK;
    if (text.at[n] != '.')
        return X402_ERR_SYNTAX;
    *fraction = (struct x402_span){text.at + n + 1, text.len - n - 1};
    if (fraction->len == 0 || digits_of(*fraction) != fraction->len)
        return X402_ERR_SYNTAX;
    return X402_OK;
}

enum x402_err
x402_amount_parse_decimal(struct x402_amount *out, struct x402_span text,
                          unsigned decimals)
{
    struct x402_amount sum = {{0}};
    struct x402_span whole, fraction;
    enum x402_err err = split_decimal(&whole, &fraction, text);

    if (err != X402_OK)
        return err;
    /* "0.0030" is 3000 at 6 decimals; a fraction of an atomic unit is not an
     * amount, and is refused rather than rounded. */
    while (fraction.len > 0 && fraction.at[fraction.len - 1] == '0')
        fraction.len--;
    if (fraction.len > decimals || whole.len > X402_AMOUNT_TEXT_MAX)
        return X402_ERR_RANGE;
    err = append_digits(&sum, whole);
    if (err == X402_OK)
        err = append_digits(&sum, fraction);
    if (err != X402_OK)
        return err;
    /* Zero stays zero, however many decimals: do not spin on them. */
    if (!x402_amount_is_zero(&sum)) {
        for (size_t i = fraction.len; i < decimals; i++) {
            if (!append_digit(&sum, '0'))
                return X402_ERR_RANGE;
        }
    }
    *out = sum;
    return X402_OK;
}

/* Digits without NUL, at least `least` of them (zeros in front). */
static size_t
put_digits(char *out, const struct x402_amount *amount, size_t least)
{
    char reversed[X402_AMOUNT_TEXT_MAX];
    struct x402_amount rest = *amount;
    size_t n = 0, pad = 0;

    while (!x402_amount_is_zero(&rest))
        reversed[n++] = (char)('0' + x402_amount_div_u64(&rest, &rest, 10));
    for (; pad + n < least; pad++)
        out[pad] = '0';
    for (size_t i = 0; i < n; i++)
        out[pad + i] = reversed[n - 1 - i];
    return pad + n;
}

size_t
x402_amount_format(char *out, const struct x402_amount *amount)
{
    size_t n = put_digits(out, amount, 1);

    out[n] = '\0';
    return n;
}

size_t
x402_amount_format_decimal(char *out, const struct x402_amount *amount,
                           unsigned decimals, unsigned min_fraction)
{
    size_t n = put_digits(out, amount, (size_t)decimals + 1);
    size_t point = n - decimals;
    size_t keep = min_fraction < decimals ? min_fraction : decimals;

    /* Make room for the point, then drop the zeros nobody asked for. */
    memmove(out + point + 1, out + point, decimals);
    out[point] = '.';
    n++;
    while (n > point + 1 + keep && out[n - 1] == '0')
        n--;
    if (n == point + 1)
        n--;
    out[n] = '\0';
    return n;
}
