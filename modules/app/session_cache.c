/* session_cache.c: sessions that this process read a moment ago, so that a gated request asks no database.
 *
 * A table of fixed size, found by a keyed digest of the credential: SipHash with two secret keys of this process,
 * since nobody sees it (SHA-256 costs as much as all the rest, and of a token three times that). Entries are read
 * and written without a lock: each has a number that is odd while somebody writes it, and who reads checks that it
 * stayed the same. An entry holds until its time is over, or the generation of its account (generation.h) changes. */
#include "app.h"
#include "base/crypto.h"
#include "base/generation.h"

#include <apr_shm.h>
#include <apr_siphash.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

#define SETS  1024 /* with WAYS of them each: at most 5 MiB a process, taken as they are used */
#define WAYS  4
#define TEXTS 7
#define TEXT  952 /* of a session's texts; longer ones are read from the database every time */

/* Sessions that end sooner are read from the database, where their uses are written. */
#define LATE apr_time_from_sec(12)

/* All of an entry, in one piece. */
typedef struct copy_t {
    ua_session_key_t key;
    const ua_generation_t *now; /* the account's, and what it was */
    apr_uint32_t generation;
    apr_time_t stored;
    apr_time_t until;
    ua_session_t session;       /* its texts are in `text`, */
    apr_uint16_t starts[TEXTS]; /* in the order of texts_of() */
    char text[TEXT];
} copy_t;

#define WORDS ((sizeof(copy_t) + sizeof(apr_uint64_t) - 1) / sizeof(apr_uint64_t))

typedef union piece_t {
    copy_t copy;
    apr_uint64_t words[WORDS];
} piece_t;

typedef struct entry_t {
    atomic_uint version; /* odd: being written */
    atomic_uint used;    /* of the words */
    _Atomic apr_uint64_t words[WORDS];
} entry_t;

struct ua_session_cache_t {
    const ua_generations_t *generations;
    apr_interval_time_t ttl;
    entry_t *entries;
    unsigned char keys[2][APR_SIPHASH_KSIZE];
};

static void texts_of(const char **texts[TEXTS], ua_session_t *session)
{
    texts[0] = &session->id;
    texts[1] = &session->amr;
    texts[2] = &session->account_id;
    texts[3] = &session->username;
    texts[4] = &session->email;
    texts[5] = &session->display_name;
    texts[6] = &session->groups;
}

apr_status_t ua_session_cache_create(ua_session_cache_t **out, apr_pool_t *pool,
                                     const ua_generations_t *generations,
                                     apr_interval_time_t ttl)
{
    ua_session_cache_t *cache = apr_pcalloc(pool, sizeof *cache);
    apr_shm_t *memory = NULL;

    UA_CHECK(ua_random(cache->keys[0], sizeof cache->keys));
    UA_CHECK(apr_shm_create(&memory, (apr_size_t)SETS * WAYS * sizeof(entry_t), NULL, pool));
    cache->entries = apr_shm_baseaddr_get(memory); /* zeroed, and not there before it is used */
    cache->generations = generations;
    cache->ttl = ttl;
    *out = cache;
    return APR_SUCCESS;
}

static entry_t *set_of(const ua_session_cache_t *cache, const ua_session_key_t *key)
{
    return cache->entries + (apr_size_t)(key->digest[0] % SETS) * WAYS;
}

/* A copy of what somebody wrote, whole, in the pool; else NULL. */
static piece_t *read_entry(apr_pool_t *pool, entry_t *entry)
{
    unsigned before = atomic_load_explicit(&entry->version, memory_order_acquire);
    unsigned used = atomic_load_explicit(&entry->used, memory_order_relaxed);
    piece_t *piece = NULL;

    if (before % 2 == 1 || before == 0 || used > WORDS) {
        return NULL;
    }
    piece = apr_palloc(pool, used * sizeof *piece->words);
    for (unsigned i = 0; i < used; i++) {
        piece->words[i] = atomic_load_explicit(&entry->words[i], memory_order_relaxed);
    }
    atomic_thread_fence(memory_order_acquire);
    return atomic_load_explicit(&entry->version, memory_order_relaxed) == before ? piece : NULL;
}

/* Nothing when another thread writes it at this moment. */
static void write_entry(entry_t *entry, const piece_t *piece, unsigned used)
{
    unsigned before = atomic_load_explicit(&entry->version, memory_order_relaxed);

    if (before % 2 == 1 ||
        !atomic_compare_exchange_strong_explicit(&entry->version, &before, before + 1,
                                                 memory_order_acquire, memory_order_relaxed)) {
        return;
    }
    atomic_thread_fence(memory_order_release);
    atomic_store_explicit(&entry->used, used, memory_order_relaxed);
    for (unsigned i = 0; i < used; i++) {
        atomic_store_explicit(&entry->words[i], piece->words[i], memory_order_relaxed);
    }
    atomic_store_explicit(&entry->version, before + 2, memory_order_release);
}

/* Sees the digest's first word without copying the rest. */
static int may_be(entry_t *entry, const ua_session_key_t *key)
{
    return atomic_load_explicit(&entry->words[0], memory_order_relaxed) == key->digest[0];
}

/* A session without a cookie's life left may still be an access token's (ua_session_by_id()). */
static int lives(const copy_t *copy, apr_time_t then)
{
    const ua_session_t *s = &copy->session;

    return (then < s->last_used + s->idle && then < s->expires) ||
           (copy->key.kind == UA_CREDENTIAL_TOKEN && then < s->refresh_until);
}

