/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of the wires share: JSON written with single quotes, base64,
 * and one payment whose signature was made by another program. */
#ifndef WIRE_TEST_H
#define WIRE_TEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include <x402/payment.h>
#include <x402/span.h>

#ifndef X402_TEST_VECTORS
#define X402_TEST_VECTORS "." /* what includes this reads no vectors */
#endif
#include "test.h"

/* Keys 0x11.. (payer) and 0x33.. (payee); signed with viem over Base USDC,
 * "USD Coin"/"2"/8453: 3000, valid 1699999940 to 1700000060, nonce 0xab... */
#define PAYER "0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A"
#define PAYEE "0x5CbDd86a2FA8Dc4bDdd8a8f69dBa48572EeC07FB"
#define NONCE                                                                  \
    "0xabababababababababababababababababababababababababababababababab"
#define SIGNATURE                                                              \
    "0xe40a7bee5a224994059a161d3480eaa66c99f8b4ea10779d49e9a1c2bfbeaec8"       \
    "4d3a3d1ffde8d22044a7fb1b39f0b90825e1de4a4b28dbba0059fe3c59eb37b21b"
#define USDC "0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913"
#define RESOURCE "https://api.example.com/premium-data"

#define AUTHORIZATION                                                          \
    "{'from':'" PAYER "','to':'" PAYEE "','value':'3000',"                     \
    "'validAfter':'1699999940','validBefore':'1700000060','nonce':'" NONCE     \
    "'}"
#define PAYLOAD                                                                \
    "{'signature':'" SIGNATURE "','authorization':" AUTHORIZATION "}"
#define ACCEPTED                                                               \
    "{'scheme':'exact','network':'eip155:8453','amount':'3000','asset':'" USDC \
    "','payTo':'" PAYEE "','maxTimeoutSeconds':60,"                            \
    "'extra':{'name':'USD Coin','version':'2'}}"
#define V2 "{'x402Version':2,'accepted':" ACCEPTED ",'payload':" PAYLOAD "}"
#define V1                                                                     \
    "{'x402Version':1,'scheme':'exact','network':'base','payload':" PAYLOAD "}"
#define SEED000                                                                \
    "{'x402Version':2,'scheme':'exact','network':'eip155:8453','payload'"      \
    ":" PAYLOAD "}"
#define SEED001                                                                \
    "{'chain':'base','currency':'USDC','payload':" PAYLOAD                     \
    ",'resource':'" RESOURCE "','scheme':'exact','version':1}"

/** A copy with ' turned into ", in memory of its own until the end. */
char *test_quote(const char *text);
/** test_edge of a span. */
struct x402_span test_edge_span(struct x402_span bytes);
/** base64, padded, directly before an unmapped page. */
struct x402_span test_base64(struct x402_span text);
/** A compact JSON text in memory of its own until the end. */
struct x402_span test_dump(const json_t *value);
/** Parse single-quoted JSON; ends the program when it is not JSON. */
json_t *test_json(const char *text);
/** The member at "a.b.c"; the last name's object, for json_object_set. */
json_t *test_parent(json_t *root, const char *path, const char **last);

/** The offer that the payment above buys. */
struct x402_requirement test_requirement(void);
/** Its clock: 1700000000, margin 25 s, at most 300 s. */
struct x402_clock test_clock(void);

#endif
