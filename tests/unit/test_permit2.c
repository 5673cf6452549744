/* SPDX-License-Identifier: Apache-2.0 */
/* Permit2: digests, signatures and calldata against @x402/evm's types and
 * interfaces, and an authorization changed in any bit.  X402_PERMIT2_VECTORS
 * names a file with as many other rows as one likes. */
#include "test.h"

#include <x402/abi.h>
#include <x402/payment.h>

struct vector {
    struct x402_payment payment;
    struct x402_amount charge;
    struct x402_asset asset;
    bool sponsored;
    uint8_t key[32], separator[32], digest[32];
    uint8_t *sent, *data;
    size_t sent_len, data_len;
};

static struct x402_amount
amount(const json_t *row, const char *key)
{
    struct x402_amount out;

    test_need(x402_amount_parse(&out, x402_span_of(test_string(row, key))) ==
                  X402_OK,
              key);
    return out;
}

static uint64_t
seconds(const json_t *row, const char *key)
{
    struct x402_amount value = amount(row, key);
    uint64_t out = 0;

    test_need(x402_amount_u64(&out, &value), key);
    return out;
}

static struct x402_address
address(const json_t *row, const char *key)
{
    struct x402_address out;

    test_need(x402_address_parse_checked(
                  &out, x402_span_of(test_string(row, key))) == X402_OK,
              key);
    return out;
}

static void
read_sponsor(struct vector *v, const json_t *permit)
{
    struct x402_sponsor *sponsor = &v->payment.sponsor;
    struct x402_amount word;

    v->sponsored = json_is_object(permit);
    if (!v->sponsored)
        return;
    sponsor->kind = X402_SPONSOR_EIP2612;
    sponsor->len = X402_SPONSOR_MAX;
    word = amount(permit, "value");
    x402_amount_to_be32(sponsor->data, &word);
    word = amount(permit, "deadline");
    x402_amount_to_be32(sponsor->data + 32, &word);
    test_member(sponsor->data + 64, 32, permit, "r");
    test_member(sponsor->data + 96, 32, permit, "s");
    word = x402_amount_of(
        (uint64_t)json_integer_value(json_object_get(permit, "v")));
    x402_amount_to_be32(sponsor->data + 128, &word);
}

static void
read_vector(struct vector *v, const json_t *row)
{
    struct x402_payment *p = &v->payment;
    struct x402_amount nonce = amount(row, "nonce");

    memset(v, 0, sizeof *v);
    p->method = strcmp(test_string(row, "scheme"), "upto") == 0
                    ? X402_METHOD_PERMIT2_UPTO
                    : X402_METHOD_PERMIT2_EXACT;
    p->auth.from = address(row, "from");
    p->auth.to = address(row, "to");
    p->auth.value = amount(row, "amount");
    p->auth.valid_after_s = seconds(row, "validAfter");
    p->auth.valid_before_s = seconds(row, "deadline");
    x402_amount_to_be32(p->auth.nonce, &nonce);
    p->token = address(row, "token");
    p->facilitator = address(row, "facilitator");
    test_member(p->signature, 65, row, "signature");
    p->signature_len = 65;
    v->charge = amount(row, "charge");
    v->asset.chain_id =
        (uint64_t)json_integer_value(json_object_get(row, "chainId"));
    v->asset.address = p->token;
    read_sponsor(v, json_object_get(row, "permit2612"));
    test_member(v->key, 32, row, "key");
    test_member(v->separator, 32, row, "separator");
    test_member(v->digest, 32, row, "digest");
    v->sent = test_unhex(&v->sent_len, test_string(row, "sent"));
    v->data = test_unhex(&v->data_len, test_string(row, "data"));
}

static void
drop_vector(struct vector *v)
{
    free(v->sent);
    free(v->data);
}

static void
check_digest(const struct vector *v)
{
    static const uint8_t seed[32] = {1};
    const struct x402_payment *p = &v->payment;
    struct x402_signer signer;
    uint8_t bytes[65];

    x402_method_domain(bytes, p->method, &v->asset);
    test_bytes(bytes, 32, v->separator, 32, "Permit2's domain");
    x402_permit2_digest_in(bytes, p->method, &p->auth, &p->token,
                           &p->facilitator, v->separator);
    test_bytes(bytes, 32, v->digest, 32, "digest");
    test_need(x402_signer_open(&signer, v->key, seed) == X402_OK, "key");
    test_ok(x402_sign(bytes, &signer, v->digest) == X402_OK, "sign");
    test_bytes(bytes, 65, p->signature, 65, "the same signature as viem's");
    x402_signer_close(&signer);
    test_ok(x402_payment_verify(p, v->separator) == X402_OK, "verify");
}

