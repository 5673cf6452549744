/* SPDX-License-Identifier: Apache-2.0 */
/* What -v shows of a request and its answer: no secrets, no control
 * characters. */
#ifndef CLIENT_TRACE_H
#define CLIENT_TRACE_H

#include <curl/curl.h>

/** A CURLOPT_DEBUGFUNCTION: "*", ">" and "<" lines on stderr.  The values of
 *  credentials and payments are left out. */
int trace_curl(CURL *handle, curl_infotype type, char *bytes, size_t len,
               void *owner);

#endif
