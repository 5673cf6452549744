/* SPDX-License-Identifier: Apache-2.0 */
/* Log lines: one JSON object a line, one write(2) each, so that lines of
 * several threads never mix.  An event that floods is cut to 100 lines a second
 * and a count of the rest: a peer must not fill the disk by being wrong often.
 */
#include "log.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <x402/buf.h>

#define LINE_MAX_BYTES 8192
#define VALUE_MAX_BYTES 512
#define PAIRS_MAX 16
#define EVENTS_MAX 64 /* event names that are counted one by one */
#define EVENT_NAME_MAX 40
#define LINES_PER_SECOND 100

/** How often one event was logged in the current second. */
struct log_window {
    char event[EVENT_NAME_MAX];
    int64_t second;
    uint64_t lines;
    uint64_t suppressed;
};

static _Atomic int threshold = LOG_INFO;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct log_window windows[EVENTS_MAX];
static bool any_suppressed;

static const char *
level_name(enum log_level level)
{
    switch (level) {
    case LOG_DEBUG:
        return "debug";
    case LOG_INFO:
        return "info";
    case LOG_WARN:
        return "warn";
    case LOG_ERROR:
        return "error";
    }
    return "error";
}

void
log_open(const char *level)
{
    static const enum log_level levels[] = {LOG_DEBUG, LOG_INFO, LOG_WARN,
                                            LOG_ERROR};

    for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
        if (strcmp(level, level_name(levels[i])) == 0)
            atomic_store(&threshold, levels[i]);
    }
}

/* -- one line -- */

static void
add_time(struct x402_buf *line, const struct timespec *now)
{
    struct tm utc;
    char text[64];
    size_t len;

    gmtime_r(&now->tv_sec, &utc);
    len = strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(text + len, sizeof(text) - len, ".%03ldZ", now->tv_nsec / 1000000);
    x402_buf_json(line, x402_span_of(text));
}

/** A value, at most VALUE_MAX_BYTES of it.  x402_buf_json escapes control
 * characters and repairs a character that the cut went through. */
static void
add_value(struct x402_buf *line, const char *value)
{
    struct x402_span text = {value, strnlen(value, VALUE_MAX_BYTES + 1)};

    if (text.len > VALUE_MAX_BYTES)
        text.len = VALUE_MAX_BYTES;
    x402_buf_json(line, text);
}

static void
add_pair(struct x402_buf *line, const char *key, const char *value)
{
    x402_buf_char(line, ',');
    add_value(line, key);
    x402_buf_char(line, ':');
    add_value(line, value != NULL ? value : "");
}

static void
begin_line(struct x402_buf *line, const struct timespec *now,
           enum log_level level, const char *event)
{
    x402_buf_text(line, "{\"time\":");
    add_time(line, now);
    add_pair(line, "level", level_name(level));
    add_pair(line, "event", event);
}

/** A write that fails has nobody left to tell. */
static void
write_line(const char *line, size_t len)
{
    while (len > 0) {
        ssize_t n = write(STDERR_FILENO, line, len);

        if (n <= 0)
            return;
        line += n;
        len -= (size_t)n;
    }
}

static void
end_line(struct x402_buf *line)
{
    x402_buf_text(line, "}\n");
    if (!line->full)
        write_line(line->at, line->len);
}

/* -- the limit: all with the lock held -- */

static void
report_suppressed(struct log_window *window, const struct timespec *now)
{
    char memory[512];
    char count[24];
    struct x402_buf line = x402_buf_on(memory, sizeof(memory));

    snprintf(count, sizeof(count), "%llu",
             (unsigned long long)window->suppressed);
    begin_line(&line, now, LOG_WARN, "log_suppressed");
    add_pair(&line, "of", window->event);
    add_pair(&line, "count", count);
    end_line(&line);
    window->suppressed = 0;
}

static void
report_ended_windows(const struct timespec *now)
{
    if (!any_suppressed)
        return;
    any_suppressed = false;
    for (size_t i = 0; i < EVENTS_MAX; i++) {
        if (windows[i].suppressed == 0)
            continue;
        if (windows[i].second != now->tv_sec)
            report_suppressed(&windows[i], now);
        else
            any_suppressed = true;
    }
}

/** The window of an event; events past the table's end share the last one. */
static struct log_window *
window_of(const char *event)
{
    size_t i;

    for (i = 0; i < EVENTS_MAX - 1 && windows[i].event[0] != '\0'; i++) {
        if (strncmp(windows[i].event, event, EVENT_NAME_MAX - 1) == 0)
            return &windows[i];
    }
    if (i == EVENTS_MAX - 1)
        event = "(other)";
    snprintf(windows[i].event, EVENT_NAME_MAX, "%s", event);
    return &windows[i];
}

static bool
may_log(const char *event, const struct timespec *now)
{
    struct log_window *window;

    report_ended_windows(now);
    window = window_of(event);
    if (window->second != now->tv_sec) {
        window->second = now->tv_sec;
        window->lines = 0;
    }
    if (window->lines++ < LINES_PER_SECOND)
        return true;
    window->suppressed++;
    any_suppressed = true;
    return false;
}

void
log_event(enum log_level level, const char *event, ...)
{
    char memory[LINE_MAX_BYTES];
    struct x402_buf line = x402_buf_on(memory, sizeof(memory));
    struct timespec now;
    const char *key;
    va_list pairs;
    bool wanted;

    if ((int)level < atomic_load_explicit(&threshold, memory_order_relaxed))
        return;
    clock_gettime(CLOCK_REALTIME, &now);
    pthread_mutex_lock(&lock);
    wanted = may_log(event, &now);
    pthread_mutex_unlock(&lock);
    if (!wanted)
        return;

    begin_line(&line, &now, level, event);
    va_start(pairs, event);
    for (unsigned i = 0; i < PAIRS_MAX; i++) {
        key = va_arg(pairs, const char *);
        if (key == NULL)
            break;
        add_pair(&line, key, va_arg(pairs, const char *));
    }
    va_end(pairs);
    /* A line that outgrew its memory is still said, without its pairs. */
    if (line.full) {
        line = x402_buf_on(memory, sizeof(memory));
        begin_line(&line, &now, level, event);
    }
    end_line(&line);
}