static size_t
write_call(uint8_t *out, const struct vector *v)
{
    const struct x402_payment *p = &v->payment;
    struct x402_abi_permit2 call = {
        .method = p->method,
        .token = &p->token,
        .auth = &p->auth,
        .charge = &v->charge,
        .facilitator = &p->facilitator,
        .sponsor = v->sponsored ? &p->sponsor : NULL,
        .signature = v->sent,
        .signature_len = v->sent_len,
    };

    return x402_abi_settle(out, &call);
}

static bool
saw_it(const struct x402_abi_seen *seen, const struct vector *v)
{
    const struct x402_payment *p = &v->payment;
    bool upto = p->method == X402_METHOD_PERMIT2_UPTO;

    return seen->method == p->method && seen->with_permit == v->sponsored &&
           memcmp(&seen->auth, &p->auth, sizeof p->auth) == 0 &&
           x402_address_eq(&seen->token, &p->token) &&
           x402_amount_cmp(&seen->charge, upto ? &v->charge : &p->auth.value) ==
               0 &&
           (!upto || x402_address_eq(&seen->facilitator, &p->facilitator));
}

static void
check_call(const struct vector *v)
{
    static uint8_t out[X402_ABI_SETTLE_MAX];
    struct x402_abi_seen seen = {.with_permit = false};
    size_t len = write_call(out, v), n = 0;

    test_bytes(out, len, v->data, v->data_len, "the proxy's call");
    test_ok(x402_abi_inspect(&seen, &n, 1, out, len) == X402_OK && n == 1 &&
                saw_it(&seen, v),
            "read again by other code");
    out[3] ^= 1;
    test_ok(x402_abi_inspect(&seen, &n, 1, out, len) == X402_ERR_SYNTAX,
            "another function is not ours");
    out[3] ^= 1;
    test_ok(x402_abi_inspect(&seen, &n, 1, out, len - 32) == X402_ERR_SYNTAX,
            "a word less");
}

/* C18: "constant shape": a batch names its targets, nothing else passes. */
static void
check_batch(const struct vector *v)
{
    static uint8_t inner[X402_ABI_SETTLE_MAX];
    static uint8_t out[X402_ABI_SETTLE_MAX + 1024];
    struct x402_abi_call call = {
        .target = *x402_method_target(v->payment.method, &v->payment.token),
        .allow_failure = true,
        .data = inner,
        .data_len = write_call(inner, v),
    };
    struct x402_abi_seen seen = {.with_permit = false};
    size_t len = x402_abi_aggregate3(out, &call, 1), n = 0;

    test_ok(x402_abi_inspect(&seen, &n, 1, out, len) == X402_OK && n == 1 &&
                saw_it(&seen, v) && x402_address_eq(&seen.target, &call.target),
            "inside a batch");
}

static void
test_rows(json_t *rows)
{
    struct vector v;
    json_t *row;
    size_t i;

    json_array_foreach(rows, i, row)
    {
        read_vector(&v, row);
        check_digest(&v);
        check_call(&v);
        check_batch(&v);
        drop_vector(&v);
    }
    test_ok(i >= 100, "100 vectors or more");
    json_decref(rows);
}

