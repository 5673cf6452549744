/* SPDX-License-Identifier: Apache-2.0 */
/* Pages for people: web/NAME.html, put into the program when it is built.
 * Script and style are named by hash in the Content-Security-Policy, so that
 * nothing else runs in them. */
#ifndef X402D_HTTP_PAGE_H
#define X402D_HTTP_PAGE_H

#include "request.h"

#define PAGE_POLICY_MAX 512

struct http_page {
    const char
        *text; /* with one <script> and one <style>, without attributes */
    size_t len;
    char policy[PAGE_POLICY_MAX]; /* "": it could not be made */
};

/** Once, before the first answer. */
void http_page_make(struct http_page *page, const char *text);
/** Answer with the page. */
enum http_next http_page(struct http_request *request,
                         const struct http_page *page);

#endif
