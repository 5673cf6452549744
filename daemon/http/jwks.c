/* SPDX-License-Identifier: Apache-2.0 */
/* GET /.well-known/jwks.json: the public key of the verifier, so that whoever
 * pins it can see which one it is.  A key from here is not to be trusted on its
 * own: it comes from the same place as what it signs. */
#include "request.h"

#include <x402/encode.h>

/* RFC 7515: base64url without padding. */
static void
add_base64url(struct x402_buf *out, const uint8_t bytes32[32])
{
    char text[X402_BASE64_LEN(32)];

    x402_base64_encode(text, bytes32, 32);
    for (size_t i = 0; i < sizeof(text) && text[i] != '='; i++)
        x402_buf_char(out, text[i] == '+'   ? '-'
                           : text[i] == '/' ? '_'
                                            : text[i]);
}

static void
add_key(struct x402_buf *out, const struct x402_signer *verifier)
{
    char address[X402_ADDRESS_TEXT_LEN + 1];
    uint8_t point[64];

    x402_signer_public(point, verifier);
    x402_address_format(address, &verifier->address);
    x402_buf_text(out, "{\"kty\":\"EC\",\"crv\":\"secp256k1\",\"use\":\"sig\","
                       "\"kid\":\"");
    x402_buf_text(out, address);
    x402_buf_text(out, "\",\"x\":\"");
    add_base64url(out, point);
    x402_buf_text(out, "\",\"y\":\"");
    add_base64url(out, point + 32);
    x402_buf_text(out, "\"}");
}

enum http_next
http_jwks(struct http_request *request)
{
    x402_buf_text(&request->out, "{\"keys\":[");
    if (request->http->verifier != NULL)
        add_key(&request->out, request->http->verifier);
    x402_buf_text(&request->out, "]}");
    request->status = MHD_HTTP_OK;
    return HTTP_ANSWER;
}
