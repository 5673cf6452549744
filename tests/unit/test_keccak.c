/* SPDX-License-Identifier: Apache-2.0 */
/* Keccak-256 against ethers' vectors, around the block size, and in pieces. */
#include "test.h"

#include <x402/keccak.h>

static void
test_known(void)
{
    static const struct {
        const char *why, *text, *hash;
    } rows[] = {
        {"nothing", "",
         "0xc5d2460186f7233c927e7db2dcc703c0"
         "e500b653ca82273b7bfad8045d85a470"},
        {"abc", "abc",
         "0x4e03657aea45a94fc7d47ba826c8d667"
         "c0d1e6e33a64a036ec44f58fa12d6c45"},
        {"the signature of an event", "Transfer(address,address,uint256)",
         "0xddf252ad1be2c89b69c2b068fc378daa"
         "952ba7f163c4a11628f55a4df523b3ef"},
    };
    /* SHA3-256 of nothing: what one wrong padding byte would give. */
    static const uint8_t sha3[4] = {0xa7, 0xff, 0xc6, 0xf8};
    uint8_t hash[32];

    for (size_t i = 0; i < TEST_LEN(rows); i++) {
        size_t len;
        uint8_t *want = test_unhex(&len, rows[i].hash);
        struct x402_span text = test_edge_text(rows[i].text);

        x402_keccak256(hash, text.at, text.len);
        test_bytes(hash, 32, want, len, rows[i].why);
        free(want);
    }
    x402_keccak256(hash, "", 0);
    test_ok(memcmp(hash, sha3, sizeof sha3) != 0, "this is not SHA3-256");
    x402_keccak256(hash, NULL, 0);
    test_ok(hash[0] == 0xc5, "nothing may also be NULL");
}

static void
test_ethers(void)
{
    json_t *rows = test_vectors("ethers/hashes.json"), *row;
    size_t i, len;

    json_array_foreach(rows, i, row)
    {
        uint8_t *data = test_unhex(&len, test_string(row, "data"));
        uint8_t want[32], hash[32];

        test_member(want, 32, row, "keccak256");
        x402_keccak256(hash, test_edge(data, len).at, len);
        test_ok(memcmp(hash, want, 32) == 0, "ethers %zu, %zu bytes", i, len);
        free(data);
    }
    json_decref(rows);
}

/* keccak256 of the bytes 0, 1, 2, .. at the lengths around one and two blocks
 * of 136, from viem. */
static void
test_block_edges(void)
{
    static const struct {
        size_t len;
        const char *hash;
    } rows[] = {
        {1, "0xbc36789e7a1e281436464229828f817d"
            "6612f7b477d66591ff96a9e064bcc98a"},
        {7, "0x801560412425120fa609be232d6fa71c"
            "7f64f42aee7977267687dcc0a2f5aa63"},
        {8, "0x59e7c99f6be4fd053d7c99f54e371304"
            "a33213473dc41f1825b7f3ceb33841a6"},
        {9, "0x1c2876c406adb4065117127d838f839f"
            "4fe555c0106787d5cb24f6df3444e08d"},
        {134, "0x861e165162f806cd361c4421a48f2058"
              "20ddf4deb02db9f041f48e179ddada97"},
        {135, "0xcbdfd9dee5faad3818d6b06f95a219fd"
              "290b0e1706f6a82e5a595b9ce9faca62"},
        {136, "0x7ce759f1ab7f9ce437719970c26b0a66"
              "ff11fe3e38e17df89cf5d29c7d7f807e"},
        {137, "0xac73d4fae68b8453f764007c1a20ce95"
              "994187861f0c3227a3a8e99a73a3b1db"},
        {138, "0x9dff24f078dfc5f2858894ee1f79728c"
              "3e4be850a0fccc5929bba850ca98efa1"},
        {144, "0x36b6c310c763efcdcd51591b27ac640e"
              "c854bf8da8e413f4cc0f4a29e2a48dbc"},
        {271, "0x7c974895b2a88303ff2dc6b58f438ceb"
              "0b298cac91099ac0539cc0f477506191"},
        {272, "0xfdf2ec49e749960d3c8521a0219af8d0"
              "3e30e2b3bf19bd16150ee0eaf133d66e"},
        {273, "0x4f707289a9c3ccd0c4a51f2f17339f5d"
              "d171d371c04ff7783b735b5b22682eaf"},
        {408, "0x4deeaefc26bf0becc5bf9603551584ca"
              "1d514238f2f84d0b6adb4bebde86ce61"},
        {512, "0xf55ba327291604f0e5be6651752398b7"
              "be2331aad65f5763ce067df95cc13be1"},
    };
    uint8_t bytes[512], hash[32];

    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)i;
    for (size_t i = 0; i < TEST_LEN(rows); i++) {
        size_t len;
        uint8_t *want = test_unhex(&len, rows[i].hash);

        x402_keccak256(hash, test_edge(bytes, rows[i].len).at, rows[i].len);
        test_ok(memcmp(hash, want, 32) == 0, "%zu bytes", rows[i].len);
        free(want);
    }
}

static void
test_pieces(void)
{
    uint8_t bytes[300], whole[32], parts[32];
    struct x402_keccak keccak;

    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(7 * i);
    x402_keccak256(whole, bytes, sizeof bytes);
    for (size_t cut = 0; cut <= sizeof bytes; cut++) {
        x402_keccak_begin(&keccak);
        x402_keccak_add(&keccak, bytes, cut);
        x402_keccak_add(&keccak, bytes + cut, sizeof bytes - cut);
        x402_keccak_end(&keccak, parts);
        test_ok(memcmp(whole, parts, 32) == 0, "cut at %zu", cut);
    }
    x402_keccak_begin(&keccak);
    for (size_t i = 0; i < sizeof bytes; i++)
        x402_keccak_add(&keccak, bytes + i, 1);
    x402_keccak_end(&keccak, parts);
    test_ok(memcmp(whole, parts, 32) == 0, "byte by byte");
}

int
main(void)
{
    test_known();
    test_ethers();
    test_block_edges();
    test_pieces();
    return test_done();
}
