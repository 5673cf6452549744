/* SPDX-License-Identifier: Apache-2.0 */
/* Crashes.  A child process works on the ledger and reports every answer it
 * gets; it is killed, or its disk, its power or its memory fails; then the
 * ledger is opened again, and whatever was answered must still be so.
 *
 *     test_ledger_crash [ROUNDS [PART]]   other than the 30 usual rounds of
 *                                         kill -9; one part of the table below
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "faulty_vfs.h"
#include "ledger_test.h"

#define PAYMENTS 24 /* of one child */
#define STAGES 6

/* What becomes of payment i, by i % 4; 0 ends. */
enum stage { RESERVED = 1, RELEASED, CAPTURED, SUBMITTED, MINED, FINAL };

static const enum stage paths[4][STAGES] = {
    {RESERVED, CAPTURED, SUBMITTED, MINED, FINAL, 0},
    {RESERVED, RELEASED, 0},
    {RESERVED, CAPTURED, 0},
    {RESERVED, CAPTURED, SUBMITTED, 0},
};

struct report {
    unsigned i;       /* which payment */
    unsigned reached; /* stages answered with X402_OK */
    int64_t id;
};

static struct {
    unsigned reached;
    int64_t id;
} seen[100000];
static unsigned base; /* of this round's payments */

/* -- the child -- */

static int out_fd;
static struct x402_rid rids[PAYMENTS];
static int64_t ids[PAYMENTS];
static unsigned pending, unavailable;

static void
tell(unsigned i, unsigned reached)
{
    struct report report = {base + i, reached, ids[i]};

    if (write(out_fd, &report, sizeof report) != sizeof report)
        _exit(7);
}

static void
on_reserved(void *arg, const struct ledger_reserved *out)
{
    unsigned i = (unsigned)(uintptr_t)arg;

    pending--;
    if (out->err != X402_OK) {
        unavailable++;
        return;
    }
    rids[i] = out->rid;
    ids[i] = out->payment;
    tell(i, 1);
}

static void
on_stage(void *arg, enum x402_err err, int64_t payment)
{
    unsigned both = (unsigned)(uintptr_t)arg;

    (void)payment;
    pending--;
    if (err == X402_OK) {
        tell(both / STAGES, both % STAGES);
    } else {
        ids[both / STAGES] = 0; /* it goes no further */
        unavailable++;
    }
}

static void
settle(unsigned i, enum stage stage, void *arg)
{
    struct ledger_outcome paid = {ids[i], true};
    static const uint8_t raw[600];
    uint8_t hash[32] = {0};
    struct ledger_tx tx = {.chain_id = CHAIN,
                           .account_nonce = base + i,
                           .raw = raw,
                           .raw_len = sizeof raw,
                           .payments = &ids[i],
                           .payments_len = 1};
    unsigned number = base + i + 1;

    memcpy(hash, &number, sizeof number);
    memcpy(tx.hash, hash, sizeof hash);
    if (stage == SUBMITTED) {
        ledger_submit(test_ledger, &tx, NOW, on_stage, arg);
    } else if (stage == MINED) {
        struct pay_row row = test_get(ids[i]);

        ledger_mined(test_ledger, row.batch_id, hash, 101, hash, &paid, 1, NOW,
                     on_stage, arg);
    } else {
        ledger_final(test_ledger, hash, NOW, on_stage, arg);
    }
}

static void
advance(unsigned i, unsigned at)
{
    enum stage stage = paths[i % 4][at];
    void *arg = (void *)(uintptr_t)(i * STAGES + at + 1);
    struct ledger_reserve in;

    if (stage != RESERVED && ids[i] == 0)
        return; /* it was refused */
    pending++;
    switch (stage) {
    case RESERVED:
        in = test_payment(i, base + i + 1, 10);
        in.limits.payer = in.limits.total = x402_amount_of(1000000000);
        in.balance = in.limits.payer;
        ledger_reserve(test_ledger, &in, on_reserved, (void *)(uintptr_t)i);
        return;
    case RELEASED:
        ledger_release(test_ledger, &rids[i], 0, NOW, on_stage, arg);
        return;
    case CAPTURED:
        ledger_capture(test_ledger, &rids[i], NULL, NOW, 20, on_stage, arg);
        return;
    case SUBMITTED:
    case MINED:
    case FINAL:
        settle(i, stage, arg);
        return;
    }
}

/* All payments, stage after stage, several commands in each commit. */
static void
work(void)
{
    for (unsigned at = 0; at < STAGES; at++) {
        for (unsigned i = 0; i < PAYMENTS; i++) {
            if (paths[i % 4][at] != 0)
                advance(i, at);
            if (i % 5 == 4 || i == PAYMENTS - 1)
                while (pending > 0)
                    uv_run(core_loop(test_core), UV_RUN_ONCE);
        }
    }
}

/* Exit codes: 0 all done, 2 the ledger gave up (its own), 3 it did not open,
 * 4 all done, with refusals. */
