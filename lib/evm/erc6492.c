/* SPDX-License-Identifier: Apache-2.0 */
/* See x402/erc6492.h.  Read from front to back; every length is held against
 * what is left before it is used. */
#include <x402/erc6492.h>

#include <string.h>

#define WORD 32

struct rest {
    const uint8_t *at;
    size_t left;
};

static const uint8_t *
take(struct rest *rest, size_t len)
{
    const uint8_t *at = rest->at;

    if (len > rest->left)
        return NULL;
    rest->at += len;
    rest->left -= len;
    return at;
}

static bool
all(const uint8_t *at, size_t len, uint8_t value)
{
    for (size_t i = 0; i < len; i++) {
        if (at[i] != value)
            return false;
    }
    return true;
}

/* A word that is a length or an offset here: never above 16 bits. */
static bool
take_size(size_t *out, struct rest *rest)
{
    const uint8_t *word = take(rest, WORD);

    if (word == NULL || !all(word, WORD - 2, 0))
        return false;
    *out = (size_t)word[WORD - 2] << 8 | word[WORD - 1];
    return true;
}

static bool
take_address(struct x402_address *out, struct rest *rest)
{
    const uint8_t *word = take(rest, WORD);

    if (word == NULL || !all(word, WORD - sizeof out->byte, 0))
        return false;
    memcpy(out->byte, word + WORD - sizeof out->byte, sizeof out->byte);
    return true;
}

/* `bytes`: length, bytes, zeros to the end of the word. */
static bool
take_bytes(const uint8_t **out, size_t *out_len, struct rest *rest)
{
    size_t gap;
    const uint8_t *pad;

    if (!take_size(out_len, rest) || *out_len > rest->left)
        return false;
    *out = take(rest, *out_len);
    gap = (WORD - *out_len % WORD) % WORD;
    pad = take(rest, gap);
    return pad != NULL && all(pad, gap, 0);
}

/* "0x6492649264926492649264926492649264926492649264926492649264926492" */
bool
x402_erc6492_is_wrapped(const uint8_t *signature, size_t len)
{
    if (len < WORD)
        return false;
    for (size_t i = len - WORD; i < len; i += 2) {
        if (signature[i] != 0x64 || signature[i + 1] != 0x92)
            return false;
    }
    return true;
}

static bool
read_wrapper(struct x402_erc6492 *out, struct rest rest)
{
    size_t calldata_at, signature_at;
    const size_t head = rest.left;

    return take_address(&out->factory, &rest) &&
           take_size(&calldata_at, &rest) && take_size(&signature_at, &rest) &&
           calldata_at == 3 * WORD &&
           take_bytes(&out->calldata, &out->calldata_len, &rest) &&
           signature_at == head - rest.left &&
           take_bytes(&out->signature, &out->signature_len, &rest) &&
           rest.left == 0;
}

enum x402_err
x402_erc6492_decode(struct x402_erc6492 *out, const uint8_t *signature,
                    size_t len)
{
    if (!x402_erc6492_is_wrapped(signature, len) ||
        !read_wrapper(out, (struct rest){signature, len - WORD}) ||
        out->signature_len == 0 ||
        x402_erc6492_is_wrapped(out->signature, out->signature_len))
        return X402_ERR_SIGNATURE;
    return X402_OK;
}
