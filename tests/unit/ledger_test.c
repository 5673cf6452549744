/* SPDX-License-Identifier: Apache-2.0 */
/* See ledger_test.h. */
#include "ledger_test.h"

#include "ledger/internal.h"

#include <dirent.h>
#include <stdarg.h>
#include <stdio.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct core *test_core;
struct ledger *test_ledger;
char test_path[256];
uint64_t test_now_ms = NOW;

static int checks, failures;
static char folder[200];
static char message[512];

void
test_ok(bool ok, const char *why, ...)
{
    va_list args;

    checks++;
    failures += !ok;
    printf("%sok %d - ", ok ? "" : "not ", checks);
    va_start(args, why);
    vprintf(why, args);
    va_end(args);
    putchar('\n');
}

int
test_done(void)
{
    printf("1..%d\n", checks);
    return failures == 0 ? 0 : 1;
}

static void
remove_folder(void)
{
    DIR *dir = opendir(folder);
    struct dirent *entry;
    char path[512];

    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        unlink(path);
    }
    if (dir != NULL)
        closedir(dir);
    rmdir(folder);
}

void
test_folder(void)
{
    const char *base = getenv("TMPDIR");
    const char *quick = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    bool again = folder[0] != '\0';

    if (again)
        remove_folder();
    snprintf(folder, sizeof folder, "%s/x402-ledger-XXXXXX",
             base != NULL ? base : quick);
    if (mkdtemp(folder) == NULL) {
        perror("mkdtemp");
        exit(1);
    }
    snprintf(test_path, sizeof test_path, "%s/ledger", folder);
    if (!again)
        atexit(remove_folder);
}

void
test_open(void)
{
    if (test_core == NULL)
        test_core = core_new();
    test_ledger = ledger_open(test_core, test_path, message, sizeof message);
    if (test_ledger == NULL) {
        fprintf(stderr, "open: %s\n", message);
        exit(1);
    }
}

void
test_close(void)
{
    ledger_close(test_ledger);
    test_ledger = NULL;
    core_free(test_core);
    test_core = NULL;
}

const char *
test_refusal(void)
{
    struct core *core = core_new();
    struct ledger *other;

    message[0] = '\0';
    other = ledger_open(core, test_path, message, sizeof message);
    if (other != NULL)
        ledger_close(other);
    core_free(core);
    return other != NULL ? NULL : message;
}

void
test_wait(const int *flag)
{
    while (!*flag)
        uv_run(core_loop(test_core), UV_RUN_ONCE);
}

struct ledger_reserve
test_payment(unsigned payer, unsigned nonce, uint64_t value)
{
    struct ledger_reserve in;

    memset(&in, 0, sizeof in);
    in.origin = PAY_ORIGIN_GATEWAY;
    in.mode = PAY_SETTLE_AFTER;
    in.wire = X402_WIRE_V2;
    in.chain_id = CHAIN;
    memset(in.asset.byte, 0xa5, sizeof in.asset.byte);
    memset(in.auth.from.byte, 0x11, sizeof in.auth.from.byte);
    memcpy(in.auth.from.byte, &payer, sizeof payer);
    memset(in.auth.to.byte, 0x99, sizeof in.auth.to.byte);
    in.auth.value = x402_amount_of(value);
    in.auth.valid_after_s = NOW / 1000 - 600;
    in.auth.valid_before_s = NOW / 1000 + 300;
    memcpy(in.auth.nonce, &nonce, sizeof nonce);
    memset(in.signature, 0x51, 65);
    in.signature_len = 65;
    memset(in.fingerprint, 0xf0, sizeof in.fingerprint);
    strcpy(in.resource, "https://api.example.com/paid");
    memset(in.worker, 0x77, sizeof in.worker);
    in.balance = x402_amount_of(1000000);
    in.block_number = 100;
    in.head_number = 100;
    in.confirmations = 2;
    in.limits.payer = x402_amount_of(1000000);
    in.limits.total = x402_amount_of(50000000);
    in.now_ms = NOW;
    return in;
}

struct pay_key
test_key(const struct ledger_reserve *in)
{
    struct pay_key key = {.chain_id = in->chain_id,
                          .contract = in->asset,
                          .payer = in->auth.from};

    memcpy(key.nonce, in->auth.nonce, sizeof key.nonce);
    return key;
}

