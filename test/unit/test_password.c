/* test_password.c: which passwords are good, and hashing within the server's bound.
 *
 * Cases: BF-07, BF-08, BF-15, UNI-06, UNI-07, ENUM-01.
 */
#include "domain_site.h"
#include "base/processor.h"
#include "base/unicode.h"
#include "domain/password.h"

#define TOO_SHORT "Use at least 8 characters."
#define TOO_LONG  "Use at most 256 characters."
#define TOO_EASY                                                                               \
    "This password is too easy to guess. Use a few words that don't belong together."
#define BLOCKED "This password is on a list of known passwords. Choose another one."

static const char *repeated(apr_pool_t *pool, const char *piece, int times)
{
    char *text = apr_pcalloc(pool, strlen(piece) * (apr_size_t)times + 1);

    for (int i = 0; i < times; i++) {
        memcpy(text + strlen(piece) * (apr_size_t)i, piece, strlen(piece));
    }
    return text;
}

static void check(const char *comment, const char *got, const char *expected)
{
    if (!got != !expected || (got && strcmp(got, expected) != 0)) {
        fail_msg("%s: %s", comment, got ? got : "taken");
    }
}

/* BF-08, UNI-07: refused by length before anything else is done with it. */
static void lengths(void **state)
{
    static const struct {
        const char *comment, *piece;
        int times;
        const char *refusal;
    } cases[] = {
        {"nothing", "", 0, "Enter a password."},
        {"one letter: a login form may send it", "a", 1, NULL},
        {"256 code points of one byte", "a", 256, NULL},
        {"257", "a", 257, TOO_LONG},
        {"256 code points of four bytes: 1024 bytes", "\xF0\x9F\x98\x80", 256, NULL},
        {"one more", "\xF0\x9F\x98\x80", 257, TOO_LONG},
        {"1000 combining marks", "\xCC\x81", 1000, TOO_LONG},
        {"a megabyte", "x", 1024 * 1024, TOO_LONG},
    };

    ua_test_t *t = *state;

    for (size_t i = 0; i < COUNT(cases); i++) {
        check(cases[i].comment,
              ua_password_length_refusal(repeated(t->pool, cases[i].piece, cases[i].times)),
              cases[i].refusal);
    }
}

/* UNI-06: NFC and nothing more. */
static void normal_form(void **state)
{
    static const struct {
        const char *comment, *typed, *normal;
    } cases[] = {
        {"letters", "aZ 9~", "aZ 9~"},
        {"blanks stay", "  a  b  ", "  a  b  "},
        {"composed stays", "caf\xC3\xA9", "caf\xC3\xA9"},
        {"decomposed is composed", "cafe\xCC\x81", "caf\xC3\xA9"},
        {"two marks in the other order", "q\xCC\x87\xCC\xA3", "q\xCC\xA3\xCC\x87"},
        {"a ligature is no two letters (NFKC)", "\xEF\xAC\x81", "\xEF\xAC\x81"},
        {"a superscript is no digit (NFKC)", "2\xC2\xB2", "2\xC2\xB2"},
        {"full width is no letter (NFKC)", "\xEF\xBC\xA1", "\xEF\xBC\xA1"},
        {"case stays", "\xC3\x84\xC3\xA4", "\xC3\x84\xC3\xA4"},
    };

    ua_test_t *t = *state;
    ua_ctx_t *ctx = ua_test_context(t);

    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *once = NULL;
        const char *twice = NULL;

        assert_int_equal(ua_password_normal(&once, ctx, cases[i].typed), APR_SUCCESS);
        check(cases[i].comment, once, cases[i].normal);
        assert_int_equal(ua_password_normal(&twice, ctx, once), APR_SUCCESS);
        assert_string_equal(twice, once);
    }
}

