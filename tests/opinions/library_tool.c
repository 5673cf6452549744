/* SPDX-License-Identifier: Apache-2.0 */
/* The library on a pipe, for other implementations to disagree with: each line
 * of input is a JSON object whose member "do" names the job, each line of
 * output its answer as JSON; {"error": name} where the library refuses. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <x402/abi.h>
#include <x402/attestation.h>
#include <x402/eip712.h>
#include <x402/encode.h>
#include <x402/erc6492.h>
#include <x402/jcs.h>
#include <x402/keccak.h>
#include <x402/lnbtc.h>
#include <x402/mpp.h>
#include <x402/override.h>
#include <x402/transaction.h>
#include <x402/x402.h>

#define BYTES_MAX 65536

static void
need(bool good, const char *what)
{
    if (good)
        return;
    fprintf(stderr, "library_tool: %s\n", what);
    exit(2);
}

/* -- members of the question -- */

static struct x402_span
text_of(const json_t *in, const char *key)
{
    struct x402_span text = {NULL, 0};

    need(x402_json_string(&text, in, key) == X402_OK, key);
    return text;
}

static struct x402_address
address_of(const json_t *in, const char *key)
{
    struct x402_address address;

    need(x402_json_address(&address, in, key) == X402_OK, key);
    return address;
}

static struct x402_amount
amount_of(const json_t *in, const char *key)
{
    struct x402_amount amount;

    need(x402_json_amount(&amount, in, key) == X402_OK, key);
    return amount;
}

static uint64_t
u64_of(const json_t *in, const char *key)
{
    struct x402_amount amount = amount_of(in, key);
    uint64_t value = 0;

    need(x402_amount_u64(&value, &amount), key);
    return value;
}

static size_t
bytes_of(uint8_t *out, const json_t *in, const char *key)
{
    size_t len = 0;

    need(x402_hex_decode_any(out, &len, BYTES_MAX, text_of(in, key)) == X402_OK,
         key);
    return len;
}

static struct x402_authorization
authorization_of(const json_t *in)
{
    struct x402_authorization auth = {
        .from = address_of(in, "from"),
        .to = address_of(in, "to"),
        .value = amount_of(in, "value"),
        .valid_after_s = u64_of(in, "validAfter"),
        .valid_before_s = u64_of(in, "validBefore"),
    };

    need(x402_json_hex(auth.nonce, 32, in, "nonce") == X402_OK, "nonce");
    return auth;
}

static enum x402_method
method_of(const json_t *in)
{
    return x402_span_eq(text_of(in, "scheme"), x402_span_of("upto"))
               ? X402_METHOD_PERMIT2_UPTO
               : X402_METHOD_PERMIT2_EXACT;
}

/* -- answers -- */

static json_t *
refusal(enum x402_err err)
{
    return json_pack("{s:s}", "error", x402_err_info(err)->name);
}

static json_t *
hex(const uint8_t *bytes, size_t len)
{
    static char text[2 * BYTES_MAX + 3];

    x402_hex_encode(text, bytes, len);
    return json_string(text);
}

static json_t *
digits(const struct x402_amount *amount)
{
    char text[X402_AMOUNT_TEXT_MAX + 1];

    x402_amount_format(text, amount);
    return json_string(text);
}

/* -- the jobs -- */

/* Each with the operand in place, as callers do. */
static json_t *
do_arithmetic(const json_t *in)
{
    const struct x402_amount a = amount_of(in, "a"), b = amount_of(in, "b");
    uint64_t by = u64_of(in, "by");
    struct x402_amount sum = a, rest = b, product = a, quotient = a;
    bool fits = x402_amount_add(&sum, &sum, &b);
    bool enough = x402_amount_sub(&rest, &a, &rest);
    bool wide = x402_amount_mul_u64(&product, &product, by);
    struct x402_amount left =
        x402_amount_of(x402_amount_div_u64(&quotient, &quotient, by));

    return json_pack(
        "{s:o,s:o,s:o,s:o,s:o,s:i}", "sum", fits ? digits(&sum) : json_null(),
        "difference", enough ? digits(&rest) : json_null(), "product",
        wide ? digits(&product) : json_null(), "quotient", digits(&quotient),
        "left", digits(&left), "cmp", x402_amount_cmp(&a, &b));
}

