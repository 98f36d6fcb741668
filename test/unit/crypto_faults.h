/* crypto_faults.h: makes chosen calls of OpenSSL fail, as db_faults.h does with those of apr_dbd.
 *
 * Two more kinds of its rules: FAULT_CRYPTO is the first call of base/crypto.c for a digest, an authentication
 * code or random bytes, FAULT_CRYPTO_REST each further one of the same. Include it in one source file of a program only.
 */
#ifndef CRYPTO_FAULTS_H
#define CRYPTO_FAULTS_H

#include "db_faults.h"

#include <openssl/evp.h>
#include <openssl/rand.h>

#define FAULT_CRYPTO      32
#define FAULT_CRYPTO_REST 64

/* What the next authentication codes are made to be, instead of what they are. */
#define MADE_CODES 8

static struct {
    unsigned char codes[MADE_CODES][32];
    int count;
    int used;
} crypto_made;

/* 1 when a call is to fail. */
static inline int crypto_fails(int kind)
{
    int done = 0;

    return fault_of(kind, &done) != 0;
}

int RAND_bytes(unsigned char *out, int length)
{
    int (*real)(unsigned char *, int) = NULL;

    FIND_REAL(real, "RAND_bytes");
    return crypto_fails(FAULT_CRYPTO) ? 0 : real(out, length);
}

int EVP_DigestInit_ex2(EVP_MD_CTX *ctx, const EVP_MD *type, const OSSL_PARAM params[])
{
    int (*real)(EVP_MD_CTX *, const EVP_MD *, const OSSL_PARAM *) = NULL;

    FIND_REAL(real, "EVP_DigestInit_ex2");
    return crypto_fails(FAULT_CRYPTO) ? 0 : real(ctx, type, params);
}

int EVP_DigestUpdate(EVP_MD_CTX *ctx, const void *data, size_t length)
{
    int (*real)(EVP_MD_CTX *, const void *, size_t) = NULL;

    FIND_REAL(real, "EVP_DigestUpdate");
    return crypto_fails(FAULT_CRYPTO_REST) ? 0 : real(ctx, data, length);
}

int EVP_DigestFinal_ex(EVP_MD_CTX *ctx, unsigned char *out, unsigned int *length)
{
    int (*real)(EVP_MD_CTX *, unsigned char *, unsigned int *) = NULL;

    FIND_REAL(real, "EVP_DigestFinal_ex");
    return crypto_fails(FAULT_CRYPTO_REST) ? 0 : real(ctx, out, length);
}

int EVP_MAC_init(EVP_MAC_CTX *ctx, const unsigned char *key, size_t length,
                 const OSSL_PARAM params[])
{
    int (*real)(EVP_MAC_CTX *, const unsigned char *, size_t, const OSSL_PARAM *) = NULL;

    FIND_REAL(real, "EVP_MAC_init");
    return crypto_fails(FAULT_CRYPTO) ? 0 : real(ctx, key, length, params);
}

int EVP_MAC_update(EVP_MAC_CTX *ctx, const unsigned char *data, size_t length)
{
    int (*real)(EVP_MAC_CTX *, const unsigned char *, size_t) = NULL;

    FIND_REAL(real, "EVP_MAC_update");
    return crypto_fails(FAULT_CRYPTO_REST) ? 0 : real(ctx, data, length);
}

int EVP_MAC_final(EVP_MAC_CTX *ctx, unsigned char *out, size_t *length, size_t room)
{
    int (*real)(EVP_MAC_CTX *, unsigned char *, size_t *, size_t) = NULL;

    int rc = 0;

    FIND_REAL(real, "EVP_MAC_final");
    rc = crypto_fails(FAULT_CRYPTO_REST) ? 0 : real(ctx, out, length, room);
    if (rc == 1 && crypto_made.used < crypto_made.count) {
        memcpy(out, crypto_made.codes[crypto_made.used++], 32);
    }
    return rc;
}

#endif
