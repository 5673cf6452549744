/* SPDX-License-Identifier: Apache-2.0 */
/* Structured log lines on stderr: one JSON object a line.  No secrets: no keys,
 * no signatures, no payment headers, no RPC URLs beyond their host. */
#ifndef X402D_LOG_H
#define X402D_LOG_H

#include <stdarg.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

void log_open(const char *level);
/** log_event(LOG_INFO, "captured", "payment", id, "amount", text, NULL): event,
 * then pairs of key and value strings, NULL at the end.  Control characters are
 * escaped, long values cut at 512 bytes.  Rate-limited per event: 100 a second,
 * then a count.  Threads: any. */
void log_event(enum log_level level, const char *event, ...)
    __attribute__((sentinel));

#endif
