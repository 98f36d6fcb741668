/* session_cache.c: eight threads that read, keep and change sessions in one cache of the module's (modules/app).
 *
 * Run by test/run/threads.sh. What is found has to be whole, of the credential that was asked for, and no older than the
 * last change that was over before the search began. The "database" is a number for each account. */
#include "threads.h"
#include "app/app.h"
#include "base/generation.h"

#include <apr_general.h>
#include <stdlib.h>
#include <string.h>

#define ACCOUNTS 16
#define SETS     1024 /* of the cache's own, 4 places each: */
#define HOT                                                                                    \
    12 /* so many sessions that all want the same set, where they drive each other out */
#define COLD   12000
#define ROUNDS 25000
#define HOUR   apr_time_from_sec(3600)

static ua_generations_t *generations;
static ua_session_cache_t *cache;
static _Atomic unsigned rows[ACCOUNTS];  /* what the database holds */
static _Atomic unsigned known[ACCOUNTS]; /* and what everybody has to know of */
static atomic_ulong found, kept, changed, guessed;
static unsigned hot[HOT];

static const char *account_of(apr_pool_t *pool, unsigned session)
{
    return apr_psprintf(pool, "account-%u", session % ACCOUNTS);
}

/* A session as it is at this version of its account: every text tells both, and their lengths differ. */
static ua_session_t session_at(const ua_ctx_t *ctx, unsigned number, unsigned version)
{
    const char *filling = "................................................................";
    const char *both = apr_psprintf(ctx->pool, "%u %u%.*s", number, version,
                                    (int)(version % strlen(filling)), filling);
    ua_session_t session = {
        .id = both,
        .created = (apr_time_t)version,
        .last_used = ctx->now,
        .idle = HOUR,
        .expires = ctx->now + HOUR,
        .auth_time = (apr_time_t)version,
        .amr = "pwd",
        .account_id = account_of(ctx->pool, number),
        .username = both,
        .email = both,
        .display_name = both,
        .last_sign_in = (apr_time_t)number,
        .groups = both,
    };

    return session;
}

static int is_whole(const ua_ctx_t *ctx, const ua_session_t *session, unsigned number,
                    unsigned version)
{
    ua_session_t same = session_at(ctx, number, version);

    return strcmp(session->id, same.id) == 0 && strcmp(session->username, same.id) == 0 &&
           strcmp(session->email, same.id) == 0 &&
           strcmp(session->display_name, same.id) == 0 &&
           strcmp(session->groups, same.id) == 0 && strcmp(session->amr, same.amr) == 0 &&
           strcmp(session->account_id, same.account_id) == 0 &&
           session->auth_time == same.auth_time && session->last_sign_in == same.last_sign_in;
}

static void judge(const ua_ctx_t *ctx, const ua_session_t *session, unsigned number,
                  unsigned least)
{
    unsigned version = (unsigned)session->created;

    atomic_fetch_add(&found, 1);
    if (!is_whole(ctx, session, number, version)) {
        wrong("session %u is torn: \"%.40s\" \"%.40s\"", number, session->id, session->groups);
    }
    else if (version < least) {
        wrong("session %u is of version %u although %u was known", number, version, least);
    }
}

/* The row is written, the change told to all children, and only then answered. */
static void change(ua_ctx_t *ctx, unsigned account)
{
    unsigned version = atomic_fetch_add(&rows[account], 1) + 1;
    unsigned before = atomic_load(&known[account]);

    ua_generation_change(ctx, account_of(ctx->pool, account));
    ua_generation_publish(ctx);
    while (before < version &&
           !atomic_compare_exchange_weak(&known[account], &before, version)) {
    }
    atomic_fetch_add(&changed, 1);
}

static void key_of(ua_session_key_t *key, const ua_ctx_t *ctx, unsigned number)
{
    if (number % 2 == 0) {
        ua_session_key_password(key, cache, UA_CREDENTIAL_PASSWORD,
                                apr_psprintf(ctx->pool, "name-%u", number), "right");
    }
    else {
        ua_session_key_secret(key, cache, UA_CREDENTIAL_COOKIE,
                              apr_psprintf(ctx->pool, "secret-%u-of-a-cookie", number));
    }
}

/* A name and its password. Another password finds nothing, and nothing is kept of it. */
static void guess(ua_ctx_t *ctx, unsigned number)
{
    const char *name = apr_psprintf(ctx->pool, "name-%u", number);
    ua_session_key_t key;
    ua_session_t *session = NULL;

    ua_session_key_password(&key, cache, UA_CREDENTIAL_PASSWORD, name, "wrong");
    if (ua_session_cache_find(&session, cache, ctx, &key) == APR_SUCCESS) {
        wrong("a wrong password opens session %u", number);
    }
    atomic_fetch_add(&guessed, 1);
}

static void read_session(ua_ctx_t *ctx, unsigned number)
{
    unsigned account = number % ACCOUNTS;
    unsigned least = atomic_load(&known[account]);
    ua_session_t *session = NULL;
    ua_session_t row;
    ua_session_key_t key;

    key_of(&key, ctx, number);
    if (ua_session_cache_find(&session, cache, ctx, &key) == APR_SUCCESS) {
        judge(ctx, session, number, least);
        return;
    }
    row = session_at(ctx, number, atomic_load(&rows[account]));
    ua_session_cache_keep(cache, ctx, &key, &row, ctx->now + HOUR);
    atomic_fetch_add(&kept, 1);
}

static void one_round(worker_t *worker)
{
    ua_ctx_t ctx = {
        .pool = worker->pool, .now = apr_time_now(), .generations = generations, .slot = -1};
    unsigned number = pick(worker, 8) ? hot[pick(worker, HOT)] : pick(worker, COLD);

    switch (pick(worker, 40)) {
    case 0: change(&ctx, number % ACCOUNTS); break;
    case 1: guess(&ctx, number); break;
    default: read_session(&ctx, number); break;
    }
}

/* The keys are secret and new in each run. */
static void choose_hot(apr_pool_t *pool)
{
    const ua_ctx_t ctx = {.pool = pool};
    ua_session_key_t first;
    ua_session_key_t key;
    int chosen = 0;

    key_of(&first, &ctx, 0);
    for (unsigned number = 0; chosen < HOT; number++) {
        key_of(&key, &ctx, number);
        if (key.digest[0] % SETS == first.digest[0] % SETS) {
            hot[chosen++] = number;
        }
    }
}

int main(void)
{
    apr_pool_t *pool = NULL;

    if (apr_initialize() != APR_SUCCESS || apr_pool_create(&pool, NULL) != APR_SUCCESS) {
        return 2;
    }
    generations = calloc(1, ua_generations_size());
    if (ua_session_cache_create(&cache, pool, generations, HOUR) != APR_SUCCESS) {
        return 2;
    }
    choose_hot(pool);
    together(one_round, ROUNDS);
    expect_some("found", found);
    expect_some("kept", kept);
    expect_some("changed", changed);
    expect_some("guessed", guessed);
    apr_pool_destroy(pool);
    free(generations);
    return finished();
}