/* BF-15: by length, list and strength only, with the reason; no rule about kinds of characters. */
static void refusals(void **state)
{
    static const char *const words[] = {"horsebattery", "mike@example.org", "Mikael Oberstein",
                                        "", NULL};

    static const struct {
        const char *comment, *password, *refusal;
    } cases[] = {
        {"words", UA_TEST_PASSWORD, NULL},
        {"lower-case letters only", "plumtractorviolet", NULL},
        {"digits only, unlikely ones", "82941750362857", NULL},
        {"seven", "xK4#q9Z", TOO_SHORT},
        {"eight, random", "xK4#q9Z!", NULL},
        {"seven code points, 28 bytes",
         "\xF0\x9F\x98\x80\xF0\x9F\x98\x80\xF0\x9F\x98\x80\xF0\x9F\x98\x80\xF0\x9F\x98\x80"
         "\xF0\x9F\x98\x80\xF0\x9F\x98\x80",
         TOO_SHORT},
        {"nothing", "", "Enter a password."},
        {"common", "password1", TOO_EASY},
        {"common, dressed up", "P@ssw0rd123", TOO_EASY},
        {"15 same letters", "aaaaaaaaaaaaaaa", TOO_EASY},
        {"15 blanks", "               ", TOO_EASY},
        {"a row of the keyboard", "qwertyuiop", TOO_EASY},
        {"a date", "21.11.2026", TOO_EASY},
        {"the username", "horsebattery", TOO_EASY},
        {"the username and a digit", "HorseBattery1", TOO_EASY},
        {"the address", "mike@example.org", TOO_EASY},
        {"the display name", "mikael oberstein", TOO_EASY},
        {"the site's name", "gardenclubzehlendorf", TOO_EASY},
        {"the site's host", "accounts.zehlendorf-gardening.example", TOO_EASY},
        {"on the list", "purple-Tractor-heron-17", BLOCKED},
        {"on the list, other case", "PURPLE-TRACTOR-HERON-17", BLOCKED},
        {"the first of the list", "amber-tractor-heron-17", BLOCKED},
        {"the last of the list", "zebra-tractor-heron-17", BLOCKED},
        {"longer than one of the list", "purple-tractor-heron-178", NULL},
    };

    ua_test_t *t = *state;
    ua_ctx_t *ctx = NULL;

    ua_test_write(t, "list",
                  "zebra-tractor-heron-17\nPurple-tractor-heron-17\namber-tractor-heron-17\n");
    assert_null(ua_test_start(
        t, "UserAuthPasswordBlocklist {}/list", "UserAuthSiteName GardenClubZehlendorf",
        "UserAuthBaseURL https://accounts.zehlendorf-gardening.example", NULL));
    ctx = ua_test_context(t);
    for (size_t i = 0; i < COUNT(cases); i++) {
        check(cases[i].comment, ua_password_refusal(NULL, ctx, cases[i].password, words),
              cases[i].refusal);
    }
    assert_null(ua_password_refusal(NULL, ctx, UA_TEST_PASSWORD, NULL));
}

/* Composing may lengthen a text; what is hashed is bounded too (contract 8, password.h). */
static void bounded_when_normal(void **state)
{
    ua_test_t *t = *state;
    ua_ctx_t *ctx = ua_test_context(t);
    const char *typed = repeated(t->pool, "\xE0\xA5\x98", 200); /* U+0958: two in NFC */
    const char *normal = NULL;

    assert_null(ua_password_length_refusal(typed));
    assert_int_equal(ua_password_normal(&normal, ctx, typed), APR_SUCCESS);
    assert_int_equal(ua_utf8_length(normal), 400);
    assert_non_null(ua_password_length_refusal(normal));
    assert_non_null(ua_password_refusal(NULL, ctx, normal, NULL));
}