static json_t *
do_decimal(const json_t *in)
{
    char text[400];
    unsigned decimals = (unsigned)u64_of(in, "decimals");
    struct x402_amount amount;
    enum x402_err err =
        x402_amount_parse_decimal(&amount, text_of(in, "text"), decimals);

    if (err != X402_OK)
        return refusal(err);
    x402_amount_format_decimal(text, &amount, decimals,
                               (unsigned)u64_of(in, "least"));
    return json_pack("{s:o,s:s}", "atomic", digits(&amount), "text", text);
}

static json_t *
do_override(const json_t *in)
{
    struct x402_asset asset = {.decimals = (unsigned)u64_of(in, "decimals")};
    struct x402_requirement requirement = {.asset = &asset,
                                           .amount = amount_of(in, "maximum")};
    struct x402_amount amount;
    enum x402_err err =
        x402_override_read(&amount, text_of(in, "header"), &requirement);

    return err == X402_OK ? digits(&amount) : refusal(err);
}

static json_t *
do_keccak(const json_t *in)
{
    static uint8_t bytes[BYTES_MAX];
    uint8_t hash[32];

    x402_keccak256(hash, bytes, bytes_of(bytes, in, "bytes"));
    return hex(hash, 32);
}

static json_t *
do_address(const json_t *in)
{
    struct x402_address address = address_of(in, "address");
    char text[X402_ADDRESS_TEXT_LEN + 1];

    x402_address_format(text, &address);
    return json_string(text);
}

static json_t *
do_eip3009(const json_t *in)
{
    const struct x402_authorization auth = authorization_of(in);
    struct x402_address contract = address_of(in, "contract");
    uint8_t domain[32], digest[32];

    x402_eip712_domain(domain, text_of(in, "name"), text_of(in, "version"),
                       u64_of(in, "chainId"), &contract);
    x402_eip3009_digest_in(digest, &auth, domain);
    return hex(digest, 32);
}

static json_t *
do_permit2(const json_t *in)
{
    const struct x402_authorization auth = authorization_of(in);
    struct x402_address token = address_of(in, "token");
    struct x402_address facilitator = address_of(in, "facilitator");
    struct x402_asset asset = {.chain_id = u64_of(in, "chainId")};
    uint8_t domain[32], digest[32];

    x402_method_domain(domain, method_of(in), &asset);
    x402_permit2_digest_in(digest, method_of(in), &auth, &token, &facilitator,
                           domain);
    return hex(digest, 32);
}

static json_t *
do_attestation(const json_t *in)
{
    static char memory[X402_ATTESTATION_MAX];
    struct x402_buf payload = x402_buf_on(memory, sizeof(memory));
    struct x402_attestation a = {
        .resource = text_of(in, "resource"),
        .asset = x402_asset_at(u64_of(in, "asset")),
        .pay_to = address_of(in, "payTo"),
        .amount = amount_of(in, "amount"),
        .payer = address_of(in, "payer"),
        .issued_at_s = u64_of(in, "issuedAt"),
        .valid_until_s = u64_of(in, "validUntil"),
    };
    uint8_t digest[32];
    enum x402_err err;

    if (a.asset == NULL)
        return json_null();
    need(x402_json_hex(a.receipt_hash, 32, in, "receiptHash") == X402_OK &&
             x402_json_hex(a.nonce, 32, in, "nonce") == X402_OK,
         "hash and nonce");
    x402_attestation_digest(digest, &a);
    err = x402_attestation_payload(&payload, &a);
    if (err != X402_OK)
        return refusal(err);
    return json_pack("{s:o,s:s%}", "digest", hex(digest, 32), "payload",
                     payload.at, payload.len);
}

static struct x402_abi_call
transfer_call(uint8_t *out, const json_t *in)
{
    static uint8_t signature[BYTES_MAX];
    const struct x402_authorization auth = authorization_of(in);
    size_t len = bytes_of(signature, in, "signature");

    return (struct x402_abi_call){
        address_of(in, "token"), json_is_true(json_object_get(in, "mayFail")),
        out, x402_abi_transfer(out, &auth, signature, len)};
}

