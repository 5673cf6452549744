/* SPDX-License-Identifier: Apache-2.0 */
/* Opening a ledger: what is kept, what is refused, and that two daemons never
 * write one ledger. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ledger_test.h"

static bool
refused_with(const char *word)
{
    const char *message = test_refusal();

    if (message == NULL || strstr(message, word) == NULL)
        fprintf(stderr, "# %s\n", message != NULL ? message : "opened");
    return message != NULL && strstr(message, word) != NULL;
}

static void
make_ledger(void)
{
    struct ledger_reserve in = test_payment(1, 1, 1000);
    struct ledger_reserved out;

    test_folder();
    test_open();
    for (unsigned i = 1; i < 50; i++) {
        in = test_payment(i, i, 1000);
        out = test_reserve(&in);
        test_capture(&out.rid, NOW);
    }
    test_close();
}

static void
kept_over_a_restart(void)
{
    struct ledger_reserve in = test_payment(1, 1, 1000);
    struct ledger_stats before, after;
    struct ledger_reserved out;
    struct stat st;

    test_folder();
    test_open();
    out = test_reserve(&in);
    ledger_stats(test_ledger, &before);
    OK(before.count[PAY_RESERVED] == 1);
    test_close();
    OK(stat(test_path, &st) == 0 && (st.st_mode & 0777) == 0600);
    test_open();
    ledger_stats(test_ledger, &after);
    OK(memcmp(&before, &after, sizeof before) == 0);
    OK(test_reserve(&in).err == X402_ERR_IN_PROGRESS);
    OK(test_workers() == 1);
    OK(test_capture(&out.rid, NOW) == X402_OK);
    test_close();
    OK(test_sql("SELECT epoch FROM meta") == 2);
    OK(test_sql("SELECT epoch FROM payment") == 2);
}

static unsigned answered;

static void
on_reserved(void *arg, const struct ledger_reserved *out)
{
    (void)arg;
    answered += out->err == X402_OK;
}

static void
answered_before_it_closes(void)
{
    struct ledger_reserve in;

    test_folder();
    test_open();
    for (unsigned i = 0; i < 1000; i++) {
        in = test_payment(i, i, 1000);
        ledger_reserve(test_ledger, &in, on_reserved, NULL);
    }
    test_close();
    OK(answered == 1000);
    OK(test_sql("SELECT count(*) FROM payment") == 1000);
}

static void
two_daemons(void)
{
    test_folder();
    test_open();
    OK(refused_with("in use by another x402d"));
    test_close();
    OK(test_refusal() == NULL);
}

/* The lock failed somehow, and another daemon has raised the epoch. */
static void
fenced_off(void)
{
    int status;
    pid_t child;

    test_folder();
    test_open();
    test_close();
    fflush(stdout);
    child = fork();
    if (child == 0) {
        struct ledger_reserve in = test_payment(1, 1, 1000);

        freopen("/dev/null", "w", stderr);
        test_open();
        test_sql("UPDATE meta SET epoch = epoch + 1 RETURNING epoch");
        test_reserve(&in);
        _exit(0);
    }
    waitpid(child, &status, 0);
    OK(WIFEXITED(status) && WEXITSTATUS(status) == 2);
    OK(test_sql("SELECT count(*) FROM payment") == 0);
}

static void
write_file(const char *path, const void *bytes, size_t len, mode_t mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, mode);

    if (fd < 0 || write(fd, bytes, len) != (ssize_t)len)
        test_ok(false, "cannot write %s", path);
    close(fd);
    chmod(path, mode);
}

static void
files_that_are_not_ours(void)
{
    static const char text[] = "this is a text and not a ledger, but it is "
                               "longer than a header of SQLite has to be, and "
                               "so it goes on for a while";
    char other[300];

    test_folder();
    write_file(test_path, "", 0, 0600);
    OK(refused_with("is empty"));
    write_file(test_path, text, sizeof text, 0600);
    OK(refused_with("cannot be read") || refused_with("not a database"));
    unlink(test_path);
    test_sql("SELECT 1"); /* a connection does not make the file */
    snprintf(other, sizeof other, "%s-wal", test_path);
    write_file(other, "x", 1, 0600);
    OK(refused_with("its log"));
    unlink(other);
    snprintf(other, sizeof other, "%s.elsewhere", test_path);
    OK(symlink(other, test_path) == 0);
    OK(refused_with("symbolic link"));
    unlink(test_path);
    OK(mkdir(test_path, 0700) == 0);
    OK(test_refusal() != NULL);
    rmdir(test_path);
    OK(mkfifo(test_path, 0600) == 0);
    OK(refused_with("is not a file"));
    unlink(test_path);
}

static void
ledgers_that_are_not_ours(void)
{
    make_ledger();
    chmod(test_path, 0640);
    OK(refused_with("chmod 600"));
    chmod(test_path, 0600);
    test_sql("PRAGMA user_version = 99");
    OK(refused_with("newer"));
    test_sql("PRAGMA user_version = 0");
    OK(refused_with("not a ledger"));
    test_sql("PRAGMA user_version = 13");
    OK(test_refusal() == NULL);
    test_sql("PRAGMA application_id = 7");
    OK(refused_with("not a ledger"));
}

