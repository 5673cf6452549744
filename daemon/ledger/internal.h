/* SPDX-License-Identifier: Apache-2.0 */
/* What the ledger's files share.  Layers, from below: db (SQLite), row and
 * credit (tables), the command files (reserve, run, settle, list), writer
 * (queue, thread, commit), open. */
#ifndef X402D_LEDGER_INTERNAL_H
#define X402D_LEDGER_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "account.h"
#include "db.h"
#include "event.h"
#include "ledger.h"
#include "seen.h"

#define LEDGER_GROUP_MAX 256  /* commands that share one commit */
#define LEDGER_LAZY_MS 50     /* started, done: wait this long for company */
#define LEDGER_GATHER_FROM 12 /* after a group of so many ... */
#define LEDGER_GATHER_US 150  /* ... the next one is waited for */
#define LEDGER_WAITING_MAX                                                     \
    16384                     /* commands in the queue; more: reserve BUSY     \
                               */
#define LEDGER_RELEASES_MAX 3 /* per authorization */
#define LEDGER_RUNS_MAX 2     /* captured runs of one authorization */
#define LEDGER_REDEEM_MS (24 * 3600 * 1000ll) /* after the charge */
#define LEDGER_LOSS_MS (24 * 3600 * 1000ll)   /* total credit looks back */
#define LEDGER_BUCKET_MS 60000                /* a payer's releases: 60 in */
#define LEDGER_BUCKET_STEP_MS 1000            /* a minute, one a second */
#define LEDGER_LIST_MAX 4096                  /* rows of one list */
#define LEDGER_TX_RAW_MAX (256 * 1024)        /* bytes of a transaction */
#define LEDGER_TX_PAYMENTS_MAX 1024           /* payments in one */

/* The write-ahead log, in pages: at 32 MiB start copying it into the file, at
 * 128 MiB start it anew.  Tests come by there often. */
#ifdef X402_MUTANTS
#define LEDGER_CHECKPOINT_PAGES 16
#define LEDGER_WAL_PAGES_MAX 64
#else
#define LEDGER_CHECKPOINT_PAGES 8192
#define LEDGER_WAL_PAGES_MAX 32768
#endif

/** A command: embedded as the first member of each kind's own struct, which is
 * allocated by command_new and freed after deliver. */
struct command {
    struct command *next;
    /* Writer thread, inside a transaction.  Stores its result in the command;
     * may be called a second time when the first one was rolled back. */
    void (*run)(struct ledger *ledger, struct command *command);
    /* Writer thread: it was not committed; forget the result, keep this. */
    void (*fail)(struct command *command, enum x402_err err);
    /* Core thread: call the caller back, free what the command holds. */
    void (*deliver)(struct command *command);
    bool lazy;  /* does not need a commit of its own */
    bool reads; /* only reads: never failed, run again outside instead */
    uint64_t since_ms;
};

/* Rows by state, kept in memory: counting them in SQL reads every row. */
struct tally {
    int64_t state[PAY_FAILED + 1];
    int64_t redeemable;
};

struct ledger {
    struct core *core;
    char *path;
    int lock_fd;
    int64_t epoch;
    int64_t outside;          /* meta.outside as last seen; writer thread */
    int64_t last_id;          /* of payment; writer thread */
    int64_t last_loss_ms;     /* none is newer; writer thread */
    bool closed;              /* core thread: the writer is gone */
    struct db write;          /* writer thread, after open */
    struct db read;           /* core thread */
    struct tally pending;     /* of the group being run; writer thread */
    struct accounts accounts; /* writer thread, after open */
    struct seen seen;
    _Atomic int64_t count[PAY_FAILED + 1];
    _Atomic int64_t redeemable;

    pthread_t writer;
    pthread_mutex_t lock; /* all below */
    pthread_cond_t changed;
    struct command *first, **last;
    size_t waiting, eager;
    size_t last_len; /* of the group before; writer thread */
    bool stopping;

    pthread_t checkpointer;
    struct db copy;       /* checkpointer thread */
    pthread_cond_t grown; /* under lock, with the next */
    bool copy_wanted;
    int wal_copied, wal_restart; /* writer thread */
};

/* -- writer.c -- */

/** Zeroed; aborts when out of memory. */
void *command_new(size_t size);
/** Queue a command.  false when it is droppable and too many wait: nothing was
 * taken over.  Threads: core. */
bool command_send(struct ledger *ledger, struct command *command,
                  bool droppable);
void *command_copy(const void *bytes, size_t len);
/** realloc; aborts when out of memory. */
void *command_resize(void *memory, size_t size);
int writer_start(struct ledger *ledger);
void writer_stop(struct ledger *ledger);

/* -- group.c -- */

/** Run `len` commands from `first`; afterwards each has its result, and what
 * succeeded is durable.  Threads: writer. */
void group_run(struct ledger *ledger, struct command *first, size_t len);
/** Log and leave: after an I/O error nobody knows what is on the disk. */
_Noreturn void ledger_die(const char *what, int rc);

