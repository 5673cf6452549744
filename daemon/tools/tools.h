/* SPDX-License-Identifier: Apache-2.0 */
/* The operator's tools: x402d ledger COMMAND.  They look into the ledger beside
 * a daemon that runs, and at the chain; but for `clear` they change nothing.
 * Internal to daemon/tools, but for tool_ledger. */
#ifndef X402D_TOOLS_H
#define X402D_TOOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <x402/buf.h>

#include "../config.h"
#include "../ledger/view.h"

enum tool_exit {
    TOOL_GOOD = 0,
    TOOL_BAD = 1,     /* found what must not be, or nothing to do it on */
    TOOL_USAGE = 2,   /* the command line, the configuration */
    TOOL_UNKNOWN = 3, /* it could not be told: ledger or node do not answer */
};

/** argv[0] is "ledger". */
int tool_ledger(int argc, char **argv);

enum tool_format { TOOL_TEXT, TOOL_CSV, TOOL_JSON };

/** A command line, read. */
struct tool_options {
    struct config
        *config; /* NULL: --ledger was given; freed with the options */
    const char *ledger_file;
    struct ledger_filter filter;
    struct x402_address payee, payer; /* what the filter points to */
    uint8_t hash[32];
    const struct x402_network *network; /* NULL: all */
    bool has_from, has_to;
    uint64_t from_block, to_block;
    enum tool_format format;
    bool has_format;
    const char *subject; /* what stands after the options; NULL: nothing */
};

/** false after a message on stderr. */
bool tool_options_read(struct tool_options *out, int argc, char **argv);
void tool_options_free(struct tool_options *options);
/** "x402d ledger: MESSAGE"; returns TOOL_USAGE. */
int tool_misused(const char *format, ...) __attribute__((format(printf, 1, 2)));
/** Open the ledger of the options, or say why not. */
struct ledger_view *tool_open(const struct tool_options *options,
                              bool to_change);

/* -- the commands -- */

int tool_list(const struct tool_options *options);
int tool_show(const struct tool_options *options);
int tool_export(const struct tool_options *options);
int tool_credit(const struct tool_options *options);
int tool_clear(const struct tool_options *options);
int tool_reconcile(const struct tool_options *options);

/* -- printing -- */

#define TOOL_WHEN_MAX 32
#define TOOL_MONEY_MAX 112

/** "2026-11-21T10:00:00Z" */
void tool_when(char out[TOOL_WHEN_MAX], uint64_t ms);
/** "0.001 USDC", or atomic units of a token that is not in the table. */
void tool_money(char out[TOOL_MONEY_MAX], const struct x402_amount *amount,
                uint64_t chain_id, const struct x402_address *asset);
const char *tool_state(enum pay_state state);
/** 0: no such state. */
unsigned tool_state_bits(const char *name);
void tool_print_text(const struct pay_row *row, const char *resource);
void tool_print_csv_head(void);
void tool_print_csv(const struct pay_row *row, const char *resource);
/** A member's name as it stands before its value (",\"state\":"), and the
 * value.
 */
void tool_add_text(struct x402_buf *buf, const char *before, const char *text);
void tool_add_number(struct x402_buf *buf, const char *before, uint64_t number);
void tool_add_when(struct x402_buf *buf, const char *before, uint64_t ms);
/** One object, without a line's end. */
void tool_write_json(struct x402_buf *buf, const struct pay_row *row,
                     const char *resource);
void tool_print_json(const struct pay_row *row, const char *resource);
/** All of one payment, a line for each fact. */
void tool_print_whole(const struct pay_row *row, const char *resource);
/** What came from outside may hold anything; a terminal gets none of it. */
void tool_print_clean(const char *text);

#define TOOL_WHOLE_MAX (256 * 1024) /* bytes of one with its history */

/** One object with its history.  false: the ledger cannot be read. */
bool tool_write_whole(struct x402_buf *buf, struct ledger_view *view,
                      const struct pay_row *row, const char *resource);
/** [step, ...], see ledger/event.h. */
bool tool_write_history(struct x402_buf *out, struct ledger_view *view,
                        enum ledger_rail rail, int64_t id);
/** A line for each step, and one for its transaction. */
bool tool_print_history(struct ledger_view *view, enum ledger_rail rail,
                        int64_t id);

/* Lightning */
void tool_print_invoice(const struct ledger_view_invoice *invoice);
/** One object; with a view: and its history. */
bool tool_write_invoice(struct x402_buf *out, struct ledger_view *view,
                        const struct ledger_view_invoice *invoice);

#endif
