/* SPDX-License-Identifier: Apache-2.0 */
/* EIP-712 for flat structs of atomic members and strings. */
#include <x402/eip712.h>

#include <assert.h>
#include <string.h>

#include <x402/keccak.h>

#include "../mutant.h"

#define WORDS_MAX                                                              \
    (sizeof((struct x402_eip712_struct *)0)->word /                            \
     sizeof((struct x402_eip712_struct *)0)->word[0])

void
x402_eip712_begin(struct x402_eip712_struct *s, const char *type)
{
    x402_keccak256(s->word[0], type, strlen(type));
    s->count = 1;
}

static uint8_t *
next_word(struct x402_eip712_struct *s)
{
    assert(s->count < WORDS_MAX);
    return s->word[s->count++];
}

void
x402_eip712_word(struct x402_eip712_struct *s, const uint8_t word32[32])
{
    memcpy(next_word(s), word32, 32);
}

void
x402_eip712_address(struct x402_eip712_struct *s,
                    const struct x402_address *address)
{
    uint8_t *word = next_word(s);

    memset(word, 0, 12);
    memcpy(word + 12, address->byte, 20);
}

void
x402_eip712_amount(struct x402_eip712_struct *s,
                   const struct x402_amount *amount)
{
    x402_amount_to_be32(next_word(s), amount);
}

void
x402_eip712_string(struct x402_eip712_struct *s, struct x402_span text)
{
    /* EIP-712, "Definition of encodeData": "The dynamic values bytes and string
     * are encoded as a keccak256 hash of their contents." */
    x402_keccak256(next_word(s), text.at, text.len);
}

void
x402_eip712_end(const struct x402_eip712_struct *s, uint8_t out32[32])
{
    x402_keccak256(out32, s->word, (size_t)s->count * 32);
}

void
x402_eip712_domain(uint8_t out32[32], struct x402_span name,
                   struct x402_span version, uint64_t chain_id,
                   const struct x402_address *contract)
{
    struct x402_amount chain =
        x402_amount_of(mutant("domain_any_chain") ? 1 : chain_id);
    struct x402_eip712_struct s;

    x402_eip712_begin(&s, "EIP712Domain(string name,string version,"
                          "uint256 chainId,address verifyingContract)");
    x402_eip712_string(&s, name);
    x402_eip712_string(&s, version);
    x402_eip712_amount(&s, &chain);
    x402_eip712_address(&s, contract);
    x402_eip712_end(&s, out32);
}

void
x402_eip712_digest(uint8_t out32[32], const uint8_t domain32[32],
                   const uint8_t struct32[32])
{
    uint8_t text[2 + 32 + 32] = {0x19, 0x01};

    memcpy(text + 2, domain32, 32);
    memcpy(text + 34, struct32, 32);
    x402_keccak256(out32, text, sizeof text);
}
