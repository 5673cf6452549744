/* SPDX-License-Identifier: Apache-2.0 */
/* The catalogue's file: who may change a listing, what is counted, when it is
 * gone, and that a search stays quick.  X402_BAZAAR_LISTINGS says among how
 * many listings (10,000). */
#include <time.h>

#include "bazaar/store.h"
#include "log.h"
#include "test.h"

#define DAY_MS 86400000ULL
#define NOW_MS (20000 * DAY_MS)

static struct store *store;
static char path[] = "/tmp/x402-bazaar-XXXXXX";

static void
make_listing(struct listing *out, const char *host, unsigned n,
             const char *description, const char *payee)
{
    static const struct guard guard = {.what = "test"};
    char url[200], why[160];
    json_t *resource, *accepts;
    struct listing_source source = {.version = 2};

    snprintf(url, sizeof(url), "https://%s.example/%u", host, n);
    resource = json_pack("{s:s,s:s,s:[s]}", "url", url, "description",
                         description, "tags", n % 2 ? "odd" : "even");
    accepts =
        json_pack("[{s:s,s:s,s:s,s:s,s:s,s:i}]", "scheme", "exact", "network",
                  n % 10 == 0 ? "eip155:84532" : "eip155:8453", "amount",
                  n % 3 ? "1000" : "5000000", "asset",
                  n % 10 == 0 ? "0x036CbD53842c5426634e7929541eC2318f3dCF7e"
                              : "0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913",
                  "payTo", payee, "maxTimeoutSeconds", 60);
    source.resource = resource;
    source.accepts = accepts;
    if (!listing_read(out, why, sizeof(why), &source, &guard)) {
        printf("Bail out! %s\n", why);
        exit(1);
    }
    json_decref(resource);
    json_decref(accepts);
}

static json_t *
ask(const struct store_question *question)
{
    size_t len;
    char *text = store_answer(store, question, &len);
    json_t *json = text != NULL ? json_loadb(text, len, 0, NULL) : NULL;

    free(text);
    if (json == NULL) {
        printf("Bail out! no answer\n");
        exit(1);
    }
    return json;
}

static json_t *
search(const char *query)
{
    struct store_question q = {
        .ask = STORE_SEARCH, .max_price_micro = -1, .limit = 20};

    snprintf(q.query, sizeof(q.query), "%s", query);
    return ask(&q);
}

static size_t
found(const char *query)
{
    json_t *json = search(query);
    size_t n = json_array_size(json_object_get(json, "resources"));

    json_decref(json);
    return n;
}

static json_int_t
quality(const char *query, const char *key)
{
    json_t *json = search(query);
    json_t *one = json_array_get(json_object_get(json, "resources"), 0);
    json_int_t n = json_integer_value(
        json_object_get(json_object_get(one, "quality"), key));

    json_decref(json);
    return n;
}

#define ONE "0x1111111111111111111111111111111111111111"
#define TWO "0x2222222222222222222222222222222222222222"

static bool
put(const struct listing *listing, enum store_origin origin, uint64_t now_ms)
{
    char why[160];

    return store_put(store, listing, origin, now_ms, why, sizeof(why));
}

static void
test_whose(void)
{
    static struct listing mine, theirs;

    make_listing(&mine, "shop", 1, "gloves", ONE);
    make_listing(&theirs, "shop", 1, "stolen", TWO);
    test_ok(put(&mine, STORE_SAID, NOW_MS), "a payment lists");
    test_ok(!put(&theirs, STORE_SAID, NOW_MS),
            "another payee's payment does not take it over");
    test_ok(found("stolen") == 0 && found("gloves") == 1, "nor its words");
    test_ok(put(&theirs, STORE_READ, NOW_MS), "its own 402 does");
    test_ok(found("stolen") == 1 && found("gloves") == 0, "and its words go");
    make_listing(&theirs, "shop", 1, "hearsay", TWO);
    test_ok(put(&theirs, STORE_SAID, NOW_MS) && found("hearsay") == 0,
            "a payment changes nothing that was read at the URL");
}

static void
test_quality(void)
{
    struct store_row row;
    uint8_t payer[20] = {1};

    if (!store_find_url(store, &row, "https://shop.example/1"))
        abort();
    store_paid(store, row.id, payer, NOW_MS);
    store_paid(store, row.id, payer, NOW_MS + DAY_MS);
    payer[0] = 2;
    store_paid(store, row.id, payer, NOW_MS + 20 * DAY_MS);
    test_ok(quality("stolen", "l30DaysTotalCalls") == 3, "three payments");
    test_ok(quality("stolen", "l30DaysUniquePayers") == 2, "two payers");
    store_sweep(store, NOW_MS + 31 * DAY_MS);
    test_ok(quality("stolen", "l30DaysTotalCalls") == 2,
            "a day leaves the count after 30 days");
    store_sweep(store, NOW_MS + 40 * DAY_MS);
    test_ok(quality("stolen", "l30DaysTotalCalls") == 1, "and the next one");
    test_ok(quality("stolen", "l30DaysUniquePayers") == 1, "a payer too");
}

