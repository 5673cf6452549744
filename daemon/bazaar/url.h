/* SPDX-License-Identifier: Apache-2.0 */
/* URLs that strangers want to see listed or fetched. */
#ifndef X402D_BAZAAR_URL_H
#define X402D_BAZAAR_URL_H

#include <stdbool.h>
#include <stddef.h>

#include "../net/guard.h"

/** http or https, no user, no control characters, a host that does not name
 *  this machine or its network by its text (127.0.0.1, localhost, 10.0.0.1,
 *  0x7f.1, printer.local) unless the guard's list has it.  What a name resolves
 *  to is seen when it is connected to.
 *  In:     template  NULL, or the path in place of the URL's own
 *  Out:    scheme, host, port and path; query and fragment are gone
 *  Returns NULL, or what is wrong. */
const char *bazaar_url(char *out, size_t cap, const char *text,
                       const char *template, const struct guard *guard);
/** An icon's address: the specification's rules, which are stricter. */
bool bazaar_icon_is_good(const char *text);
/** "^/[a-zA-Z0-9_/:.\-~%]+$", and neither ".." nor "://" once decoded. */
bool bazaar_template_is_good(const char *text);

#endif
