/* SPDX-License-Identifier: Apache-2.0 */
/* The Payment authentication scheme: challenge, its id, receipt, problems. */
#include <x402/mpp.h>

#include <x402/encode.h>

#include "hash.h"

/* draft-ryan-httpauth-payment: seven fixed slots joined with "|", empty ones
 * kept. */
enum x402_err
x402_mpp_id(char out[X402_MPP_ID_LEN + 1],
            const struct x402_mpp_challenge *challenge, const uint8_t *secret,
            size_t secret_len)
{
    const struct x402_span slots[] = {challenge->realm,   challenge->method,
                                      challenge->intent,  challenge->request,
                                      challenge->expires, challenge->digest,
                                      challenge->opaque};
    char memory[X402_MPP_REQUEST_MAX + 4096], text[X402_BASE64_LEN(32)];
    struct x402_buf buf = x402_buf_on(memory, sizeof memory);
    uint8_t mac[32];

    for (size_t i = 0; i < sizeof slots / sizeof slots[0]; i++) {
        if (slots[i].len > 0 && memchr(slots[i].at, '|', slots[i].len) != NULL)
            return X402_ERR_SYNTAX;
        if (i > 0)
            x402_buf_char(&buf, '|');
        x402_buf_add(&buf, slots[i]);
    }
    if (buf.full)
        return X402_ERR_TOO_LARGE;
    hash_hmac(mac, secret, secret_len, x402_buf_span(&buf));
    x402_base64url_encode(text, mac, sizeof mac);
    memcpy(out, text, X402_MPP_ID_LEN);
    out[X402_MPP_ID_LEN] = '\0';
    return X402_OK;
}

/* RFC 9110, section 5.6.4: quote and backslash as pairs; a tab and everything
 * from 0x20 may stand, other controls and DEL may not. */
static void
add_quoted(struct x402_buf *buf, struct x402_span text)
{
    x402_buf_char(buf, '"');
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.at[i];

        if ((c < 0x20 && c != '\t') || c == 0x7f)
            continue;
        if (c == '"' || c == '\\')
            x402_buf_char(buf, '\\');
        x402_buf_char(buf, text.at[i]);
    }
    x402_buf_char(buf, '"');
}

void
x402_mpp_write_challenge(struct x402_buf *buf,
                         const struct x402_mpp_challenge *challenge)
{
    const struct {
        const char *name;
        struct x402_span value;
    } params[] = {
        {"id", challenge->id},
        {"realm", challenge->realm},
        {"method", challenge->method},
        {"intent", challenge->intent},
        {"request", challenge->request},
        {"expires", challenge->expires},
        {"digest", challenge->digest},
        {"description", challenge->description},
        {"opaque", challenge->opaque},
    };

    x402_buf_text(buf, "Payment ");
    for (size_t i = 0; i < sizeof params / sizeof params[0]; i++) {
        if (params[i].value.at == NULL)
            continue;
        if (i > 0)
            x402_buf_text(buf, ", ");
        x402_buf_text(buf, params[i].name);
        x402_buf_char(buf, '=');
        add_quoted(buf, params[i].value);
    }
}

/* "Payment-Receipt: <base64url {status, method, timestamp, reference,
 * challengeId}>" */
void
x402_mpp_receipt(struct x402_buf *buf, uint64_t now_s,
                 const uint8_t payment_hash[32], struct x402_span challenge_id)
{
    char memory[1024], time[X402_RFC3339_LEN + 1];
    struct x402_buf json = x402_buf_on(memory, sizeof memory);

    x402_mpp_time(time, now_s);
    x402_buf_text(&json, "{\"status\":\"success\",\"method\":\"lightning\","
                         "\"timestamp\":\"");
    x402_buf_text(&json, time);
    x402_buf_text(&json, "\",\"reference\":\"");
    x402_buf_hex_bare(&json, payment_hash, 32);
    x402_buf_char(&json, '"');
    if (challenge_id.len > 0) {
        x402_buf_text(&json, ",\"challengeId\":");
        x402_buf_json(&json, challenge_id);
    }
    x402_buf_char(&json, '}');
    buf->full |= json.full;
    x402_buf_base64url(buf, (const uint8_t *)json.at, json.len);
}

static void
put_digits(char *out, unsigned value, unsigned count)
{
    for (unsigned i = count; i > 0; i--) {
        out[i - 1] = (char)('0' + value % 10);
        value /= 10;
    }
}

static unsigned
days_of_year(unsigned year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0 ? 366 : 365;
}

static unsigned
days_of_month(unsigned month, unsigned year)
{
    static const unsigned char days[] = {31, 28, 31, 30, 31, 30,
                                         31, 31, 30, 31, 30, 31};

    return month == 1 && days_of_year(year) == 366 ? 29 : days[month];
}

void
x402_mpp_time(char out[X402_RFC3339_LEN + 1], uint64_t unix_s)
{
    const uint64_t last = 253402300799; /* 9999-12-31T23:59:59Z */
    uint64_t at = unix_s < last ? unix_s : last;
    unsigned days = (unsigned)(at / 86400), seconds = (unsigned)(at % 86400);
    unsigned year = 1970, month = 0;

    for (; days >= days_of_year(year); year++)
        days -= days_of_year(year);
    for (; days >= days_of_month(month, year); month++)
        days -= days_of_month(month, year);
    memcpy(out, "0000-00-00T00:00:00Z", X402_RFC3339_LEN + 1);
    put_digits(out, year, 4);
    put_digits(out + 5, month + 1, 2);
    put_digits(out + 8, days + 1, 2);
    put_digits(out + 11, seconds / 3600, 2);
    put_digits(out + 14, seconds / 60 % 60, 2);
    put_digits(out + 17, seconds % 60, 2);
}

#define PROBLEM "https://paymentauth.org/problems/"

struct x402_mpp_problem
x402_mpp_problem_of(enum x402_err err)
{
    static const struct {
        enum x402_err err;
        struct x402_mpp_problem problem;
    } rows[] = {
        {X402_OK, {PROBLEM "payment-required", "Payment Required"}},
        {X402_ERR_SYNTAX,
         {PROBLEM "malformed-credential", "Malformed Credential"}},
        {X402_ERR_TOO_LARGE,
         {PROBLEM "malformed-credential", "Malformed Credential"}},
        {X402_ERR_LN_CREDENTIAL,
         {PROBLEM "malformed-credential", "Malformed Credential"}},
        {X402_ERR_LN_PREIMAGE_MISSING,
         {PROBLEM "lightning/malformed-credential", "Malformed Credential"}},
        {X402_ERR_LN_PREIMAGE_MALFORMED,
         {PROBLEM "lightning/malformed-credential", "Malformed Credential"}},
        {X402_ERR_LN_PREIMAGE_LENGTH,
         {PROBLEM "lightning/malformed-credential", "Malformed Credential"}},
        {X402_ERR_LN_CHALLENGE,
         {PROBLEM "lightning/unknown-challenge", "Unknown Challenge"}},
        {X402_ERR_LN_PREIMAGE,
         {PROBLEM "lightning/invalid-preimage", "Invalid Preimage"}},
        {X402_ERR_LN_INVOICE_EXPIRED,
         {PROBLEM "lightning/expired-invoice", "Expired Invoice"}},
        {X402_ERR_LN_USED, {PROBLEM "invalid-challenge", "Invalid Challenge"}},
        {X402_ERR_SCHEME, {PROBLEM "method-unsupported", "Method Unsupported"}},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].err == err)
            return rows[i].problem;
    }
    return (struct x402_mpp_problem){PROBLEM "verification-failed",
                                     "Verification Failed"};
}
