/* SPDX-License-Identifier: Apache-2.0 */
/* ERC-6492 wrappers against viem's encoding, and every way to spoil one; and
 * the second look at the transaction that deploys and pays. */
#include "test.h"

#include <x402/abi.h>
#include <x402/encode.h>
#include <x402/erc6492.h>

#define MAGIC "6492649264926492649264926492649264926492649264926492649264926492"
#define WORD "00000000000000000000000000000000000000000000000000000000000000"

/* viem: encodeAbiParameters([address, bytes, bytes], ["0x1111...", "0xc0ffee",
 * "0xabcd"]) + magic */
static const char good[] =
    "0000000000000000000000001111111111111111111111111111111111111111" WORD
    "60" WORD "a0" WORD "03"
    "c0ffee0000000000000000000000000000000000000000000000000000000000" WORD "02"
    "abcd000000000000000000000000000000000000000000000000000000000000" MAGIC;

#define BYTES (sizeof good / 2)

static void
load(uint8_t out[BYTES], const char *hex)
{
    char text[2 + sizeof good] = "0x";
    size_t len;

    memcpy(text + 2, hex, sizeof good);
    test_need(x402_hex_decode_any(out, &len, BYTES, x402_span_of(text)) ==
                      X402_OK &&
                  len == BYTES,
              "hex");
}

static void
test_good(void)
{
    struct x402_erc6492 seen;
    uint8_t bytes[BYTES];

    load(bytes, good);
    test_ok(x402_erc6492_is_wrapped(bytes, BYTES), "it is wrapped");
    test_ok(x402_erc6492_decode(&seen, bytes, BYTES) == X402_OK, "it is read");
    test_ok(seen.factory.byte[0] == 0x11 && seen.factory.byte[19] == 0x11,
            "the factory");
    test_ok(seen.calldata_len == 3 &&
                memcmp(seen.calldata, "\xc0\xff\xee", 3) == 0,
            "the calldata");
    test_ok(seen.signature_len == 2 &&
                memcmp(seen.signature, "\xab\xcd", 2) == 0,
            "the signature");
}

/* Exactly one encoding: the free bytes are the factory, the calldata and the
 * signature; a change anywhere else is no wrapper any more. */
static void
test_spoilt(void)
{
    struct x402_erc6492 seen;
    uint8_t bytes[BYTES];
    unsigned read = 0;

    for (size_t i = 0; i < BYTES; i++) {
        bool is_free = (i >= 12 && i < 32) || (i >= 128 && i < 131) ||
                       (i >= 192 && i < 194);

        load(bytes, good);
        bytes[i] ^= 0x80;
        if ((x402_erc6492_decode(&seen, bytes, BYTES) == X402_OK) != is_free)
            test_ok(false, "byte %zu changed", i);
        read += is_free;
    }
    test_ok(read == 25, "every byte was changed");
    load(bytes, good);
    for (size_t len = 0; len < BYTES; len++) {
        if (x402_erc6492_decode(&seen, bytes, len) != X402_ERR_SIGNATURE ||
            x402_erc6492_decode(&seen, bytes + BYTES - len, len) !=
                X402_ERR_SIGNATURE)
            test_ok(false, "cut to %zu bytes", len);
    }
    test_ok(true, "every cut was tried");
}

static void
test_nested(void)
{
    static uint8_t outer[32 * 6 + 256 + 32];
    struct x402_erc6492 seen;
    uint8_t inner[BYTES];

    load(inner, good);
    memset(outer, 0, sizeof outer);
    outer[31] = 1;
    outer[63] = 0x60;
    outer[95] = 0x80;
    _Static_assert(BYTES == 256, "one byte of length less");
    outer[32 * 4 + 30] = 1;
    outer[32 * 4 + 31] = 0;
    memcpy(outer + 32 * 5, inner, BYTES);
    for (size_t i = 0; i < 32; i += 2)
        memcpy(outer + 32 * 5 + BYTES + i, "\x64\x92", 2);
    test_ok(x402_erc6492_decode(&seen, outer, 32 * 5 + BYTES + 32) ==
                X402_ERR_SIGNATURE,
            "a wrapper in a wrapper");
    outer[32 * 5 + BYTES - 1] ^= 1; /* the inner magic */
    test_ok(x402_erc6492_decode(&seen, outer, 32 * 5 + BYTES + 32) == X402_OK,
            "the same without its magic");
}

/* -- the transaction -- */

static size_t
transaction(uint8_t *out, bool first, bool second)
{
    static uint8_t transfer[X402_ABI_TRANSFER_MAX];
    static const uint8_t create[] = "create";
    static const uint8_t signature[65] = {[64] = 27};
    struct x402_authorization auth = {.value = x402_amount_of(7), .nonce = {9}};
    struct x402_abi_call calls[2] = {
        {.target = {{1}},
         .allow_failure = first,
         .data = create,
         .data_len = 6},
        {.target = {{2}},
         .allow_failure = second,
         .data = transfer,
         .data_len = x402_abi_transfer(transfer, &auth, signature, 65)},
    };

    return x402_abi_aggregate3(out, calls, 2);
}

static void
test_inspect(void)
{
    static uint8_t data[2048];
    struct x402_abi_deploy seen;
    struct x402_abi_seen plain[4];
    size_t count, len = transaction(data, true, false);

    test_ok(x402_abi_inspect_deploy(&seen, data, len) == X402_OK,
            "what is written is read");
    test_ok(seen.factory.byte[0] == 1 && seen.transfer.target.byte[0] == 2 &&
                seen.calldata_len == 6 &&
                memcmp(seen.calldata, "create", 6) == 0 &&
                seen.transfer.auth.nonce[0] == 9,
            "and is the same");
    test_ok(x402_abi_inspect(plain, &count, 4, data, len) == X402_ERR_SYNTAX,
            "it is no batch of transfers");
    for (size_t i = 0; i < len; i++)
        if (x402_abi_inspect_deploy(&seen, data, i) == X402_OK)
            test_ok(false, "cut to %zu bytes", i);
    test_ok(x402_abi_inspect_deploy(&seen, data, len + 1) == X402_ERR_SYNTAX,
            "a byte more");
    len = transaction(data, false, false);
    test_ok(x402_abi_inspect_deploy(&seen, data, len) == X402_ERR_SYNTAX,
            "a factory that may not fail");
    len = transaction(data, true, true);
    test_ok(x402_abi_inspect_deploy(&seen, data, len) == X402_ERR_SYNTAX,
            "a transfer that may");
}

static void
test_answers(void)
{
    uint8_t word[64] = {0x16, 0x26, 0xba, 0x7e};

    test_ok(x402_abi_is_valid_answer(word, 32), "the magic word");
    test_ok(x402_abi_is_valid_answer(word, 64), "and something after it");
    test_ok(!x402_abi_is_valid_answer(word, 31), "a word cut short");
    test_ok(!x402_abi_is_valid_answer(word, 0), "nothing");
    word[31] = 1;
    test_ok(!x402_abi_is_valid_answer(word, 32), "a dirty word");
}

int
main(void)
{
    test_good();
    test_spoilt();
    test_nested();
    test_inspect();
    test_answers();
    return test_done();
}
