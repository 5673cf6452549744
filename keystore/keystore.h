/* SPDX-License-Identifier: Apache-2.0 */
/* Private keys at rest: Web3 Secret Storage version 3 files and raw key files,
 * and the memory that a key lives in once it was read.  The client's wallet and
 * the daemon's signers are the users; a key never comes from a command line or
 * the environment. */
#ifndef KEYSTORE_H
#define KEYSTORE_H

#include <stddef.h>
#include <stdint.h>

#include <x402/address.h>
#include <x402/span.h>

#define KEYSTORE_MUST_CHECK __attribute__((warn_unused_result))

/* Bounds: a file is read into memory of fixed size, and no file can make us
 * spend more than a gigabyte or some minutes on its key derivation. */
#define KEYSTORE_FILE_MAX 8192
#define KEYSTORE_TEXT_MAX 1024 /* what keystore_make writes, with NUL */
#define KEYSTORE_PASSWORD_MAX 1024
#define KEYSTORE_SCRYPT_MEMORY_MAX ((uint64_t)1 << 30)
#define KEYSTORE_PBKDF2_ROUNDS_MAX 10000000

/* scrypt cost that geth, ethers and web3 use for wallets: 256 MiB, about a
 * second. */
#define KEYSTORE_SCRYPT_N 262144
#define KEYSTORE_SCRYPT_R 8
#define KEYSTORE_SCRYPT_P 1

enum keystore_err {
    KEYSTORE_OK,
    KEYSTORE_ERR_FORMAT,      /* not a version 3 keystore, not a key */
    KEYSTORE_ERR_UNSUPPORTED, /* cipher, kdf or a cost we do not take */
    KEYSTORE_ERR_PASSWORD,    /* the MAC does not match */
    KEYSTORE_ERR_ADDRESS,     /* `address` is not the key's: file tampered */
    KEYSTORE_ERR_KEY,         /* 0 or beyond the curve's order */
    KEYSTORE_ERR_ACCESS, /* group or others may read it, or another owner */
    KEYSTORE_ERR_EXISTS, /* keystore_file_create never overwrites */
    KEYSTORE_ERR_IO,     /* errno says more */
    KEYSTORE_ERR_MEMORY, /* also: no memory for scrypt */
    KEYSTORE_ERR_RANDOM,
    KEYSTORE_ERR_NEED_PASSWORD, /* the file is encrypted, no password given */
};

/** One line for people, without the path and without secrets. */
const char *keystore_err_text(enum keystore_err err);

/* -- version 3 texts: no files -- */

/** Decrypt a version 3 keystore (aes-128-ctr; scrypt or pbkdf2-hmac-sha256).
 *
 *  Source:  Web3 Secret Storage Definition, version 3.
 *  In:      json      the file's text, at most KEYSTORE_FILE_MAX bytes
 *           password  bytes as typed; no normalisation
 *  Out:     key32     the key; unchanged on error
 *  Returns: FORMAT UNSUPPORTED PASSWORD ADDRESS KEY MEMORY RANDOM
 *  Memory:  128 * n * r bytes while scrypt runs; wipe key32 when done. */
KEYSTORE_MUST_CHECK enum keystore_err keystore_open(uint8_t key32[32],
                                                    struct x402_span json,
                                                    struct x402_span password);

/** Read the unencrypted `address` member, for showing whose file it is.
 *  Nothing vouches for it until keystore_open said KEYSTORE_OK.
 *  Returns: FORMAT when there is none. */
KEYSTORE_MUST_CHECK enum keystore_err
keystore_peek_address(struct x402_address *out, struct x402_span json);

/** The address that belongs to a key.
 *  Returns: KEY when it is 0 or not below the curve's order; RANDOM. */
KEYSTORE_MUST_CHECK enum keystore_err
keystore_address_of(struct x402_address *out, const uint8_t key32[32]);

/** Randomness for one new keystore; never use one twice. */
struct keystore_random {
    uint8_t salt[32];
    uint8_t iv[16];
    uint8_t id[16];
};

/** Encrypt a key with scrypt at cost n (a power of two, 2 .. 2^20).
 *  Out:     text  NUL-terminated JSON, ends with a newline; unchanged on error
 *  Returns: UNSUPPORTED (n) KEY MEMORY RANDOM */
KEYSTORE_MUST_CHECK enum keystore_err
keystore_make(char text[KEYSTORE_TEXT_MAX], const uint8_t key32[32],
              struct x402_span password, uint64_t n,
              const struct keystore_random *random);

/* -- files -- */

/** Read a secret file: regular, owned by us or root, no access for group and
 *  others, at most cap - 1 bytes.
 *  Out:     text  NUL-terminated, *len bytes; wipe it when done
 *  Returns: ACCESS IO FORMAT (too large) */
KEYSTORE_MUST_CHECK enum keystore_err
keystore_file_read(char *text, size_t *len, size_t cap, const char *path);

/** Read a password file: the same, without the line end. */
KEYSTORE_MUST_CHECK enum keystore_err
keystore_password_read(char password[KEYSTORE_PASSWORD_MAX], size_t *len,
                       const char *path);

/** Read a key from a file that holds either a version 3 keystore or 64 hex
 *  digits ("0x" in front and one line end behind are fine).
 *  In:      password  {NULL, 0}: none, encrypted files are NEED_PASSWORD;
 *                     {"", 0} is the empty password
 *  Returns: any of the above. */
KEYSTORE_MUST_CHECK enum keystore_err
keystore_file_open(uint8_t key32[32], const char *path,
                   struct x402_span password);

/** Write text to a new file, mode 0600, and sync file and folder.
 *  Returns: EXISTS IO; nothing is left behind on error. */
KEYSTORE_MUST_CHECK enum keystore_err
keystore_file_create(const char *path, struct x402_span text);

/* -- memory -- */

/** Turn off core dumps and ptrace by other processes of this user.
 *  Call it first in main(). */
KEYSTORE_MUST_CHECK enum keystore_err keystore_harden_process(void);

/** Zeroed pages that are locked into RAM and left out of core dumps.
 *  Returns: NULL without memory or when RLIMIT_MEMLOCK is used up. */
void *keystore_secret_new(size_t len);
/** Wipe and free; NULL is fine. */
void keystore_secret_free(void *secret, size_t len);

/** Fill from getrandom; never returns less than asked. */
KEYSTORE_MUST_CHECK enum keystore_err keystore_random_bytes(void *out,
                                                            size_t len);

#endif