/* What moves money must be under the signature: flip each bit of it. */
static void
test_every_bit(void)
{
    json_t *rows = test_vectors("viem/permit2.json");

    for (size_t scheme = 0; scheme < 2; scheme++) {
        struct vector v;
        struct x402_payment *p = &v.payment;
        struct {
            uint8_t *at;
            size_t len;
            bool signs;
        } part[] = {
            {p->auth.from.byte, 20, true},
            {p->auth.to.byte, 20, true},
            {p->auth.nonce, 32, true},
            {p->token.byte, 20, true},
            {p->facilitator.byte, 20, scheme == 1},
        };
        bool all = true;

        read_vector(&v, json_array_get(rows, scheme));
        for (size_t i = 0; i < sizeof part / sizeof part[0]; i++) {
            for (size_t bit = 0; bit < part[i].len * 8; bit++) {
                part[i].at[bit / 8] ^= (uint8_t)(1 << bit % 8);
                all = all && (x402_payment_verify(p, v.separator) == X402_OK) !=
                                 part[i].signs;
                part[i].at[bit / 8] ^= (uint8_t)(1 << bit % 8);
            }
        }
        p->auth.valid_after_s ^= 1;
        all = all && x402_payment_verify(p, v.separator) != X402_OK;
        p->auth.valid_after_s ^= 1;
        p->auth.valid_before_s ^= 1;
        all = all && x402_payment_verify(p, v.separator) != X402_OK;
        p->auth.valid_before_s ^= 1;
        p->method =
            scheme == 0 ? X402_METHOD_PERMIT2_UPTO : X402_METHOD_PERMIT2_EXACT;
        all = all && x402_payment_verify(p, v.separator) != X402_OK;
        test_ok(all, "every bit of %s counts", scheme == 0 ? "exact" : "upto");
        drop_vector(&v);
    }
    json_decref(rows);
}

/* -- the wire -- */

#define FROM "0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A"
#define TO "0x5CbDd86a2FA8Dc4bDdd8a8f69dBa48572EeC07FB"
#define ASSET "0x036CbD53842c5426634e7929541eC2318f3dCF7e"
#define OTHER "0x1563915e194D8CfBA1943570603F7606A3115508"
#define PERMIT2 "0x000000000022D473030F116dDEE9F6B43aC78BA3"
#define EXACT "0x402085c248EeA27D92E8b30b2C58ed07f9E20001"
#define UPTO "0x4020A4f3b7b90ccA423B9fabCc0CE57C6C240002"

static char sig[133];

struct shape {
    const char *scheme, *from, *token, *amount, *spender, *nonce, *deadline;
    const char *to, *facilitator, *after, *extra, *extensions;
};
static const struct shape good_exact = {
    "exact",
    FROM,
    ASSET,
    "3000",
    EXACT,
    "7",
    "1700000060",
    TO,
    NULL,
    "0",
    "{\"assetTransferMethod\":\"permit2\"}",
    "{}",
};
static const struct shape good_upto = {
    "upto",       FROM, ASSET, "3000", UPTO, "7",
    "1700000060", TO,   OTHER, "0",    "{}", "{}",
};

static enum x402_err
decode(struct x402_payment *out, const struct shape *s)
{
    static char text[8192], facilitator[128];
    json_t *object;
    enum x402_err err;

    memset(sig, '1', 132);
    memcpy(sig, "0x", 2);
    facilitator[0] = '\0';
    if (s->facilitator != NULL)
        snprintf(facilitator, sizeof facilitator, "\"facilitator\":\"%s\",",
                 s->facilitator);
    snprintf(text, sizeof text,
             "{\"x402Version\":2,\"accepted\":{\"scheme\":\"%s\",\"network\":"
             "\"eip155:84532\",\"amount\":\"3000\",\"asset\":\"" ASSET
             "\",\"payTo\":\"" TO "\",\"maxTimeoutSeconds\":60,\"extra\":%s},"
             "\"payload\":{\"signature\":\"%s\",\"permit2Authorization\":{"
             "\"from\":\"%s\",\"permitted\":{\"token\":\"%s\",\"amount\":\"%s\""
             "},\"spender\":\"%s\",\"nonce\":\"%s\",\"deadline\":\"%s\","
             "\"witness\":{\"to\":\"%s\",%s\"validAfter\":\"%s\"}}},"
             "\"extensions\":%s}",
             s->scheme, s->extra, sig, s->from, s->token, s->amount, s->spender,
             s->nonce, s->deadline, s->to, facilitator, s->after,
             s->extensions);
    object = json_loads(text, 0, NULL);
    test_need(object != NULL, "a test's own JSON");
    err = x402_payment_from_json(out, object, X402_CARRIER_PAYMENT_SIGNATURE);
    json_decref(object);
    return err;
}

