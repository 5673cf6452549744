/* SPDX-License-Identifier: Apache-2.0 */
/* GET /bazaar: the catalogue for people. */
#include "page.h"

static const char *const text[] = {
#include "bazaar.html.h"
};

enum http_next
http_bazaar_page(struct http_request *request)
{
    static struct http_page page;

    if (request->http->bazaar == NULL)
        return http_refuse(request, MHD_HTTP_NOT_FOUND, X402_ERR_SYNTAX,
                           "there is no Bazaar here");
    page.text = text[0];
    page.len = strlen(text[0]);
    return http_page(request, &page);
}
