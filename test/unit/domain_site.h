/* domain_site.h: a site, rows and rivals, for the tests of modules/domain.
 *
 * Every test has a site of its own (fixture.h), made by site_setup(). Rows are looked at with
 * ua_test_scalar(), on a connection the site knows nothing of.
 */
#ifndef DOMAIN_SITE_H
#define DOMAIN_SITE_H

#include "fixture.h"

#include <pthread.h>

#define COUNT(table) (sizeof(table) / sizeof *(table))
#define SECONDS(n)   apr_time_from_sec(n)
#define RIVALS       32

static inline int site_setup(void **state)
{
    *state = ua_test_open(NULL);
    return 0;
}

static inline int site_teardown(void **state)
{
    ua_test_close(*state);
    return 0;
}

#define site_test(function) cmocka_unit_test_setup_teardown(function, site_setup, site_teardown)

/* An account that is not confirmed, <name>@example.org; its id. */
static inline const char *site_account(ua_ctx_t *ctx, const char *name)
{
    ua_account_t account = {.username = name, .display_name = "", .password_hash = "hash"};

    assert_int_equal(ua_draw_uuid(&account.id, ctx), APR_SUCCESS);
    account.email = apr_pstrcat(ctx->pool, name, "@example.org", NULL);
    account.address = ctx->address;
    account.created = ctx->now;
    assert_int_equal(ua_account_insert(ctx, &account, account.email), APR_SUCCESS);
    return account.id;
}

/* The same, confirmed. */
static inline const char *site_member(ua_ctx_t *ctx, const char *name)
{
    const char *id = site_account(ctx, name);
    const char *email = apr_pstrcat(ctx->pool, name, "@example.org", NULL);

    assert_int_equal(ua_account_verify(ctx, id, email), APR_SUCCESS);
    return id;
}

/* Nothing in this table can be read or written any more. */
static inline void site_break(ua_test_t *t, const char *table)
{
    ua_test_sql(t, "ALTER TABLE %s RENAME TO gone", table);
}

/* A failure of the machine, named by its query; INV-7: never mistaken for "there is none". */
#define assert_failure(ctx, call, label)                                                       \
    do {                                                                                       \
        (ctx)->failed = "";                                                                    \
        assert_int_equal(call, APR_EGENERAL);                                                  \
        assert_non_null(strstr((ctx)->failed, label));                                         \
    } while (0)

/* What one rival does, with a context and a connection of its own: 1 when it won. No assertions:
 * they work on the first thread only. */
typedef int site_act_f(ua_ctx_t *ctx, void *data);

typedef struct site_rival_t {
    pthread_barrier_t *start;
    ua_ctx_t *ctx;
    site_act_f *act;
    void *data;
    int won;
} site_rival_t;

static inline void *site_rival(void *data)
{
    site_rival_t *rival = data;

    (void)pthread_barrier_wait(rival->start);
    rival->won = rival->act(rival->ctx, rival->data);
    ua_db_release(rival->ctx);
    return NULL;
}

/* RIVALS threads act at the same moment; how many won. */
static inline int site_race(ua_test_t *t, site_act_f *act, void *data)
{
    pthread_barrier_t start;
    pthread_t threads[RIVALS];
    site_rival_t rivals[RIVALS];
    int won = 0;

    assert_int_equal(pthread_barrier_init(&start, NULL, RIVALS), 0);
    for (int i = 0; i < RIVALS; i++) {
        rivals[i] = (site_rival_t){&start, ua_test_context(t), act, data, 0};
        assert_int_equal(pthread_create(&threads[i], NULL, site_rival, &rivals[i]), 0);
    }
    for (int i = 0; i < RIVALS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        won += rivals[i].won;
        apr_pool_destroy(rivals[i].ctx->pool);
    }
    assert_int_equal(pthread_barrier_destroy(&start), 0);
    return won;
}

#endif
