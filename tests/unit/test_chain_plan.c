/* SPDX-License-Identifier: Apache-2.0 */
/* Who may stand beside whom in one aggregate. */
#include "chain/plan.h"
#include "test.h"

#define ITEMS_MAX 12

/* Payments as text: "ab" is a to b, "ab!" by a contract, "ab-" apart. */
static const struct {
    const char *why;
    const char *items[ITEMS_MAX];
    size_t cap;
    const char *want; /* indexes */
} rows[] = {
    {"nothing", {NULL}, 10, ""},
    {"one", {"az"}, 10, "0"},
    {"many payers, one payee", {"az", "bz", "cz"}, 10, "012"},
    {"many of one payer", {"az", "az", "az"}, 10, "012"},
    {"as many as fit", {"az", "bz", "cz"}, 2, "01"},
    {"no room at all", {"az"}, 0, ""},
    {"a payer who is paid stays behind", {"az", "bz", "za", "cz"}, 10, "013"},
    {"whoever pays a payer too", {"ab", "bc", "dz"}, 10, "02"},
    {"paying oneself", {"aa", "bz"}, 10, "01"},
    {"paying oneself, and another one", {"aa", "az", "bz"}, 10, "02"},
    {"a contract goes alone", {"az!", "bz", "cz"}, 10, "0"},
    {"nobody takes a contract along", {"az", "bz!", "cz"}, 10, "02"},
    {"apart from his others", {"az-", "az", "bz", "az-"}, 10, "02"},
    {"apart from his others, behind them", {"az", "az-", "bz"}, 10, "02"},
    {"apart, but not from everybody", {"az-", "bz-", "cz"}, 10, "012"},
};

static struct x402_authorization auths[ITEMS_MAX];
static const struct x402_address asset = {{1}};

static struct plan_item
item_of(size_t i, const char *text)
{
    memset(&auths[i], 0, sizeof auths[i]);
    auths[i].from.byte[19] = (uint8_t)text[0];
    auths[i].to.byte[19] = (uint8_t)text[1];
    return (struct plan_item){
        .payment = {.asset = &asset, .auth = &auths[i]},
        .alone = strchr(text, '!') != NULL,
        .apart = strchr(text, '-') != NULL,
    };
}

int
main(void)
{
    for (size_t r = 0; r < TEST_LEN(rows); r++) {
        struct plan_item items[ITEMS_MAX];
        size_t which[ITEMS_MAX], n = 0, len;
        char got[ITEMS_MAX + 1];

        while (n < ITEMS_MAX && rows[r].items[n] != NULL) {
            items[n] = item_of(n, rows[r].items[n]);
            n++;
        }
        len = plan_group(which, rows[r].cap, items, n);
        for (size_t i = 0; i < len; i++)
            got[i] = (char)('0' + which[i]);
        got[len] = '\0';
        test_text(got, rows[r].want, rows[r].why);
    }
    return test_done();
}
