/* SPDX-License-Identifier: Apache-2.0 */
/* The amount that an upstream names for upto, in one of three spellings.  What
 * is not exactly one of them is an error of the seller's, never an amount. */
#include <x402/override.h>

#include "wire.h"

enum { PARTS = 10000 }; /* hundredths of a percent */

static size_t
digits_of(struct x402_span text)
{
    size_t n = 0;

    while (n < text.len && text.at[n] >= '0' && text.at[n] <= '9')
        n++;
    return n;
}

/* "12.5" -> 1250 hundredths.  Six digits before the point are more than enough
 * to be too many. */
static enum x402_err
hundredths(uint64_t *out, struct x402_span text)
{
    size_t whole = digits_of(text), fraction = 0;
    struct x402_span rest = {text.at + whole, text.len - whole};

    if (rest.len > 0 && rest.at[0] == '.') {
        rest = (struct x402_span){rest.at + 1, rest.len - 1};
        fraction = digits_of(rest);
        rest = (struct x402_span){rest.at + fraction, rest.len - fraction};
    }
    if (whole == 0 || whole > 6 || fraction > 2 || rest.len != 0)
        return X402_ERR_SYNTAX;
    *out = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] != '.')
            *out = *out * 10 + (uint64_t)(text.at[i] - '0');
    }
    for (; fraction < 2; fraction++)
        *out *= 10;
    return X402_OK;
}

static enum x402_err
share(struct x402_amount *out, struct x402_span text,
      const struct x402_amount *maximum)
{
    struct x402_amount parts;
    uint64_t of;
    enum x402_err err = hundredths(&of, text);

    if (err != X402_OK)
        return err;
    if (of > PARTS)
        return X402_ERR_EXCEEDS;
    if (!x402_amount_mul_u64(&parts, maximum, of))
        return X402_ERR_RANGE;
    (void)x402_amount_div_u64(out, &parts, PARTS);
    return X402_OK;
}

/* Digits beyond the token's are cut off, as 2.27 does. */
static enum x402_err
dollars(struct x402_amount *out, struct x402_span text, unsigned decimals)
{
    size_t whole = digits_of(text);
    struct x402_span rest = {text.at + whole, text.len - whole};
    size_t fraction;

    if (rest.len > 0) {
        fraction = digits_of((struct x402_span){rest.at + 1, rest.len - 1});
        if (rest.at[0] != '.' || fraction == 0 || fraction + 1 != rest.len)
            return X402_ERR_SYNTAX;
        if (fraction > decimals)
            text.len -= decimals > 0 ? fraction - decimals : fraction + 1;
    }
    return x402_amount_parse_decimal(out, text, decimals);
}

static enum x402_err
amount_read(struct x402_amount *out, struct x402_span text,
            const struct x402_requirement *requirement)
{
    if (text.len > 0 && text.at[text.len - 1] == '%')
        return share(out, (struct x402_span){text.at, text.len - 1},
                     &requirement->amount);
    if (text.len > 0 && text.at[0] == '$')
        return dollars(out, (struct x402_span){text.at + 1, text.len - 1},
                       requirement->asset->decimals);
    return x402_amount_parse(out, text);
}

enum x402_err
x402_override_read(struct x402_amount *out, struct x402_span header,
                   const struct x402_requirement *requirement)
{
    struct x402_amount amount;
    struct x402_span text;
    json_t *object;
    enum x402_err err = x402_json_load(&object, header, X402_OVERRIDE_MAX, 2);

    if (err != X402_OK)
        return err;
    err = x402_json_string(&text, object, "amount");
    if (err == X402_OK)
        err = amount_read(&amount, text, requirement);
    json_decref(object);
    if (err != X402_OK)
        return err;
    if (x402_amount_cmp(&amount, &requirement->amount) > 0)
        return X402_ERR_EXCEEDS;
    *out = amount;
    return X402_OK;
}