static struct x402_abi_call
settle_call(uint8_t *out, const json_t *in)
{
    static uint8_t signature[BYTES_MAX], permit[BYTES_MAX];
    struct x402_sponsor sponsor = {.kind = X402_SPONSOR_EIP2612};
    const struct x402_authorization auth = authorization_of(in);
    const struct x402_address token = address_of(in, "token");
    const struct x402_address facilitator = address_of(in, "facilitator");
    const struct x402_amount charge = amount_of(in, "charge");
    struct x402_abi_permit2 payment = {
        .method = method_of(in),
        .token = &token,
        .auth = &auth,
        .charge = &charge,
        .facilitator = &facilitator,
        .signature = signature,
        .signature_len = bytes_of(signature, in, "signature"),
    };

    if (json_object_get(in, "permit") != NULL) {
        sponsor.len = bytes_of(permit, in, "permit");
        need(sponsor.len == sizeof(sponsor.data), "permit");
        memcpy(sponsor.data, permit, sponsor.len);
        payment.sponsor = &sponsor;
    }
    return (struct x402_abi_call){address_of(in, "proxy"),
                                  json_is_true(json_object_get(in, "mayFail")),
                                  out, x402_abi_settle(out, &payment)};
}

/* Written, and what the last look sees in it. */
static json_t *
do_calls(const json_t *in)
{
    enum { MOST = 8 };
    static uint8_t data[MOST][X402_ABI_SETTLE_MAX], out[MOST * 4096];
    struct x402_abi_call calls[MOST];
    struct x402_abi_seen seen[MOST];
    const json_t *list = json_object_get(in, "calls"), *call;
    size_t i, n = json_array_size(list), count = 0, len;
    json_t *values = json_array();

    need(n <= MOST, "calls");
    json_array_foreach(list, i, call)
    {
        calls[i] = json_object_get(call, "scheme") != NULL
                       ? settle_call(data[i], call)
                       : transfer_call(data[i], call);
    }
    len = x402_abi_aggregate3(out, calls, n);
    need(len == x402_abi_aggregate3_len(calls, n) && len <= sizeof(out),
         "its length");
    need(x402_abi_inspect(seen, &count, MOST, out, len) == X402_OK,
         "what we wrote we read");
    for (i = 0; i < count; i++)
        json_array_append_new(values, digits(&seen[i].auth.value));
    return json_pack("{s:o,s:o}", "data", hex(out, len), "values", values);
}

static json_t *
do_transaction(const json_t *in)
{
    static uint8_t data[BYTES_MAX], raw[BYTES_MAX];
    struct x402_transaction tx = {
        .chain_id = u64_of(in, "chainId"),
        .nonce = u64_of(in, "nonce"),
        .max_priority_fee = amount_of(in, "maxPriorityFeePerGas"),
        .max_fee = amount_of(in, "maxFeePerGas"),
        .gas_limit = u64_of(in, "gas"),
        .to = address_of(in, "to"),
        .value = amount_of(in, "value"),
        .data = data,
        .data_len = bytes_of(data, in, "data"),
    };
    struct x402_transaction again;
    struct x402_address sender;
    struct x402_signer signer;
    uint8_t key[32], seed[32] = {1}, hash[32];
    size_t len;

    need(x402_json_hex(key, 32, in, "key") == X402_OK &&
             x402_signer_open(&signer, key, seed) == X402_OK,
         "key");
    need(x402_transaction_sign(raw, &len, sizeof(raw), hash, &tx, &signer) ==
             X402_OK,
         "sign");
    need(x402_transaction_decode(&again, &sender, raw, len) == X402_OK &&
             x402_address_eq(&sender, &signer.address) &&
             x402_amount_cmp(&again.max_fee, &tx.max_fee) == 0 &&
             again.nonce == tx.nonce && again.data_len == tx.data_len,
         "what we signed we read");
    x402_signer_close(&signer);
    return json_pack("{s:o,s:o}", "raw", hex(raw, len), "hash", hex(hash, 32));
}

static json_t *
do_erc6492(const json_t *in)
{
    static uint8_t signature[BYTES_MAX];
    struct x402_erc6492 out;
    enum x402_err err =
        x402_erc6492_decode(&out, signature, bytes_of(signature, in, "bytes"));

    if (err != X402_OK)
        return refusal(err);
    return json_pack("{s:o,s:o,s:o}", "factory", hex(out.factory.byte, 20),
                     "data", hex(out.calldata, out.calldata_len), "signature",
                     hex(out.signature, out.signature_len));
}

