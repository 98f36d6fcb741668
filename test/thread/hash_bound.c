/* hash_bound.c: eight threads that hash and check passwords, of which so many at once as there are slots; the writer's lock beside.
 *
 * Run by test/run/threads.sh. libsodium's two functions stand here in front of its own and count who is in them; what a
 * slot and the writer's lock guard is plain memory, so that ThreadSanitizer tells when two threads hold the same one. */
#include "threads.h"
#include "base/conf.h"
#include "base/lock.h"
#include "base/pwhash.h"
#include "domain/password.h"

#include <apr_general.h>
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS  2
#define QUEUE  4 /* fewer than the threads: some are refused */
#define ROUNDS 25
#define TURNS  2000 /* of the locks without a hash */
#define WAIT   apr_time_from_sec(60)

typedef int (*hash_t)(char *, const char *, unsigned long long, unsigned long long, size_t,
                      int);
typedef int (*derive_t)(unsigned char *, unsigned long long, const char *, unsigned long long,
                        const unsigned char *, unsigned long long, size_t, int);

static ua_slots_t *slots;
static ua_lock_t *writer;
static ua_conf_t conf;
static atomic_int inside;
static atomic_ulong hashed, refused; /* of the passwords */
static atomic_ulong taken_slots, turned_away;
static unsigned long of_slot[SLOTS]; /* plain: guarded by the slot */
static unsigned long written;        /* plain: guarded by the writer's lock */

static void enter(void)
{
    int now = atomic_fetch_add(&inside, 1) + 1;

    if (now > SLOTS) {
        wrong("%d hashes at once, of %d", now, SLOTS);
    }
}

static void leave(void)
{
    atomic_fetch_sub(&inside, 1);
    atomic_fetch_add(&hashed, 1);
}

#pragma GCC visibility push(default)

int crypto_pwhash_str_alg(char *out, const char *password, unsigned long long length,
                          unsigned long long passes, size_t memory, int alg);

int crypto_pwhash_str_alg(char *out, const char *password, unsigned long long length,
                          unsigned long long passes, size_t memory, int alg)
{
    hash_t real = NULL;
    int rc = 0;

    *(void **)&real = dlsym(RTLD_NEXT, "crypto_pwhash_str_alg");
    enter();
    rc = real(out, password, length, passes, memory, alg);
    leave();
    return rc;
}

int crypto_pwhash(unsigned char *out, unsigned long long size, const char *password,
                  unsigned long long length, const unsigned char *salt,
                  unsigned long long passes, size_t memory, int alg);

int crypto_pwhash(unsigned char *out, unsigned long long size, const char *password,
                  unsigned long long length, const unsigned char *salt,
                  unsigned long long passes, size_t memory, int alg)
{
    derive_t real = NULL;
    int rc = 0;

    *(void **)&real = dlsym(RTLD_NEXT, "crypto_pwhash");
    enter();
    rc = real(out, size, password, length, salt, passes, memory, alg);
    leave();
    return rc;
}

#pragma GCC visibility pop

static ua_ctx_t a_request(const worker_t *worker)
{
    ua_ctx_t ctx = {.pool = worker->pool, .conf = &conf, .slots = slots, .slot = -1};

    return ctx;
}

/* What a registration, a sign-in and a wrong guess do. A full queue is no fault. */
static void passwords(worker_t *worker)
{
    const char *right =
        apr_psprintf(worker->pool, "right-%d-%u", worker->number, pick(worker, 9));
    const char *hash = NULL;
    ua_ctx_t ctx = a_request(worker);
    apr_status_t rv = ua_password_hash(&hash, &ctx, right);

    if (rv == APR_SUCCESS) {
        rv = ua_password_verify(&ctx, hash, right);
        ua_password_leave(&ctx);
        if (rv != APR_SUCCESS && rv != APR_EAGAIN) {
            wrong("the right password: %d", rv);
        }
        rv = ua_password_verify(&ctx, hash, "wrong");
        ua_password_leave(&ctx);
        if (rv != APR_EACCES && rv != APR_EAGAIN) {
            wrong("a wrong password: %d", rv);
        }
    }
    else if (rv == APR_EAGAIN) {
        atomic_fetch_add(&refused, 1);
    }
    else {
        wrong("a hash: %d", rv);
    }
    if (ctx.slot >= 0) {
        wrong("slot %d was left and is still held", ctx.slot);
    }
}

static void turns(worker_t *worker)
{
    int slot = -1;
    apr_status_t rv = ua_slots_enter(slots, WAIT, &slot);

    (void)worker;
    if (rv == APR_SUCCESS) {
        of_slot[slot]++;
        ua_slots_leave(slots, slot);
        atomic_fetch_add(&taken_slots, 1);
    }
    else if (rv == APR_EAGAIN) {
        atomic_fetch_add(&turned_away, 1);
    }
    else {
        wrong("a slot: %d", rv);
    }
    if (ua_lock_enter(writer, WAIT) != APR_SUCCESS) {
        wrong("the writer's lock was not to be had");
        return;
    }
    written++;
    ua_lock_leave(writer);
}

static void *zeroed(apr_size_t size)
{
    apr_size_t whole = (size + 63) / 64 * 64;

    return memset(aligned_alloc(64, whole), 0, whole);
}

int main(void)
{
    unsigned long sum = 0;

    conf.pwhash = (ua_pwhash_params_t){7168, 1};
    if (apr_initialize() != APR_SUCCESS || ua_pwhash_init() != APR_SUCCESS ||
        ua_slots_init(&slots, zeroed(ua_slots_size(SLOTS, QUEUE)), SLOTS, QUEUE) !=
            APR_SUCCESS ||
        ua_lock_init(&writer, zeroed(ua_lock_size())) != APR_SUCCESS) {
        return 2;
    }
    together(passwords, ROUNDS);
    expect_some("hashed", hashed);
    expect_some("refused", refused);
    together(turns, TURNS);
    expect_some("slots taken", taken_slots);
    expect_some("written", written);
    for (int i = 0; i < SLOTS; i++) {
        sum += of_slot[i];
    }
    if (sum != taken_slots || taken_slots + turned_away != written) {
        wrong("%lu slots were taken, %lu not; counted were %lu and %lu", taken_slots,
              turned_away, sum, written);
    }
    free(slots);
    free(writer);
    return finished();
}