/* -- checkpoint.c -- */

int checkpoint_start(struct ledger *ledger);
void checkpoint_stop(struct ledger *ledger);
/** The writer's wal hook: a commit left `pages` pages in the log. */
int checkpoint_note(void *ledger, sqlite3 *handle, const char *name, int pages);

/* -- schema.c -- */

#define SCHEMA_APPLICATION_ID 0x58343032 /* "X402" */
#define SCHEMA_VERSION 13
/** Make an empty ledger in the empty file at `path`. */
bool schema_create(const char *path, char *error, size_t error_len);
/** Check that the open file is a ledger of ours and whole; bring it to our
 * version. */
bool schema_check(struct db *db, char *error, size_t error_len);

/* -- row.c -- */

/** pay_row, and what only the ledger wants to know. */
struct row {
    struct pay_row pay;
    bool taken;   /* the newest run was captured */
    bool started; /* and its first byte was sent */
    uint64_t charged_ms;
};
/** The row under a statement of ROW_COLUMNS. */
void row_read(struct db *db, sqlite3_stmt *stmt, struct row *out);
/** Step such a statement for one row, and end it. */
bool row_one(struct db *db, sqlite3_stmt *stmt, struct row *out);
bool row_by_id(struct db *db, int64_t id, struct row *out);
struct x402_rid rid_new(int64_t id);
int64_t rid_row(const struct x402_rid *rid);
bool row_by_rid(struct db *db, const struct x402_rid *rid, struct row *out);
bool row_by_key(struct db *db, const struct pay_key *key, struct row *out);
/** A row went from one state and run to another (0: it is new). */
void row_count(struct ledger *ledger, enum pay_state from, enum pay_run run,
               enum pay_state to, enum pay_run to_run);

/** What the sums and the settler's edges want of a row: less to read. */
struct money {
    int64_t id;
    enum pay_state state;
    enum pay_run run;
    enum pay_mode mode;
    uint64_t chain_id;
    struct x402_address asset, payer;
    struct x402_amount value;
    uint64_t block_number;
};
struct money money_of(const struct pay_row *row);
/** The row under a statement of MONEY_COLUMNS. */
void money_read(struct db *db, sqlite3_stmt *stmt, struct money *out);
struct money_list {
    struct money *row;
    size_t len, cap;
};
/** Read all rows of a statement; free list->row. */
struct money_list money_list(struct db *db, sqlite3_stmt *stmt);
/** CAPTURED, or RESERVED to be settled first. */
bool money_submittable(const struct money *row);

struct row_list {
    struct pay_row *row;
    size_t len, cap;
};
/** Read the wanted rows of a statement, LEDGER_LIST_MAX at most. */
void row_list_read(struct db *db, sqlite3_stmt *stmt,
                   bool (*is_wanted)(const void *arg, int64_t id),
                   const void *arg, struct row_list *out);
void row_list_free(struct row_list *list);

/* -- credit.c -- */

/** A row became open (RESERVED, CAPTURED, SUBMITTED), or stopped being it. */
void credit_open(struct ledger *ledger, const struct money *row);
void credit_close(struct ledger *ledger, const struct money *row);
/** A row became MINED in row->block_number, or stopped being it. */
void credit_mined(struct ledger *ledger, const struct money *row);
void credit_unmined(struct ledger *ledger, const struct money *row);
/** A response was delivered that can never be paid. */
void credit_lost(struct ledger *ledger, const struct money *row,
                 uint64_t now_ms);
/** A release takes one from the payer's bucket. */
void credit_release(struct ledger *ledger, const struct money *row,
                    uint64_t now_ms);
/** Sum up the rows that are there: once, before the first command. */
void credit_recall(struct ledger *ledger);
/** May this payer open one more?  X402_ERR_RATE, X402_ERR_FUNDS; *mode becomes
 * SETTLE_BEFORE where credit ends. */
enum x402_err credit_check(struct ledger *ledger,
                           const struct ledger_reserve *in,
                           enum pay_mode *mode);

/* -- settle.c -- */

/** An open row (submittable, or SUBMITTED) was paid in this block. */
void settle_mine(struct ledger *ledger, const struct money *row,
                 const struct ledger_block *block, uint64_t now_ms);
/** Is this transaction one that we signed? */
bool settle_is_own(struct ledger *ledger, const uint8_t tx_hash[32]);

/* -- debts.c -- */

bool debts_each(struct db *db, ledger_debt_cb cb, void *arg);

/* -- run.c -- */

/** The run of `row` ends without success: RESERVED is released, a charged row
 * becomes redeemable.  why: when, and how it came. */
void run_break(struct ledger *ledger, const struct row *row,
               const struct ledger_step *why);

/* -- commands with the plain callback -- */

struct plain {
    struct command head;
    ledger_cb cb;
    void *arg;
    enum x402_err err;
    int64_t payment;
};
void plain_fail(struct command *command, enum x402_err err);
void plain_deliver(struct command *command);

#endif