/* -- waiting for answers -- */

struct answer {
    int done;
    enum x402_err err;
    int64_t payment;
    struct ledger_reserved reserved;
};

static void
on_reserved(void *arg, const struct ledger_reserved *out)
{
    struct answer *answer = arg;

    answer->reserved = *out;
    answer->done = 1;
}

static void
on_plain(void *arg, enum x402_err err, int64_t payment)
{
    struct answer *answer = arg;

    answer->err = err;
    answer->payment = payment;
    answer->done = 1;
}

static enum x402_err
result(struct answer *answer)
{
    test_wait(&answer->done);
    return answer->err;
}

struct ledger_reserved
test_reserve(const struct ledger_reserve *in)
{
    struct answer answer = {0};

    ledger_reserve(test_ledger, in, on_reserved, &answer);
    test_wait(&answer.done);
    return answer.reserved;
}

enum x402_err
test_capture(const struct x402_rid *rid, uint64_t now_ms)
{
    struct answer answer = {0};

    ledger_capture(test_ledger, rid, NULL, now_ms, 20, on_plain, &answer);
    return result(&answer);
}

enum x402_err
test_release(const struct x402_rid *rid, uint64_t now_ms)
{
    struct answer answer = {0};

    ledger_release(test_ledger, rid, 500, now_ms, on_plain, &answer);
    return result(&answer);
}

enum x402_err
test_started(const struct x402_rid *rid)
{
    struct answer answer = {0};

    ledger_started(test_ledger, rid, on_plain, &answer);
    return result(&answer);
}

enum x402_err
test_finish(const struct x402_rid *rid, enum x402_till_end end, uint64_t now_ms)
{
    struct answer answer = {0};

    ledger_done(test_ledger, rid, end, now_ms, on_plain, &answer);
    return result(&answer);
}

enum x402_err
test_lease_end(const uint8_t worker[16], const struct x402_rid *rids,
               size_t len, uint64_t now_ms)
{
    struct answer answer = {0};

    ledger_lease_end(test_ledger, worker, rids, len, now_ms, on_plain, &answer);
    return result(&answer);
}

/* -- settlement -- */

static void
number(uint8_t out[32], unsigned n)
{
    memset(out, 0xcc, 32);
    memcpy(out, &n, sizeof n);
}

static int64_t
submit(int64_t batch, unsigned tx, const int64_t *payments, size_t len,
       enum x402_err *err)
{
    static const uint8_t raw[] = {2, 0xf8, 0x6b};
    struct answer answer = {0};
    struct ledger_tx t = {.batch_id = batch,
                          .chain_id = CHAIN,
                          .account_nonce = 7,
                          .max_fee = x402_amount_of(1000),
                          .max_priority_fee = x402_amount_of(10),
                          .gas_limit = 21000,
                          .raw = raw,
                          .raw_len = sizeof raw,
                          .payments = payments,
                          .payments_len = len};

    number(t.hash, tx);
    ledger_submit(test_ledger, &t, test_now_ms, on_plain, &answer);
    *err = result(&answer);
    return *err == X402_OK ? answer.payment : 0;
}

int64_t
test_submit(unsigned tx, const int64_t *payments, size_t len)
{
    enum x402_err err;

    return submit(0, tx, payments, len, &err);
}

enum x402_err
test_replace(int64_t batch, unsigned tx)
{
    enum x402_err err;

    submit(batch, tx, NULL, 0, &err);
    return err;
}

enum x402_err
test_mined(int64_t batch, unsigned tx, uint64_t block,
           const struct ledger_outcome *outcomes, size_t len)
{
    struct answer answer = {0};
    uint8_t hash[32], block_hash[32];

    number(hash, tx);
    number(block_hash, (unsigned)block);
    ledger_mined(test_ledger, batch, hash, block, block_hash, outcomes, len,
                 test_now_ms, on_plain, &answer);
    return result(&answer);
}

enum x402_err
test_paid_by(int64_t payment, unsigned tx, uint64_t block)
{
    struct answer answer = {0};
    uint8_t hash[32], block_hash[32];

    number(hash, tx);
    number(block_hash, (unsigned)block);
    ledger_paid_by(test_ledger, payment, hash, block, block_hash, test_now_ms,
                   on_plain, &answer);
    return result(&answer);
}