/* Each row is possible, their sum is not: somebody has changed them by hand. */
static void
rows_that_do_not_add_up(void)
{
    make_ledger();
    test_sql("UPDATE payment SET value = "
             "x'ffffffffffffffffffffffffffffffff"
             "ffffffffffffffffffffffffffffffff'");
    OK(refused_with("its rows do not add up"));
}

/* What version 1 had more or less, and its number: the file is brought to
 * today's. */
static void
an_old_ledger(void)
{
    make_ledger();
    test_sql("DROP TABLE claim");
    test_sql("CREATE TABLE mined (one)");
    test_sql("CREATE TABLE mined_total (one)");
    test_sql("CREATE TABLE total (one)");
    test_sql("ALTER TABLE payer ADD COLUMN open_all BLOB "
             "CHECK (length(open_all) = 32)");
    test_sql("ALTER TABLE payer ADD COLUMN open_after BLOB "
             "CHECK (length(open_after) = 32)");
    test_sql("DROP TABLE gift");
    test_sql("DROP TABLE key_gas");
    test_sql("DROP TABLE invoice");
    test_sql("DROP TABLE event");
    test_sql("ALTER TABLE payment DROP COLUMN delivered_ms");
    test_sql("ALTER TABLE batch DROP COLUMN mined_ms");
    test_sql("ALTER TABLE batch DROP COLUMN final_ms");
    test_sql("DROP TABLE invoice_cursor");
    test_sql("DROP TABLE mark");
    test_sql("ALTER TABLE meta DROP COLUMN outside");
    test_sql("DROP INDEX payment_permit2");
    test_sql("ALTER TABLE payment DROP COLUMN method");
    test_sql("ALTER TABLE payment DROP COLUMN asset");
    test_sql("ALTER TABLE payment DROP COLUMN facilitator");
    test_sql("ALTER TABLE payment DROP COLUMN charge");
    test_sql("ALTER TABLE payment DROP COLUMN sponsor");
    test_sql("ALTER TABLE payment DROP COLUMN was");
    test_sql("CREATE TRIGGER payment_edge BEFORE UPDATE OF state ON payment "
             "WHEN OLD.state = 3 AND NEW.state = 2 "
             "BEGIN SELECT RAISE(ABORT, 'not an edge'); END");
    test_sql("PRAGMA user_version = 1");
    OK(test_refusal() == NULL);
    OK(test_sql("PRAGMA user_version") == 13);
    OK(test_sql("SELECT count(*) FROM invoice_cursor") == 1);
    OK(test_sql("SELECT count(*) FROM payment") == 49);
    OK(test_sql("SELECT count(*) FROM payment WHERE was IS NULL") == 49);
    OK(test_sql("SELECT count(*) FROM sqlite_master "
                "WHERE name = 'payment_edge'") == 0);
    OK(test_sql("SELECT count(*) FROM pragma_table_info('payer') "
                "WHERE name LIKE 'open%'") == 0);
    test_open();
    OK(test_audit() == NULL);
    test_close();
}

/* Every page in turn is overwritten: never a start with less than there was. */
static void
damage(void)
{
    struct stat st;
    char *whole, *hurt;
    int opened = 0, refused = 0;
    FILE *file;

    make_ledger();
    if (stat(test_path, &st) != 0)
        return;
    whole = malloc((size_t)st.st_size);
    hurt = malloc((size_t)st.st_size);
    file = fopen(test_path, "rb");
    OK(fread(whole, 1, (size_t)st.st_size, file) == (size_t)st.st_size);
    fclose(file);
    for (long page = 0; page < st.st_size / 4096; page++) {
        memcpy(hurt, whole, (size_t)st.st_size);
        memset(hurt + page * 4096, 0x5a, 4096);
        write_file(test_path, hurt, (size_t)st.st_size, 0600);
        if (test_refusal() != NULL)
            refused++;
        else
            opened++;
    }
    OK(refused > 20 && opened == 0);
    write_file(test_path, whole, (size_t)st.st_size - 4096, 0600);
    OK(test_refusal() != NULL);
    write_file(test_path, whole, (size_t)st.st_size, 0600);
    OK(test_refusal() == NULL);
    free(whole);
    free(hurt);
}

static void
a_folder_that_is_not_there(void)
{
    test_folder();
    strcat(test_path, "/not/there");
    OK(test_refusal() != NULL);
}

static void (*const all[])(void) = {
    kept_over_a_restart,
    answered_before_it_closes,
    two_daemons,
    fenced_off,
    files_that_are_not_ours,
    ledgers_that_are_not_ours,
    rows_that_do_not_add_up,
    an_old_ledger,
    damage,
    a_folder_that_is_not_there,
};

int
main(void)
{
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        all[i]();
    return test_done();
}
