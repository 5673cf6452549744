/* SPDX-License-Identifier: Apache-2.0 */
/* The edges of a payment's states as the file itself guards them: whatever
 * statement comes, ours or another's, a row never takes an edge that
 * docs/states.md does not have. */
#include <stdio.h>
#include <string.h>

#include "ledger/internal.h"
#include "ledger_test.h"

/* docs/states.md, by number: from the row to each digit */
static const char *const edges[PAY_FAILED + 1] = {
    [PAY_RESERVED] = "2345", [PAY_RELEASED] = "13", [PAY_CAPTURED] = "457",
    [PAY_SUBMITTED] = "357", [PAY_MINED] = "346",   [PAY_FINAL] = "",
    [PAY_FAILED] = "",
};

static bool
is_edge(int from, int to)
{
    return from == to || strchr(edges[from], '0' + to) != NULL;
}

/* A row that may stand in every state: it has a run, a transaction, a block. */
static void
put_row(int state)
{
    char sql[512];

    snprintf(sql, sizeof sql,
             "UPDATE payment SET was = NULL, state = %d, run = 1, "
             "rid = zeroblob(16), worker = zeroblob(16), tx = zeroblob(32), "
             "block_number = 1, block_hash = zeroblob(32)",
             state);
    test_sql(sql);
    snprintf(sql, sizeof sql, "UPDATE payment SET was = state");
    test_sql(sql);
}

static bool
stands_in(int state)
{
    return test_sql("SELECT state FROM payment") == state;
}

static bool
takes(const char *set, int to)
{
    char sql[128];

    snprintf(sql, sizeof sql, "UPDATE payment SET %sstate = %d", set, to);
    test_sql(sql);
    return stands_in(to);
}

static void
every_pair(void)
{
    for (int from = PAY_RESERVED; from <= PAY_FAILED; from++) {
        for (int to = PAY_RESERVED; to <= PAY_FAILED; to++) {
            put_row(from);
            test_ok(stands_in(from) &&
                        takes("was = state, ", to) == is_edge(from, to),
                    "%d to %d %s", from, to,
                    is_edge(from, to) ? "is an edge" : "is refused");
            put_row(from);
            test_ok(takes("", to) == is_edge(from, to),
                    "%d to %d by somebody who does not know of it", from, to);
        }
    }
}

static const char *const texts[] = {
#define TEXT(name, text) text,
    STATEMENTS(TEXT)
#undef TEXT
};

/* Ours say `was = state` beside every new state, and never anything else of
 * `was`; their WHERE names the states that they leave. */
static void
every_statement(void)
{
    unsigned seen = 0;

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        const char *where = strstr(texts[i], " WHERE ");
        const char *to = strstr(texts[i], EDGE_TO);
        const char *state = strstr(texts[i], "state = ");

        if (strncmp(texts[i], "UPDATE payment SET ", 19) != 0)
            continue;
        seen += to != NULL;
        test_ok(to != NULL ? state == to + strlen("was = state, ") &&
                                 to < where && strstr(where, "state") != NULL
                           : state == NULL || state > where,
                "%.60s", texts[i]);
        test_ok(to == NULL || strstr(to + strlen(EDGE_TO), "was") == NULL,
                "only once: %.60s", texts[i]);
    }
    OK(seen >= 12);
}

int
main(void)
{
    struct ledger_reserve in = test_payment(1, 1, 1000);

    test_folder();
    test_open();
    OK(test_reserve(&in).err == X402_OK);
    test_close();
    every_pair();
    every_statement();
    return test_done();
}