static void
test_expiry(void)
{
    test_ok(store_sweep(store, NOW_MS + 50 * DAY_MS) == 0 &&
                found("stolen") == 1,
            "30 days after its last payment a listing is there");
    test_ok(store_sweep(store, NOW_MS + 50 * DAY_MS + 1) == 1 &&
                found("stolen") == 0 && store_count(store) == 0,
            "a moment later it is gone");
}

/* -- many -- */

static const char *const words[] = {
    "weather", "forecast", "city",   "image",  "translate", "text",  "price",
    "stock",   "market",   "data",   "search", "news",      "music", "map",
    "route",   "hotel",    "recipe", "code",   "review",    "audio"};

static void
fill(unsigned n)
{
    static struct listing listing;
    char about[200], payee[64], host[32];

    for (unsigned i = 0; i < n; i++) {
        if (i % 1000 == 0 && !store_begin(store))
            abort();
        /* "common" stands in all of them, "rare%u" in one of a thousand */
        snprintf(about, sizeof(about), "common %s %s for %s, rare%u",
                 words[i % 20], words[(i / 20) % 20], words[(i / 400) % 20],
                 i / 1000);
        snprintf(payee, sizeof(payee), "0x%040x", i / 400 + 1);
        snprintf(host, sizeof(host), "h%u", i / 100);
        make_listing(&listing, host, i, about, payee);
        if (!put(&listing, STORE_READ, NOW_MS))
            abort();
        if ((i % 1000 == 999 || i == n - 1) && !store_commit(store))
            abort();
    }
}

static double
milliseconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void
test_speed(unsigned n, bool timed)
{
    static const struct {
        const char *why, *query, *network, *tag;
        int64_t price;
        unsigned offset;
        enum store_ask ask;
    } rows[] = {
        {"one common word", "common", NULL, NULL, -1, 0, STORE_SEARCH},
        {"two words", "weather city", NULL, NULL, -1, 0, STORE_SEARCH},
        {"four words", "common weather forecast city", NULL, NULL, -1, 0,
         STORE_SEARCH},
        {"a rare word", "rare3", NULL, NULL, -1, 0, STORE_SEARCH},
        {"words that nothing has", "zebra umbrella", NULL, NULL, -1, 0,
         STORE_SEARCH},
        {"a beginning", "com", NULL, NULL, -1, 0, STORE_SEARCH},
        {"a network", "common", "eip155:84532", NULL, -1, 0, STORE_SEARCH},
        {"a tag that excludes the network", "common", "eip155:84532", "odd", -1,
         0, STORE_SEARCH},
        {"a price that nothing has", "common", NULL, NULL, 1, 0, STORE_SEARCH},
        {"a price alone", "", NULL, NULL, 1, 0, STORE_SEARCH},
        {"everything", "", NULL, NULL, -1, 0, STORE_SEARCH},
        {"the list", "", NULL, NULL, -1, 0, STORE_LIST},
        {"the list of a network", "", "eip155:8453", NULL, -1, 0, STORE_LIST},
        {"the end of the list", "", NULL, NULL, -1, 999999, STORE_LIST},
        {"the end of a network's list", "", "eip155:8453", NULL, -1, 899999,
         STORE_LIST},
    };

    for (size_t i = 0; i < TEST_LEN(rows); i++) {
        struct store_question q = {.ask = rows[i].ask,
                                   .max_price_micro = rows[i].price,
                                   .limit = 20,
                                   .offset = rows[i].offset};
        double best = 1e9, begin;

        snprintf(q.query, sizeof(q.query), "%s", rows[i].query);
        if (rows[i].network != NULL)
            listing_term(q.filter[q.filter_len++], "network", rows[i].network);
        if (rows[i].tag != NULL)
            listing_term(q.filter[q.filter_len++], "tag", rows[i].tag);
        /* the better of two: another process may have had the processor */
        for (int run = 0; run < 2; run++) {
            double took;
            json_t *json;

            begin = milliseconds();
            json = ask(&q);
            took = milliseconds() - begin;
            best = took < best ? took : best;
            json_decref(json);
        }
        test_ok(!timed || best < 50, "%s among %u: %.1f ms", rows[i].why, n,
                best);
    }
}

int
main(void)
{
    const char *number = getenv("X402_BAZAAR_LISTINGS");
    unsigned n = number != NULL ? (unsigned)strtoul(number, NULL, 10) : 10000;
    char error[256];
    int fd = mkstemp(path);

    if (fd < 0)
        return 1;
    close(fd);
    log_open("error");
    store = store_open(path, error, sizeof(error));
    test_ok(store != NULL, "a new file");
    test_whose();
    test_quality();
    test_expiry();
    fill(n);
    test_ok(store_count(store) == n, "%u listings", n);
    test_speed(n, number != NULL); /* times are for a quiet machine */
    store_close(store);
    store = store_open(path, error, sizeof(error));
    test_ok(store != NULL && store_count(store) == n, "they are there again");
    store_close(store);
    for (size_t i = 0; i < 3; i++) {
        static const char *const ends[] = {"", "-wal", "-shm"};
        char name[64];

        snprintf(name, sizeof(name), "%s%s", path, ends[i]);
        unlink(name);
    }
    return test_done();
}