static void
child(int fd)
{
    char error[256];

    out_fd = fd;
    (void)!freopen("/dev/null", "w", stderr);
    test_core = core_new();
    test_ledger = ledger_open(test_core, test_path, error, sizeof error);
    if (test_ledger == NULL)
        _exit(3);
    work();
    test_close();
    _exit(unavailable > 0 ? 4 : 0);
}

/* -- the parent -- */

struct life {
    enum fault kind;
    unsigned n, seed;
    bool for_ever;
    unsigned kill_after_us; /* 0: not */
    const char *failpoint;
};

static void
hear(int fd)
{
    struct report report;

    while (read(fd, &report, sizeof report) == sizeof report) {
        seen[report.i].id = report.id;
        seen[report.i].reached = report.reached;
    }
}

/* One child's life; its status as of waitpid. */
static int
live(const struct life *life)
{
    int pipes[2], status;
    pid_t pid;

    if (pipe(pipes) != 0)
        exit(1);
    fflush(stdout);
    pid = fork();
    if (pid == 0) {
        close(pipes[0]);
        if (life->failpoint != NULL)
            setenv("X402D_DIE_AT", life->failpoint, 1);
        if (life->kind != FAULT_NONE)
            faulty_install(life->kind, life->n, life->for_ever, life->seed);
        child(pipes[1]);
    }
    close(pipes[1]);
    if (life->kill_after_us > 0) {
        usleep(life->kill_after_us);
        kill(pid, SIGKILL);
    }
    hear(pipes[0]);
    close(pipes[0]);
    waitpid(pid, &status, 0);
    return status;
}

static bool
is_at(const struct pay_row *row, enum stage stage)
{
    static const enum pay_state states[] = {
        0,         PAY_RESERVED, PAY_RELEASED, PAY_CAPTURED, PAY_SUBMITTED,
        PAY_MINED, PAY_FINAL};

    return row->state == states[stage];
}

/* What was answered stands; at most the next stage has begun as well. */
static bool
stands(unsigned i)
{
    const enum stage *path = paths[(i - base) % 4];
    unsigned reached = seen[i].reached;
    struct pay_row row = test_get(seen[i].id);

    if (reached == 0)
        return true;
    if (row.id != seen[i].id)
        return false;
    for (unsigned at = reached - 1; at < STAGES && path[at] != 0; at++)
        if (is_at(&row, path[at]))
            return true;
    return false;
}

/* Open again, compare, and clear the workers away as the till would. */
static const char *
check(void)
{
    const char *wrong = NULL;
    struct ledger_reserve in = test_payment(1, 1, 1);

    test_open();
    for (unsigned i = base; i < base + PAYMENTS && wrong == NULL; i++)
        if (!stands(i))
            wrong = "an answer was forgotten";
    test_lease_end(in.worker, NULL, 0, NOW);
    test_close();
    return wrong != NULL ? wrong : test_audit();
}

static void
next_round(void)
{
    base += PAYMENTS;
    if (base + PAYMENTS > sizeof seen / sizeof *seen)
        exit(1);
}

static void
make_ledger(void)
{
    test_folder();
    test_open();
    test_close();
    next_round();
}

/* -- kill -9 -- */

static void
killed_at_random(unsigned rounds)
{
    const char *wrong = NULL;
    unsigned killed = 0, life_us;
    uint64_t start;

    make_ledger();
    start = uv_hrtime();
    live(&(struct life){.kind = FAULT_NONE});
    life_us = (unsigned)((uv_hrtime() - start) / 1000);
    for (unsigned i = 0; i < rounds && wrong == NULL; i++) {
        uint32_t random;
        struct life life = {.kind = FAULT_NONE};
        int status;

        core_random(&random, sizeof random);
        life.kill_after_us = 500 + random % life_us;
        next_round();
        status = live(&life);
        if (WIFSIGNALED(status))
            killed++;
        else if (life_us > 4000)
            life_us -= life_us / 4; /* it was done before */
        wrong = check();
    }
    test_ok(wrong == NULL && killed > 0,
            "kill -9 at random, %u of %u times: %s", killed, rounds,
            wrong != NULL ? wrong : "nothing is lost");
}

#ifdef X402_MUTANTS
static const char *
killed_at(const char *name, unsigned *times)
{
    char failpoint[64];
    const char *wrong = NULL;
    int status = 0;

    for (unsigned n = 1; wrong == NULL; n++) {
        struct life life = {.failpoint = failpoint};

        snprintf(failpoint, sizeof failpoint, "%s:%u", name, n);
        if (strcmp(name, "before_migration") == 0)
            test_folder(); /* the child makes it */
        else
            make_ledger();
        next_round();
        status = live(&life);
        wrong = check();
        if (!WIFSIGNALED(status))
            break;
        ++*times;
    }
    return wrong;
}

static void
killed_at_every_commit(void)
{
    static const char *const names[] = {"before_commit", "after_commit",
                                        "before_migration", "after_checkpoint"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        unsigned times = 0;
        const char *wrong = killed_at(names[i], &times);

        test_ok(wrong == NULL && times > 0, "killed %u times at %s: %s", times,
                names[i], wrong != NULL ? wrong : "nothing is lost");
    }
}
#else
static void
killed_at_every_commit(void)
{
    test_ok(true, "killed at every commit # SKIP built without failpoints");
}
#endif

