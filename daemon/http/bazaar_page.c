/* SPDX-License-Identifier: Apache-2.0 */
/* GET /bazaar: the catalogue for people. */
#include <pthread.h>

#include "page.h"

static const char *const text[] = {
#include "bazaar.html.h"
};

static struct http_page page;

static void
make(void)
{
    http_page_make(&page, text[0]);
}

enum http_next
http_bazaar_page(struct http_request *request)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    if (request->http->bazaar == NULL)
        return http_refuse(request, MHD_HTTP_NOT_FOUND, X402_ERR_SYNTAX,
                           "there is no Bazaar here");
    pthread_once(&once, make);
    return http_page(request, &page);
}