static void as_strict_as_told(void **state)
{
    ua_test_t *t = *state;
    ua_ctx_t *ctx = NULL;

    assert_null(
        ua_test_start(t, "UserAuthPasswordMinLength 15", "UserAuthPasswordMinScore 4", NULL));
    ctx = ua_test_context(t);
    check("14", ua_password_refusal(NULL, ctx, "xK4#q9Z!w0Pm&b", NULL),
          "Use at least 15 characters.");
    assert_null(ua_password_refusal(NULL, ctx, "xK4#q9Z!w0Pm&bT", NULL));
    assert_null(ua_test_start(t, "UserAuthPasswordMinScore 0", NULL));
    ctx = ua_test_context(t);
    assert_null(ua_password_refusal(NULL, ctx, "password", NULL));
    check("7", ua_password_refusal(NULL, ctx, "passwor", NULL), TOO_SHORT);
}

/* A suggestion passes, under the strictest settings too, and is never the same. */
static void suggestions(void **state)
{
    static const struct {
        const char *length, *score;
        int draws;
    } cases[] = {
        {"UserAuthPasswordMinLength 8", "UserAuthPasswordMinScore 3", 1000},
        {"UserAuthPasswordMinLength 64", "UserAuthPasswordMinScore 4", 50},
    };

    static const char *const words[] = {"mike", "mike@example.org", NULL};
    ua_test_t *t = *state;

    for (size_t i = 0; i < COUNT(cases); i++) {
        apr_table_t *seen = apr_table_make(t->pool, cases[i].draws);
        ua_ctx_t *ctx = NULL;

        assert_null(ua_test_start(t, cases[i].length, cases[i].score, NULL));
        ctx = ua_test_context(t);
        for (int n = 0; n < cases[i].draws; n++) {
            const char *password = NULL;
            const char *why = NULL;

            assert_int_equal(ua_password_suggest(&password, ctx), APR_SUCCESS);
            assert_null(ua_password_length_refusal(password));
            why = ua_password_refusal(NULL, ctx, password, words);
            if (why || apr_table_get(seen, password)) {
                fail_msg("%s: %s: %s", cases[i].length, password, why ? why : "again");
            }
            apr_table_set(seen, password, "");
        }
    }
}

/* ENUM-01: nobody's hash is never right, and asks for the same work. */
static void right_and_wrong(void **state)
{
    ua_test_t *t = *state;
    ua_ctx_t *ctx = ua_test_context(t);
    const char *hash = NULL;
    const char *again = NULL;

    assert_int_equal(ua_password_hash(&hash, ctx, "caf\xC3\xA9 au lait"), APR_SUCCESS);
    assert_int_equal(ua_password_hash(&again, ctx, "caf\xC3\xA9 au lait"), APR_SUCCESS);
    assert_string_not_equal(hash, again);
    assert_int_equal(strncmp(hash, "$argon2id$v=19$m=7168,t=1,p=1$", 30), 0);
    assert_int_equal(ua_password_verify(ctx, hash, "caf\xC3\xA9 au lait"), APR_SUCCESS);
    assert_int_equal(ua_password_verify(ctx, hash, "cafe au lait"), APR_EACCES);
    assert_int_equal(ua_password_verify(ctx, hash, ""), APR_EACCES);
    assert_int_equal(ua_password_verify(ctx, "", ""), APR_EACCES);
    assert_int_equal(ua_password_verify(ctx, "", "caf\xC3\xA9 au lait"), APR_EACCES);
    assert_int_equal(ua_password_verify(ctx, "caf\xC3\xA9 au lait", "caf\xC3\xA9 au lait"),
                     APR_EACCES);
}

/* One slot and one place in the queue. */
static ua_slots_t *one_slot(apr_pool_t *pool)
{
    apr_size_t size = ua_slots_size(1, 1);
    apr_uintptr_t at = (apr_uintptr_t)apr_pcalloc(pool, size + 64);
    ua_slots_t *slots = NULL;

    assert_int_equal(ua_slots_init(&slots, (void *)((at + 63) & ~(apr_uintptr_t)63), 1, 1),
                     APR_SUCCESS);
    return slots;
}

