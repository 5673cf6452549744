/* SPDX-License-Identifier: Apache-2.0 */
/* What the process says when it ends.  Numbers below 100 are curl's own
 * (CURLcode); ours begin at 101.  Scripts depend on them: append only. */
#ifndef CLIENT_EXIT_H
#define CLIENT_EXIT_H

enum client_exit {
    CLIENT_EXIT_OK = 0,
    CLIENT_EXIT_USAGE = 2,          /* as curl: bad option or argument */
    CLIENT_EXIT_URL = 3,            /* as curl: malformed URL */
    CLIENT_EXIT_HTTP = 22,          /* as curl: --fail and status >= 400 */
    CLIENT_EXIT_WRITE = 23,         /* as curl: output cannot be written */
    CLIENT_EXIT_READ = 26,          /* as curl: @file cannot be read */
    CLIENT_EXIT_TIMEOUT = 28,       /* as curl: --max-time is over */
    CLIENT_EXIT_REDIRECTS = 47,     /* as curl: too many redirects */
    CLIENT_EXIT_RECEIVE = 56,       /* as curl: answer cannot be received */
    CLIENT_EXIT_POLICY = 101,       /* our rules say no; nothing was signed */
    CLIENT_EXIT_NO_OFFER = 102,     /* the 402 offers nothing that we can pay */
    CLIENT_EXIT_UNAFFORDABLE = 103, /* budget is used up, or no funds */
    CLIENT_EXIT_REFUSED = 104,      /* paid once, and the server said no */
    CLIENT_EXIT_UNKNOWN = 105,      /* a payment was sent; what became of it is
                                       not known: --resume sends the same again */
    CLIENT_EXIT_UNRESOLVED = 106,   /* an earlier payment for this request is in
                                       that state; nothing was signed */
    CLIENT_EXIT_WALLET = 107,       /* no wallet, or it cannot be opened */
    CLIENT_EXIT_STATE = 108,        /* the journal cannot be written or read;
                                       nothing was sent */
};

#endif
