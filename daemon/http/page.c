/* SPDX-License-Identifier: Apache-2.0 */
/* See page.h. */
#include "page.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/sha.h>

static bool
add_hash(struct x402_buf *out, const struct http_page *page, const char *open,
         const char *close)
{
    const char *from = memmem(page->text, page->len, open, strlen(open));
    const char *to = from != NULL ? strstr(from, close) : NULL;
    uint8_t hash[32];

    if (to == NULL)
        return false;
    from += strlen(open);
    SHA256((const unsigned char *)from, (size_t)(to - from), hash);
    x402_buf_text(out, "'sha256-");
    x402_buf_base64(out, hash, sizeof(hash));
    x402_buf_char(out, '\'');
    return true;
}

void
http_page_make(struct http_page *page, const char *text)
{
    struct x402_buf out = x402_buf_on(page->policy, sizeof(page->policy) - 1);
    bool good;

    page->text = text;
    page->len = strlen(text);
    x402_buf_text(&out, "default-src 'none'; connect-src 'self'; "
                        "base-uri 'none'; form-action 'none'; "
                        "frame-ancestors 'none'; script-src ");
    good = add_hash(&out, page, "<script>", "</script>");
    x402_buf_text(&out, "; style-src ");
    good = good && add_hash(&out, page, "<style>", "</style>") && !out.full;
    page->policy[good ? out.len : 0] = '\0';
}

enum http_next
http_page(struct http_request *request, const struct http_page *page)
{
    char *copy = malloc(page->len);

    if (copy == NULL || page->policy[0] == '\0') {
        free(copy);
        return http_refuse(request, MHD_HTTP_SERVICE_UNAVAILABLE,
                           X402_ERR_UNAVAILABLE, "the page cannot be made");
    }
    memcpy(copy, page->text, page->len);
    request->large = copy;
    request->large_len = page->len;
    request->type = "text/html; charset=utf-8";
    request->policy = page->policy;
    request->status = MHD_HTTP_OK;
    return HTTP_ANSWER;
}