enum x402_err
test_unmined(unsigned tx)
{
    struct answer answer = {0};
    uint8_t hash[32];

    number(hash, tx);
    ledger_unmined(test_ledger, hash, test_now_ms, on_plain, &answer);
    return result(&answer);
}

enum x402_err
test_requeue(int64_t batch)
{
    struct answer answer = {0};

    ledger_requeue(test_ledger, batch, test_now_ms, on_plain, &answer);
    return result(&answer);
}

enum x402_err
test_final(unsigned tx)
{
    struct answer answer = {0};
    uint8_t hash[32];

    number(hash, tx);
    ledger_final(test_ledger, hash, test_now_ms, on_plain, &answer);
    return result(&answer);
}

enum x402_err
test_failed(int64_t payment, enum x402_err reason)
{
    struct answer answer = {0};

    ledger_failed(test_ledger, payment, reason, test_now_ms, on_plain, &answer);
    return result(&answer);
}

/* -- lists -- */

static struct pay_row listed[64];
static size_t listed_len;
static int listed_done;

static void
on_rows(void *arg, const struct pay_row *rows, size_t len)
{
    (void)arg;
    listed_len = len;
    for (size_t i = 0; i < len && i < 64; i++)
        listed[i] = rows[i];
    listed_done = 1;
}

const struct pay_row *
test_due_but(const int64_t *but, size_t but_len, size_t limit, size_t *len)
{
    listed_done = 0;
    ledger_due(test_ledger, CHAIN, limit, but, but_len, on_rows, NULL);
    test_wait(&listed_done);
    *len = listed_len;
    return listed;
}

const struct pay_row *
test_in_state(enum pay_state state, size_t *len)
{
    listed_done = 0;
    ledger_in_state(test_ledger, CHAIN, state, 64, on_rows, NULL);
    test_wait(&listed_done);
    *len = listed_len;
    return listed;
}

static void
on_workers(void *arg, const uint8_t (*workers)[16], size_t len)
{
    (void)arg;
    (void)workers;
    listed_len = len;
    listed_done = 1;
}

size_t
test_workers(void)
{
    listed_done = 0;
    ledger_workers(test_ledger, on_workers, NULL);
    test_wait(&listed_done);
    return listed_len;
}

static void
on_txs(void *arg, const struct ledger_batch_tx *txs, size_t len)
{
    (void)arg;
    (void)txs;
    listed_len = len;
    listed_done = 1;
}

size_t
test_open_txs(void)
{
    listed_done = 0;
    ledger_open_txs(test_ledger, CHAIN, on_txs, NULL);
    test_wait(&listed_done);
    return listed_len;
}

struct pay_row
test_get(int64_t payment)
{
    struct pay_row row;

    memset(&row, 0, sizeof row);
    (void)ledger_get(test_ledger, payment, &row);
    return row;
}

/* -- looking into the file -- */

/* The last 8 bytes of an amount: tests stay below 2^63. */
static void
u64_of(sqlite3_context *context, int count, sqlite3_value **values)
{
    const unsigned char *bytes = sqlite3_value_blob(values[0]);
    int64_t out = 0;

    (void)count;
    if (bytes == NULL || sqlite3_value_bytes(values[0]) != 32) {
        sqlite3_result_error(context, "not an amount", -1);
        return;
    }
    for (int i = 24; i < 32; i++)
        out = out << 8 | bytes[i];
    sqlite3_result_int64(context, out);
}

int64_t
test_sql(const char *sql)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *stmt = NULL;
    int64_t out = -1;

    if (sqlite3_open_v2(test_path, &db, SQLITE_OPEN_READWRITE, NULL) ==
        SQLITE_OK) {
        sqlite3_busy_timeout(db, 2000);
        sqlite3_create_function(db, "u64", 1, SQLITE_UTF8, NULL, u64_of, NULL,
                                NULL);
        if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) != SQLITE_OK)
            fprintf(stderr, "%s: %s\n", sql, sqlite3_errmsg(db));
        else if (sqlite3_step(stmt) == SQLITE_ROW)
            out = sqlite3_column_int64(stmt, 0);
        sqlite3_finalize(stmt);
    }
    sqlite3_close(db);
    return out;
}

