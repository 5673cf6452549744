/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses as text: EIP-55 puts a checksum into the case of the letters. */
#include <x402/address.h>

#include <x402/encode.h>
#include <x402/keccak.h>

enum x402_err
x402_address_parse(struct x402_address *out, struct x402_span text)
{
    return x402_hex_decode(out->byte, sizeof out->byte, text);
}

static bool
is_upper(char c)
{
    return c >= 'A' && c <= 'F';
}

static bool
is_lower(char c)
{
    return c >= 'a' && c <= 'f';
}

static bool
is_mixed_case(struct x402_span text)
{
    bool upper = false, lower = false;

    for (size_t i = 2; i < text.len; i++) {
        upper |= is_upper(text.at[i]);
        lower |= is_lower(text.at[i]);
    }
    return upper && lower;
}

enum x402_err
x402_address_parse_checked(struct x402_address *out, struct x402_span text)
{
    char right[X402_ADDRESS_TEXT_LEN + 1];
    struct x402_address address;
    enum x402_err err = x402_address_parse(&address, text);

    if (err != X402_OK)
        return err;
    x402_address_format(right, &address);
    if (is_mixed_case(text) && memcmp(right, text.at, text.len) != 0)
        return X402_ERR_SYNTAX;
    *out = address;
    return X402_OK;
}

void
x402_address_format(char out[X402_ADDRESS_TEXT_LEN + 1],
                    const struct x402_address *address)
{
    uint8_t hash[32];

    x402_hex_encode(out, address->byte, sizeof address->byte);
    /* EIP-55: "if the ith digit is a letter (ie. it's one of abcdef) print it
     * in uppercase if the 4*ith bit of the hash of the lowercase hexadecimal
     * address is 1 otherwise print it in lowercase." */
    x402_keccak256(hash, out + 2, 40);
    for (unsigned i = 0; i < 40; i++) {
        unsigned bit = i % 2 == 0 ? 0x80 : 0x08;

        if (is_lower(out[2 + i]) && (hash[i / 2] & bit) != 0)
            out[2 + i] = (char)(out[2 + i] - 'a' + 'A');
    }
}

bool
x402_address_eq(const struct x402_address *a, const struct x402_address *b)
{
    return memcmp(a->byte, b->byte, sizeof a->byte) == 0;
}

bool
x402_address_is_zero(const struct x402_address *address)
{
    static const struct x402_address zero;

    return x402_address_eq(address, &zero);
}