static json_t *
do_jcs(const json_t *in)
{
    static char memory[BYTES_MAX];
    struct x402_buf out = x402_buf_on(memory, sizeof(memory));
    json_t *value;
    enum x402_err err = x402_json_load(&value, text_of(in, "text"), BYTES_MAX,
                                       X402_JSON_DEPTH_MAX);

    if (err != X402_OK)
        return refusal(err);
    err = x402_jcs_write(&out, value);
    json_decref(value);
    return err == X402_OK ? json_stringn(out.at, out.len) : refusal(err);
}

static json_t *
do_base64(const json_t *in)
{
    static uint8_t bytes[BYTES_MAX];
    size_t len;
    bool url = json_is_true(json_object_get(in, "url"));
    enum x402_err err = url ? x402_base64url_decode(bytes, &len, sizeof(bytes),
                                                    text_of(in, "text"))
                            : x402_base64_decode(bytes, &len, sizeof(bytes),
                                                 text_of(in, "text"));

    return err == X402_OK ? hex(bytes, len) : refusal(err);
}

static json_t *
do_time(const json_t *in)
{
    char text[X402_RFC3339_LEN + 1];

    x402_mpp_time(text, u64_of(in, "seconds"));
    return json_string(text);
}

static json_t *
do_request_hash(const json_t *in)
{
    struct x402_lnbtc_header headers[X402_LNBTC_HEADERS_MAX];
    struct x402_span lines[X402_LNBTC_HEADERS_MAX][4];
    const json_t *list = json_object_get(in, "headers"), *header, *line;
    struct x402_lnbtc_request request = {.method = text_of(in, "method"),
                                         .url = text_of(in, "url"),
                                         .headers = headers,
                                         .headers_len = json_array_size(list)};
    uint8_t hash[32];
    enum x402_err err;
    size_t i, j;

    need(x402_json_hex(request.body_hash, 32, in, "bodyHash") == X402_OK &&
             request.headers_len <= X402_LNBTC_HEADERS_MAX,
         "request");
    json_array_foreach(list, i, header)
    {
        headers[i] = (struct x402_lnbtc_header){
            text_of(header, "name"), lines[i],
            json_array_size(json_object_get(header, "lines"))};
        json_array_foreach(json_object_get(header, "lines"), j, line)
        {
            need(j < 4, "lines");
            lines[i][j] = x402_span_of(json_string_value(line));
        }
    }
    err = x402_lnbtc_request_hash(hash, &request);
    return err == X402_OK ? hex(hash, 32) : refusal(err);
}

static const struct {
    const char *name;
    json_t *(*job)(const json_t *in);
} jobs[] = {{"arithmetic", do_arithmetic},
            {"decimal", do_decimal},
            {"override", do_override},
            {"keccak", do_keccak},
            {"address", do_address},
            {"eip3009", do_eip3009},
            {"permit2", do_permit2},
            {"attestation", do_attestation},
            {"calls", do_calls},
            {"transaction", do_transaction},
            {"erc6492", do_erc6492},
            {"jcs", do_jcs},
            {"base64", do_base64},
            {"time", do_time},
            {"requestHash", do_request_hash}};

static json_t *
answer(const json_t *in)
{
    struct x402_span name = text_of(in, "do");

    for (size_t i = 0; i < sizeof(jobs) / sizeof(jobs[0]); i++) {
        if (x402_span_eq(name, x402_span_of(jobs[i].name)))
            return jobs[i].job(in);
    }
    need(false, "no such job");
    return NULL;
}

int
main(void)
{
    static char line[16 * BYTES_MAX];

    while (fgets(line, sizeof(line), stdin) != NULL) {
        json_t *in = json_loads(line, JSON_ALLOW_NUL, NULL), *out;

        need(in != NULL, "a line that is no JSON");
        out = answer(in);
        need(out != NULL && json_dumpf(out, stdout, JSON_ENCODE_ANY) == 0,
             "no answer");
        putchar('\n');
        json_decref(out);
        json_decref(in);
    }
    return 0;
}