static const struct {
    const char *what;
    const char *sql; /* counts what is wrong */
} audits[] = {
    {"losses", "SELECT coalesce((SELECT sum(u64(lost)) FROM payer), 0) <> "
               "coalesce((SELECT sum(u64(value)) FROM loss), 0)"},
    {"lost rows that are not failed",
     "SELECT count(*) FROM loss l JOIN payment q ON q.id = l.payment "
     "WHERE q.state <> 7 OR q.runs = 0"},
    {"submitted rows without an open batch",
     "SELECT count(*) FROM payment q LEFT JOIN batch b ON b.id = q.batch "
     "WHERE q.state = 4 AND (b.id IS NULL OR b.closed = 1)"},
    {"the file", "SELECT count(*) FROM pragma_integrity_check "
                 "WHERE integrity_check <> 'ok'"},
};

/* upto moves less than was signed */
#define MOVED "ifnull(charge, value)"
/* One account in the writer's memory against the rows of the file. */
static bool
adds_up(const struct account *account)
{
    char where[280], sql[760], *at = where;
    uint64_t all, after;
    bool total = x402_address_is_zero(&account->key.payer);

    at += sprintf(at, "coalesce(asset, contract) = x'");
    for (int i = 0; i < 20; i++)
        at += sprintf(at, "%02x", account->key.asset.byte[i]);
    at += sprintf(at, "' AND chain_id = %" PRIu64, account->key.chain_id);
    if (!total) {
        at += sprintf(at, " AND payer = x'");
        for (int i = 0; i < 20; i++)
            at += sprintf(at, "%02x", account->key.payer.byte[i]);
        sprintf(at, "'");
    } else if (!x402_amount_is_zero(&account->open_all)) {
        return false;
    }
#define SUM(column, more)                                                      \
    (snprintf(sql, sizeof sql,                                                 \
              "SELECT coalesce(sum(" column "), 0) FROM payment WHERE " more   \
              " AND %s",                                                       \
              where),                                                          \
     (uint64_t)test_sql(sql))
    if (!x402_amount_u64(&all, &account->open_all) ||
        !x402_amount_u64(&after, &account->open_after) ||
        account->open != SUM("1", "state IN (1, 3, 4)") ||
        after != SUM("u64(" MOVED ")", "state IN (1, 3, 4) AND mode = 1"))
        return false;
    if (!total && all != SUM("u64(" MOVED ")", "state IN (1, 3, 4)"))
        return false;
    for (size_t i = 0; i < account->mined_len; i++) {
        const struct block_sum *sum = &account->mined[i];
        char block[128];

        sprintf(block, " AND block_number = %" PRIu64, sum->block);
        strcat(where, block);
        if (!x402_amount_u64(&all, &sum->all) ||
            !x402_amount_u64(&after, &sum->after) ||
            sum->n != SUM("1", "state = 5") ||
            after != SUM("u64(" MOVED ")", "state = 5 AND mode = 1") ||
            (!total && all != SUM("u64(" MOVED ")", "state = 5")))
            return false;
        where[strlen(where) - strlen(block)] = '\0';
    }
#undef SUM
    return account->open > 0 || account->mined_len > 0;
}

/* The writer is idle: nothing that was asked is unanswered. */
static const char *
audit_accounts(const struct accounts *accounts)
{
    int64_t payers = 0, blocks = 0;

    for (size_t i = 0; i < accounts->buckets; i++)
        for (const struct account *at = accounts->bucket[i]; at != NULL;
             at = at->next) {
            if (!adds_up(at))
                return "an account in memory";
            if (x402_address_is_zero(&at->key.payer))
                continue;
            payers++;
            blocks += (int64_t)at->mined_len;
        }
    if (payers != test_sql("SELECT count(*) FROM (SELECT DISTINCT payer, "
                           "coalesce(asset, contract), chain_id FROM payment "
                           "WHERE state IN (1, 3, 4, 5))"))
        return "payers without an account";
    if (blocks != test_sql("SELECT count(*) FROM (SELECT DISTINCT payer, "
                           "ifnull(asset, contract), chain_id, block_number "
                           "FROM payment WHERE state = 5)"))
        return "mined rows without an account";
    return NULL;
}

const char *
test_audit(void)
{
    for (size_t i = 0; i < sizeof audits / sizeof *audits; i++)
        if (test_sql(audits[i].sql) != 0)
            return audits[i].what;
    return test_ledger == NULL ? NULL : audit_accounts(&test_ledger->accounts);
}
