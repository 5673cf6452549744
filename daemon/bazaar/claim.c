/* SPDX-License-Identifier: Apache-2.0 */
/* A seller's claim to a resource: the body of POST /register, and what the
 * payee signs (docs/discovery.md). */
#include <stdio.h>
#include <string.h>

#include <x402/json.h>
#include <x402/keccak.h>
#include <x402/signer.h>

#include "../failpoint.h"
#include "bazaar.h"

#define CLAIM_BODY_MAX 8192
#define CLAIM_AHEAD_S 86400 /* a signature is good for a day at most */

void
bazaar_claim_text(char out[BAZAAR_CLAIM_MAX], const char *url,
                  const char *pay_to, uint64_t expires_s)
{
    snprintf(out, BAZAAR_CLAIM_MAX,
             "List this resource in the x402 Bazaar\n"
             "URL: %s\n"
             "Pay to: %s\n"
             "Expires: %llu",
             url, pay_to, (unsigned long long)expires_s);
}

/* EIP-191: "0x19 <0x45 (E)> <thereum Signed Message:\n" + len(message)>
 * <data to sign>" */
void
bazaar_claim_digest(uint8_t out[32], const char *text)
{
    struct x402_keccak keccak;
    char prefix[64];
    int len = snprintf(prefix, sizeof(prefix),
                       "\x19"
                       "Ethereum Signed Message:\n%zu",
                       strlen(text));

    x402_keccak_begin(&keccak);
    x402_keccak_add(&keccak, prefix, (size_t)len);
    x402_keccak_add(&keccak, text, strlen(text));
    x402_keccak_end(&keccak, out);
}

static bool
refuse(char *why, size_t why_len, const char *text)
{
    snprintf(why, why_len, "%s", text);
    return false;
}

static bool
take_method(struct bazaar_claim *out, const json_t *body)
{
    static const char *const methods[] = {"GET",  "HEAD", "DELETE",
                                          "POST", "PUT",  "PATCH"};
    const json_t *value = json_object_get(body, "method");
    const char *text = value == NULL ? "GET" : json_string_value(value);

    for (size_t i = 0; text != NULL && i < 6; i++) {
        if (strcmp(methods[i], text) == 0) {
            snprintf(out->method, sizeof(out->method), "%s", text);
            return true;
        }
    }
    return false;
}

static bool
is_signed(const struct bazaar_claim *claim, const char *pay_to,
          json_int_t expires_s, const json_t *body)
{
    char text[BAZAAR_CLAIM_MAX];
    uint8_t signature[65], digest[32];
    struct x402_address signer;

    if (x402_json_hex(signature, sizeof(signature), body, "signature") !=
        X402_OK)
        return false;
    bazaar_claim_text(text, claim->url, pay_to, (uint64_t)expires_s);
    bazaar_claim_digest(digest, text);
    return x402_recover(&signer, signature, digest) == X402_OK &&
           (x402_address_eq(&signer, &claim->payee) ||
            mutant("bazaar_unsigned"));
}

static bool
read_claim(struct bazaar_claim *out, char *why, size_t why_len,
           const json_t *body, uint64_t now_s)
{
    const json_t *url = json_object_get(body, "url");
    const json_t *expires = json_object_get(body, "expires");
    const char *pay_to = json_string_value(json_object_get(body, "payTo"));
    json_int_t expires_s = json_integer_value(expires);

    if (!json_is_string(url) || json_string_length(url) >= sizeof(out->url) - 1)
        return refuse(why, why_len, "url: write the resource's URL");
    snprintf(out->url, sizeof(out->url), "%s", json_string_value(url));
    if (!take_method(out, body))
        return refuse(why, why_len,
                      "method: write GET, HEAD, DELETE, POST, "
                      "PUT or PATCH");
    if (pay_to == NULL || x402_address_parse_checked(
                              &out->payee, x402_span_of(pay_to)) != X402_OK)
        return refuse(why, why_len, "payTo: write the address that is paid");
    if (!json_is_integer(expires) || expires_s <= (json_int_t)now_s ||
        expires_s > (json_int_t)now_s + CLAIM_AHEAD_S)
        return refuse(why, why_len,
                      "expires: write unix seconds, within a "
                      "day from now");
    if (!is_signed(out, pay_to, expires_s, body))
        return refuse(why, why_len,
                      "signature: it is not payTo's for this "
                      "text (EIP-191, docs/discovery.md); contracts cannot "
                      "register, payments list them");
    return true;
}

bool
bazaar_claim_read(struct bazaar_claim *out, char *why, size_t why_len,
                  struct x402_span body, uint64_t now_s)
{
    json_t *json = NULL;
    bool good;

    memset(out, 0, sizeof(*out));
    if (x402_json_load(&json, body, CLAIM_BODY_MAX, 4) != X402_OK)
        return refuse(why, why_len,
                      "the body is not one JSON object of at "
                      "most 8192 bytes");
    good = read_claim(out, why, why_len, json, now_s);
    json_decref(json);
    return good;
}