/* -- faults -- */

static bool
good_end(const struct life *life, int status)
{
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;

    switch (life->kind) {
    case FAULT_NONE:
        return code == 0;
    case FAULT_WRITE_IO:
    case FAULT_SYNC:
    case FAULT_READ:
        /* 0: it struck while closing, or a checkpoint read, or not at all */
        return code == 0 || code == 2 || code == 3 ||
               (code == 4 && life->kind == FAULT_READ); /* a look-up's */
    case FAULT_WRITE_FULL:
        return code == 0 || code == 3 || code == 4;
    case FAULT_POWER:
        return code == 0 || code == 5;
    case FAULT_MEMORY:
        return code == 0 || code == 2 || code == 3 || code == 4;
    }
    return false;
}

static void
sweep(const char *name, enum fault kind, bool for_ever, unsigned step,
      unsigned most)
{
    const char *wrong = NULL;
    unsigned struck = 0, n = 1;
    int status = 0;

    for (; n < most && wrong == NULL; n += n < 20 ? 1 : step) {
        struct life life = {
            .kind = kind, .n = n, .for_ever = for_ever, .seed = n};

        make_ledger();
        status = live(&life);
        if (!good_end(&life, status))
            wrong = "the process ended wrongly";
        struck += WIFEXITED(status) && WEXITSTATUS(status) != 0;
        if (wrong == NULL)
            wrong = check();
    }
    test_ok(wrong == NULL && struck > 10, "%s, %u times: %s (n = %u, %x)", name,
            struck, wrong != NULL ? wrong : "nothing is lost", n,
            (unsigned)status);
}

/* fsync that fails once and then says all is well is the end of the process:
 * "never retry-and-continue". */
static void
sync_fails_once(void)
{
    unsigned ended = 0;

    for (unsigned n = 1; n <= 10; n++) {
        struct life life = {.kind = FAULT_SYNC, .n = n};
        int status;

        make_ledger();
        status = live(&life);
        ended += WIFEXITED(status) &&
                 (WEXITSTATUS(status) == 2 || WEXITSTATUS(status) == 3);
    }
    test_ok(ended == 10, "a sync that fails ends the daemon, %u of 10", ended);
}

/* A real full disk: a small tmpfs. */
static void
full_disk(void)
{
    struct life life = {.kind = FAULT_NONE};
    char folder[256], filler[300];
    char block[4096] = {1};
    FILE *file;
    long size;
    int status, refused;

    test_folder();
    snprintf(folder, sizeof folder, "%s", test_path);
    *strrchr(folder, '/') = '\0';
    if (mount("tmpfs", folder, "tmpfs", 0, "size=8m") != 0) {
        test_ok(true, "full disk # SKIP %s", strerror(errno));
        return;
    }
    test_open();
    test_close();
    next_round();
    snprintf(filler, sizeof filler, "%s/filler", folder);
    file = fopen(filler, "w");
    while (fwrite(block, sizeof block, 1, file) == 1 && fflush(file) == 0)
        ;
    size = ftell(file);
    fclose(file);
    (void)!truncate(filler, size - 80 * 1024); /* room to start, not more */
    status = live(&life);
    refused = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    test_ok(refused == 4 || refused == 3, "full disk: refused (%d)", refused);
    unlink(filler);
    test_ok(check() == NULL, "full disk: nothing is lost");
    next_round();
    status = live(&life);
    test_ok(status == 0, "full disk: goes on when there is room (%x)", status);
    test_ok(check() == NULL, "full disk: and all is there");
    umount(folder);
}

/* -- all of them, or those that the command line names -- */

static unsigned rounds = 30;

static void
kills(void)
{
    killed_at_random(rounds);
    killed_at_every_commit();
}

static void
writes_fail(void)
{
    sweep("writes fail", FAULT_WRITE_IO, false, 9, 400);
    sweep("writes fail for ever", FAULT_WRITE_IO, true, 13, 400);
}

static void
disk_is_full(void)
{
    sweep("the disk is full once", FAULT_WRITE_FULL, false, 9, 400);
    sweep("the disk stays full", FAULT_WRITE_FULL, true, 13, 400);
    full_disk();
}

static void
reads_fail(void)
{
    sweep("reads fail", FAULT_READ, false, 9, 200);
}

static void
power_is_lost(void)
{
    sweep("power is lost", FAULT_POWER, false, 3, 500);
}

static void
memory_fails(void)
{
    sweep("memory fails", FAULT_MEMORY, false, 97, 6000);
}

static const struct {
    const char *name;
    void (*run)(void);
} parts[] = {
    {"kill", kills},          {"sync", sync_fails_once},
    {"write", writes_fail},   {"full", disk_is_full},
    {"read", reads_fail},     {"power", power_is_lost},
    {"memory", memory_fails},
};

int
main(int argc, char **argv)
{
    const char *only = argc > 2 ? argv[2] : NULL;

    if (argc > 1)
        rounds = (unsigned)strtoul(argv[1], NULL, 10);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (only == NULL || strcmp(only, parts[i].name) == 0)
            parts[i].run();
    }
    return test_done();
}