static int is_valid(const copy_t *copy, const ua_ctx_t *ctx)
{
    return ctx->now >= copy->stored && ctx->now < copy->until && lives(copy, ctx->now + LATE) &&
           *copy->now == copy->generation;
}

static void point_texts(copy_t *copy)
{
    const char **texts[TEXTS];

    texts_of(texts, &copy->session);
    for (int i = 0; i < TEXTS; i++) {
        *texts[i] = copy->text + copy->starts[i];
    }
}

/* The key's session when the entry is of it and still holds; else NULL. A second word that differs is another
 * password for the same name: after one such guess there is nothing to be guessed. */
static ua_session_t *session_in(entry_t *entry, const ua_session_key_t *key,
                                const ua_ctx_t *ctx)
{
    static const piece_t nothing;
    piece_t *piece = may_be(entry, key) ? read_entry(ctx->pool, entry) : NULL;

    if (!piece || piece->words[0] != key->digest[0] || piece->copy.key.kind != key->kind) {
        return NULL;
    }
    if (piece->copy.key.digest[1] != key->digest[1]) {
        write_entry(entry, &nothing, offsetof(copy_t, session) / sizeof(apr_uint64_t));
        return NULL;
    }
    point_texts(&piece->copy);
    return is_valid(&piece->copy, ctx) ? &piece->copy.session : NULL;
}

static void key_begin(ua_session_key_t *key, const ua_session_cache_t *cache,
                      ua_credential_e kind)
{
    *key = (ua_session_key_t){{0, 0}, kind, 0};
    if (cache) {
        key->digest[0] = kind; /* one secret of two kinds has two places */
        key->epoch = ua_generation_epoch(cache->generations);
    }
}

/* A digest of either half, each with a key of its own: only a credential that has both halves has both words. The first
 * word, by which an entry is placed, is of the whole. */
void ua_session_key_secret(ua_session_key_t *key, const ua_session_cache_t *cache,
                           ua_credential_e kind, const char *secret)
{
    apr_size_t length = strlen(secret);
    apr_size_t half = length / 2;

    key_begin(key, cache, kind);
    if (cache) {
        key->digest[1] = apr_siphash24(secret + half, length - half, cache->keys[1]);
        key->digest[0] ^= apr_siphash24(secret, half, cache->keys[0]) ^ key->digest[1];
    }
}

void ua_session_key_password(ua_session_key_t *key, const ua_session_cache_t *cache,
                             ua_credential_e kind, const char *name, const char *password)
{
    key_begin(key, cache, kind);
    if (cache) {
        key->digest[0] ^= apr_siphash24(name, strlen(name), cache->keys[0]);
        key->digest[1] = apr_siphash24(password, strlen(password), cache->keys[1]);
    }
}

apr_status_t ua_session_cache_find(ua_session_t **out, const ua_session_cache_t *cache,
                                   ua_ctx_t *ctx, const ua_session_key_t *key)
{
    entry_t *set = cache ? set_of(cache, key) : NULL;
    ua_session_t *session = NULL;

    if (!cache) {
        return APR_NOTFOUND;
    }
    for (int i = 0; i < WAYS && !session; i++) {
        session = session_in(&set[i], key, ctx);
    }
    if (!session) {
        return APR_NOTFOUND;
    }
    *out = session;
    return APR_SUCCESS;
}

/* How many words it takes; 0 when the texts are too long. */
static unsigned pack(copy_t *copy, const ua_session_t *session)
{
    const char **texts[TEXTS];
    char *at = copy->text;

    copy->session = *session;
    texts_of(texts, &copy->session);
    for (int i = 0; i < TEXTS; i++) {
        apr_size_t length = strlen(*texts[i]) + 1;

        if (length > (apr_size_t)(copy->text + TEXT - at)) {
            return 0;
        }
        memcpy(at, *texts[i], length);
        copy->starts[i] = (apr_uint16_t)(at - copy->text);
        at += length;
        *texts[i] = NULL;
    }
    return (unsigned)(((apr_size_t)(at - (const char *)copy) + sizeof(apr_uint64_t) - 1) /
                      sizeof(apr_uint64_t));
}

/* The entry of that key, else the one that was stored first. */
static entry_t *place_of(const ua_session_cache_t *cache, const ua_session_key_t *key)
{
    entry_t *set = set_of(cache, key);
    entry_t *oldest = set;
    apr_time_t then = APR_INT64_MAX;

    for (int i = 0; i < WAYS; i++) {
        apr_time_t stored = (apr_time_t)atomic_load_explicit(
            &set[i].words[offsetof(copy_t, stored) / sizeof(apr_uint64_t)],
            memory_order_relaxed);

        if (may_be(&set[i], key)) {
            return &set[i];
        }
        if (stored < then) {
            then = stored;
            oldest = &set[i];
        }
    }
    return oldest;
}

void ua_session_cache_keep(const ua_session_cache_t *cache, const ua_ctx_t *ctx,
                           const ua_session_key_t *key, const ua_session_t *session,
                           apr_time_t until)
{
    piece_t piece = {.copy = {.key = *key, .stored = ctx->now}};
    unsigned used = pack(&piece.copy, session);
    apr_time_t last = key->kind == UA_CREDENTIAL_PASSWORD ? until
                      : cache                             ? ctx->now + cache->ttl
                                                          : 0;

    if (!cache || used == 0) {
        return;
    }
    piece.copy.until = until < last ? until : last;
    piece.copy.session.last_used = ctx->now;
    piece.copy.now = ua_generation_of(cache->generations, session->account_id);
    piece.copy.generation = *piece.copy.now;
    if (ua_generation_epoch(cache->generations) == key->epoch) {
        write_entry(place_of(cache, key), &piece, used);
    }
}
