/* SPDX-License-Identifier: Apache-2.0 */
/* What contracts answer, read.  Offsets and lengths are the node's words: each
 * is held against the size of the answer before it is used. */
#include <x402/abi.h>

#include <string.h>

#define WORD 32

struct area {
    const uint8_t *at;
    size_t len;
};

/* The word at byte `at` of an area as a number that can be a size. */
static bool
read_size(size_t *out, struct area area, size_t at)
{
    static const uint8_t zeros[WORD - 8];
    size_t value = 0;

    if (area.len < WORD || at > area.len - WORD)
        return false;
    if (memcmp(area.at + at, zeros, sizeof zeros) != 0)
        return false;
    for (size_t i = sizeof zeros; i < WORD; i++)
        value = value << 8 | area.at[at + i];
    *out = value;
    return true;
}

/* The part of an area that begins where the word at byte `at` points. */
static bool
follow(struct area *out, struct area area, size_t at)
{
    size_t offset;

    if (!read_size(&offset, area, at) || offset > area.len)
        return false;
    *out = (struct area){area.at + offset, area.len - offset};
    return true;
}

/* The `bytes` at the start of an area. */
static bool
read_bytes(struct area *out, struct area area)
{
    size_t len;

    if (!read_size(&len, area, 0) || len > area.len - WORD)
        return false;
    *out = (struct area){area.at + WORD, len};
    return true;
}

/* struct Multicall3.Result { bool success; bytes returnData; } */
static bool
read_result(struct x402_abi_result *out, struct area tuple)
{
    struct area tail, data;
    size_t success;

    if (!read_size(&success, tuple, 0) || success > 1)
        return false;
    if (!follow(&tail, tuple, WORD) || !read_bytes(&data, tail))
        return false;
    *out = (struct x402_abi_result){success == 1, data.at, data.len};
    return true;
}

enum x402_err
x402_abi_aggregate3_decode(struct x402_abi_result *results, size_t results_len,
                           const uint8_t *answer, size_t answer_len)
{
    struct area array, tuples, tuple;
    size_t count;

    if (!follow(&array, (struct area){answer, answer_len}, 0))
        return X402_ERR_SYNTAX;
    if (!read_size(&count, array, 0) || count != results_len)
        return X402_ERR_SYNTAX;
    tuples = (struct area){array.at + WORD, array.len - WORD};
    for (size_t i = 0; i < count; i++) {
        if (!follow(&tuple, tuples, i * WORD))
            return X402_ERR_SYNTAX;
        if (!read_result(&results[i], tuple))
            return X402_ERR_SYNTAX;
    }
    return X402_OK;
}

bool
x402_abi_is_valid_answer(const uint8_t *answer, size_t answer_len)
{
    static const uint8_t magic[WORD] = {0x16, 0x26, 0xba, 0x7e};

    return answer_len >= WORD && memcmp(answer, magic, WORD) == 0;
}

struct x402_span
x402_abi_revert_text(const uint8_t *data, size_t data_len)
{
    static const uint8_t error_string[4] = {0x08, 0xc3, 0x79, 0xa0};
    const struct x402_span none = {NULL, 0};
    struct area string, text;

    if (data_len < 4 || memcmp(data, error_string, 4) != 0)
        return none;
    if (!follow(&string, (struct area){data + 4, data_len - 4}, 0))
        return none;
    if (!read_bytes(&text, string))
        return none;
    return (struct x402_span){(const char *)text.at, text.len};
}