static enum x402_err
match(const struct x402_payment *payment, enum x402_method method)
{
    const struct x402_clock clock = {1700000000, 6, 3600};
    struct x402_requirement offer = {.timeout_s = 60, .method = method};
    size_t which;

    offer.amount = x402_amount_of(3000);
    test_need(x402_address_parse(&offer.pay_to, x402_span_of(TO)) == X402_OK &&
                  x402_address_parse(&offer.facilitator, x402_span_of(OTHER)) ==
                      X402_OK,
              "address");
    offer.asset = x402_asset_by_symbol(84532, x402_span_of("USDC"));
    return x402_payment_match(&which, payment, &offer, 1, &clock);
}

/* A31: "spec steps 1-7 each violated alone", as far as they need no chain. */
static void
test_steps(void)
{
    static struct x402_payment p;
    static const struct {
        const char *why;
        size_t at; /* which member of the shape */
        const char *text;
        enum x402_err err;
    } rows[] = {
        {"nothing", offsetof(struct shape, nonce), "8", X402_OK},
        {"a hexadecimal nonce", offsetof(struct shape, nonce),
         "0xf3746613c2d920b5fdabc0856f2aeb2d4f88ee6037b8cc5d04a71a4462f13480",
         X402_OK},
        {"another spender", offsetof(struct shape, spender), OTHER,
         X402_ERR_SPENDER},
        {"another payee", offsetof(struct shape, to), OTHER, X402_ERR_PAYEE},
        {"ended", offsetof(struct shape, deadline), "1700000005",
         X402_ERR_EXPIRED},
        {"ends in 600 years", offsetof(struct shape, deadline),
         "115792089237316195423570985008687907853269984665640564039457",
         X402_ERR_TOO_LONG},
        {"begins later", offsetof(struct shape, after), "1700000001",
         X402_ERR_NOT_YET_VALID},
        {"less", offsetof(struct shape, amount), "2999", X402_ERR_AMOUNT},
        {"more", offsetof(struct shape, amount), "3001", X402_ERR_AMOUNT},
        {"another token", offsetof(struct shape, token), OTHER, X402_ERR_TOKEN},
        {"extra asks for EIP-3009", offsetof(struct shape, extra),
         "{\"assetTransferMethod\":\"eip3009\"}", X402_ERR_OFFER},
        {"a nonce that is no number", offsetof(struct shape, nonce), "-1",
         X402_ERR_SYNTAX},
        {"a nonce that does not fit", offsetof(struct shape, nonce),
         "115792089237316195423570985008687907853269984665640564039457584007913"
         "129639936",
         X402_ERR_RANGE},
        {"nobody pays", offsetof(struct shape, from),
         "0x0000000000000000000000000000000000000000", X402_ERR_RANGE},
    };

    for (int upto = 0; upto < 2; upto++) {
        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
            struct shape s = upto ? good_upto : good_exact;
            enum x402_err err;

            *(const char **)(void *)((char *)&s + rows[i].at) = rows[i].text;
            err = decode(&p, &s);
            if (err == X402_OK)
                err = match(&p, upto ? X402_METHOD_PERMIT2_UPTO
                                     : X402_METHOD_PERMIT2_EXACT);
            test_ok(err == rows[i].err, "%s: %s (%s)", upto ? "upto" : "exact",
                    rows[i].why, x402_err_info(err)->name);
        }
    }
}

static void
test_schemes(void)
{
    static struct x402_payment p;
    struct shape s = good_upto;

    s.facilitator = TO;
    test_ok(decode(&p, &s) == X402_OK &&
                match(&p, X402_METHOD_PERMIT2_UPTO) == X402_ERR_FACILITATOR,
            "upto for another facilitator");
    s.facilitator = NULL;
    test_ok(decode(&p, &s) == X402_ERR_SYNTAX, "upto without a facilitator");
    s = good_upto;
    s.spender = EXACT;
    test_ok(decode(&p, &s) == X402_OK &&
                match(&p, X402_METHOD_PERMIT2_UPTO) == X402_ERR_SPENDER,
            "upto signed for the exact proxy");
    test_ok(decode(&p, &good_exact) == X402_OK &&
                match(&p, X402_METHOD_PERMIT2_UPTO) == X402_ERR_PAYLOAD_TYPE &&
                match(&p, X402_METHOD_EIP3009) == X402_ERR_PAYLOAD_TYPE,
            "exact over Permit2 buys nothing else");
    s = good_exact;
    s.scheme = "deferred";
    test_ok(decode(&p, &s) == X402_ERR_SCHEME, "an unknown scheme");
}

