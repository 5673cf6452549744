/* SPDX-License-Identifier: Apache-2.0 */
/* What a URL asks for, and whether everything that it says about it agrees:
 * the wires of its 402 with each other, and its documents with the 402.
 * Nothing is paid. */
#ifndef CLIENT_AUDIT_H
#define CLIENT_AUDIT_H

#include <stdbool.h>

#include <jansson.h>

#include <x402/offer.h>

#include "exchange.h"

#define AUDIT_DOCUMENT_MAX (1024 * 1024)
#define AUDIT_UPSTREAMS_MAX 8

struct audit_options {
    struct url url;
    const char *method;
    const char *cacert;
    bool insecure;
    bool no_private;
    struct url upstream[AUDIT_UPSTREAMS_MAX]; /* what the gateway passes to */
    size_t upstream_len;
};

enum audit_verdict { AUDIT_GOOD, AUDIT_WARNING, AUDIT_BAD };

struct audit_finding {
    enum audit_verdict verdict;
    char what[32];  /* which wire or document */
    char text[256]; /* clean */
};

#define AUDIT_FINDINGS_MAX 32

struct audit {
    const struct audit_options *options;
    struct exchange *exchange;
    long status;
    int failed; /* CURLcode when there was no answer, and why: */
    char error[256];
    /* the answer's offers, one challenge for each way it speaks */
    struct x402_challenge *v2, *body, *plain;
    const struct x402_choice *choices; /* of the first that can be read */
    size_t choices_len, skipped;
    struct audit_finding finding[AUDIT_FINDINGS_MAX];
    size_t findings_len;
};

/** Ask the URL and its documents.  Memory: audit_free. */
void audit_run(struct audit *audit, const struct audit_options *options,
               const struct say *say);
void audit_free(struct audit *audit);
bool audit_is_good(const struct audit *audit);

/* -- for the checks themselves -- */

__attribute__((format(printf, 4, 5))) void
audit_note(struct audit *audit, enum audit_verdict verdict, const char *what,
           const char *format, ...);
/** GET a path of the URL's origin as JSON.  NULL: it is not there or cannot be
 *  read; a finding says so. */
json_t *audit_document(struct audit *audit, const char *path);
/** POST a JSON-RPC message to a URL of any origin, answered by JSON or by an
 *  event stream of one message.  NULL and findings as above. */
json_t *audit_rpc(struct audit *audit, const struct url *url, const char *what,
                  const char *message);
/** The path of a URL, without its query. */
struct x402_span audit_path(const struct url *url);
/** Is it the URL that is looked at, the query left out? */
bool audit_is_this_url(const struct audit *audit, struct x402_span text);
/** A list of offers in a document: does the 402 make them too?  Those of a
 *  kind that we do not know are not ours to judge. */
bool audit_accepts_agree(const struct audit *audit, const json_t *accepts);
void audit_wires(struct audit *audit);
void audit_documents(struct audit *audit);
void audit_mcp(struct audit *audit);
void audit_upstreams(struct audit *audit);

#endif