static void slot_kept_until_left(void **state)
{
    ua_test_t *t = *state;
    ua_ctx_t *ctx = ua_test_context(t);
    const char *hash = NULL;
    int processors = ua_processors();

    assert_int_equal(ua_password_enter(ctx), APR_SUCCESS); /* no bound: nothing to take */
    assert_int_equal(ctx->slot, -1);
    ctx->slots = one_slot(t->pool);
    ua_password_leave(ctx);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(ua_password_enter(ctx), APR_SUCCESS);
        assert_true(ctx->slot >= 0);
        assert_int_equal(ua_password_enter(ctx), APR_SUCCESS); /* holds it already */
        assert_int_equal(ua_password_hash(&hash, ctx, "a"), APR_SUCCESS);
        assert_int_equal(ua_password_verify(ctx, hash, "b"), APR_EACCES);
        assert_true(ctx->slot >= 0);
        ua_password_leave(ctx);
        assert_int_equal(ctx->slot, -1);
        ua_password_leave(ctx);
    }
    assert_int_equal(ua_password_hash(&hash, ctx, "a"), APR_SUCCESS); /* takes one itself */
    assert_int_equal(ctx->slot, -1);                                  /* and is done with it */
    assert_int_equal(ua_password_verify(ctx, hash, "a"), APR_SUCCESS);
    assert_true(ctx->slot >= 0);
    ua_password_leave(ctx);
    assert_int_equal(ua_processors(),
                     processors); /* the thread is bound only while it hashes */
}

typedef struct queue_t {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int refused;
} queue_t;

typedef struct waiter_t {
    queue_t *queue;
    ua_ctx_t *ctx;
    apr_status_t rv;
} waiter_t;

static void *wait_for_slot(void *data)
{
    waiter_t *waiter = data;

    waiter->rv = ua_password_enter(waiter->ctx);
    if (waiter->rv == APR_EAGAIN) {
        pthread_mutex_lock(&waiter->queue->lock);
        waiter->queue->refused++;
        pthread_cond_signal(&waiter->queue->changed);
        pthread_mutex_unlock(&waiter->queue->lock);
    }
    ua_password_leave(waiter->ctx);
    return NULL;
}

/* BF-07: while the slot is taken, one waits and the other is refused at once. */
static void slots_are_bounded(void **state)
{
    ua_test_t *t = *state;
    ua_ctx_t *ctx = ua_test_context(t);
    queue_t queue = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0};
    waiter_t waiters[2];
    pthread_t threads[2];
    int waited = 0;

    ctx->slots = one_slot(t->pool);
    assert_int_equal(ua_password_enter(ctx), APR_SUCCESS);
    for (int i = 0; i < 2; i++) {
        waiters[i] = (waiter_t){&queue, ua_test_context(t), APR_EGENERAL};
        waiters[i].ctx->slots = ctx->slots;
        assert_int_equal(pthread_create(&threads[i], NULL, wait_for_slot, &waiters[i]), 0);
    }
    pthread_mutex_lock(&queue.lock);
    while (queue.refused == 0) {
        pthread_cond_wait(&queue.changed, &queue.lock);
    }
    pthread_mutex_unlock(&queue.lock);
    ua_password_leave(ctx);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(waiters[i].ctx->slot, -1);
        waited += waiters[i].rv == APR_SUCCESS;
        if (waiters[i].rv != APR_SUCCESS) {
            assert_int_equal(waiters[i].rv, APR_EAGAIN);
            assert_string_equal(waiters[i].ctx->failed, "hash slot");
        }
    }
    assert_int_equal(waited, 1);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        site_test(lengths),           site_test(normal_form),
        site_test(refusals),          site_test(bounded_when_normal),
        site_test(as_strict_as_told), site_test(suggestions),
        site_test(right_and_wrong),   site_test(slot_kept_until_left),
        site_test(slots_are_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