/* -- EIP-2612 -- */

static const char *
permit(const char *key, const char *value)
{
    static char text[2048];
    json_t *info =
        json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s}", "from", FROM, "asset",
                  ASSET, "spender", PERMIT2, "amount", "3000", "nonce", "0",
                  "deadline", "1700000060", "signature", sig, "version", "1");
    json_t *all;
    char *dumped;

    if (key != NULL && value != NULL)
        json_object_set_new(info, key, json_string(value));
    else if (key != NULL)
        json_object_del(info, key);
    all = json_pack("{s:{s:o}}", "eip2612GasSponsoring", "info", info);
    dumped = json_dumps(all, JSON_COMPACT);
    snprintf(text, sizeof text, "%s", dumped);
    free(dumped);
    json_decref(all);
    return text;
}

/* A32: "value == amount enforced". */
static void
test_sponsor(void)
{
    static struct x402_payment p;
    const struct x402_clock clock = {1700000000, 6, 3600};
    static const struct {
        const char *why, *key, *value;
        enum x402_err err;
        enum x402_sponsor_kind kind;
    } rows[] = {
        {"good", "nonce", "3", X402_OK, X402_SPONSOR_EIP2612},
        {"of another", "from", OTHER, X402_ERR_PERMIT_FROM, 0},
        {"for another token", "asset", OTHER, X402_ERR_PERMIT_ASSET, 0},
        {"for another spender", "spender", EXACT, X402_ERR_PERMIT_SPENDER, 0},
        {"of less", "amount", "2999", X402_ERR_PERMIT_AMOUNT, 0},
        {"without end", "amount",
         "115792089237316195423570985008687907853269984665640564039457584007913"
         "129639935",
         X402_ERR_PERMIT_AMOUNT, 0},
        {"ended", "deadline", "1700000005", X402_ERR_PERMIT_DEADLINE,
         X402_SPONSOR_EIP2612},
        {"no signature of 65 bytes", "signature", "0x12",
         X402_ERR_PERMIT_FORMAT, 0},
        {"no number", "nonce", "-1", X402_ERR_PERMIT_FORMAT, 0},
        {"incomplete: none", "nonce", NULL, X402_OK, X402_SPONSOR_NONE},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct shape s = good_exact;
        enum x402_err err;

        (void)decode(&p, &s);
        s.extensions = permit(rows[i].key, rows[i].value);
        err = decode(&p, &s);
        if (err == X402_OK)
            err = x402_payment_sponsor_check(&p, &clock);
        test_ok(err == rows[i].err && p.sponsor.kind == rows[i].kind,
                "a permit %s (%s)", rows[i].why, x402_err_info(err)->name);
    }
}

static void
test_reasons(void)
{
    static const struct {
        enum x402_err err;
        enum x402_method method;
        const char *text;
    } rows[] = {
        {X402_ERR_PAYEE, X402_METHOD_EIP3009,
         "invalid_exact_evm_recipient_mismatch"},
        {X402_ERR_PAYEE, X402_METHOD_PERMIT2_EXACT,
         "invalid_permit2_recipient_mismatch"},
        {X402_ERR_SIGNATURE, X402_METHOD_PERMIT2_UPTO,
         "invalid_permit2_signature"},
        {X402_ERR_TRANSACTION, X402_METHOD_PERMIT2_EXACT,
         "invalid_exact_evm_transaction_failed"},
        {X402_ERR_TRANSACTION, X402_METHOD_PERMIT2_UPTO,
         "invalid_upto_evm_transaction_failed"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        test_text(x402_err_reason(rows[i].err, 2, rows[i].method), rows[i].text,
                  "a reason as 2.27 words it");
}

int
main(void)
{
    const char *more = getenv("X402_PERMIT2_VECTORS");

    if (more != NULL) {
        test_rows(json_load_file(more, 0, NULL));
        return test_done();
    }
    test_rows(test_vectors("viem/permit2.json"));
    test_every_bit();
    test_steps();
    test_schemes();
    test_sponsor();
    test_reasons();
    return test_done();
}
