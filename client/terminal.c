/* SPDX-License-Identifier: Apache-2.0 */
/* Cleaning text for terminals, and writing lines to stderr. */
#include <stdarg.h>
#include <stdio.h>

#include <x402/text.h>

#include "terminal.h"

enum { LINE_MAX_BYTES = 4096 };

size_t
terminal_clean(char *out, size_t cap, struct x402_span text)
{
    return x402_text_clean(out, cap, text);
}

__attribute__((format(printf, 1, 0))) static void
write_line(const char *format, va_list arguments)
{
    char raw[LINE_MAX_BYTES], clean[LINE_MAX_BYTES];
    int len = vsnprintf(raw, sizeof(raw), format, arguments);

    if (len < 0)
        return;
    terminal_clean(clean, sizeof(clean), x402_span_of(raw));
    fprintf(stderr, "x402: %s\n", clean);
}

void
say_error(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    write_line(format, arguments);
    va_end(arguments);
}

void
say_note(const struct say *say, const char *format, ...)
{
    va_list arguments;

    if (say->quiet)
        return;
    va_start(arguments, format);
    write_line(format, arguments);
    va_end(arguments);
}

void
say_detail(const struct say *say, const char *format, ...)
{
    va_list arguments;

    if (!say->verbose)
        return;
    va_start(arguments, format);
    write_line(format, arguments);
    va_end(arguments);
}
