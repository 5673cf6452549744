/* SPDX-License-Identifier: Apache-2.0 */
/* The verifier's own key, and what it signs: that a payment was good when
 * /verify looked.  It signs nothing else and settles nothing. */
#ifndef X402D_HTTP_ATTEST_H
#define X402D_HTTP_ATTEST_H

#include <stddef.h>

#include <x402/signer.h>

struct http_request;

/** Read the key.  NULL with a message.  Memory: attest_close. */
struct x402_signer *attest_open(const char *key_file, char *error,
                                size_t error_len);
void attest_close(struct x402_signer *signer);

/** Put the attestation into the answer of /verify, an object that is written
 * already.  Without one that fits the answer stays as it is. */
void attest_add(struct http_request *request);

#endif
