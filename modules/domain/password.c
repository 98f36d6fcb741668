/* password.c: see password.h. */
#include "password.h"
#include "base/lock.h"
#include "base/processor.h"
#include "base/pwhash.h"
#include "base/strength.h"
#include "base/unicode.h"

#include <stdlib.h>
#include <string.h>

/* A queue of 64 is worked off in about 0.7 s on two cores; this is for a machine under strain. */
#define SLOT_WAIT apr_time_from_sec(10)

const char *ua_password_length_refusal(const char *password)
{
    if (*password == '\0') {
        return "Enter a password.";
    }
    if (strlen(password) > UA_PASSWORD_BYTES || ua_utf8_length(password) > UA_PASSWORD_MOST) {
        return "Use at most 256 characters.";
    }
    return NULL;
}

apr_status_t ua_password_normal(const char **out, ua_ctx_t *ctx, const char *password)
{
    return ua_utf8_nfc(out, ctx->pool, password);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int is_blocked(const ua_ctx_t *ctx, const char *password)
{
    const char *key = NULL;

    return ctx->conf->blocklist && ua_utf8_fold(&key, ctx->pool, password) == APR_SUCCESS &&
           bsearch((const void *)&key, (const void *)ctx->conf->blocklist,
                   ctx->conf->blocklist_count, sizeof key, by_text) != NULL;
}

/* A word, and of an address what stands before the @ as well. */
static void add_word(apr_array_header_t *all, const char *word)
{
    const char *at = strchr(word, '@');

    APR_ARRAY_PUSH(all, const char *) = word;
    if (at && at > word) {
        APR_ARRAY_PUSH(all, const char *) =
            apr_pstrmemdup(all->pool, word, (apr_size_t)(at - word));
    }
}

/* The person's words, and the site's name and host. */
static const char *const *all_words(ua_ctx_t *ctx, const char *const *words)
{
    apr_array_header_t *all = apr_array_make(ctx->pool, 8, sizeof(const char *));

    for (const char *const *word = words; word && *word; word++) {
        add_word(all, *word);
    }
    APR_ARRAY_PUSH(all, const char *) = ctx->conf->site_name;
    APR_ARRAY_PUSH(all, const char *) = ctx->conf->base.host;
    APR_ARRAY_PUSH(all, const char *) = NULL;
    return (const char *const *)(void *)all->elts;
}

const char *ua_password_refusal(int *score, ua_ctx_t *ctx, const char *password,
                                const char *const *words)
{
    const ua_conf_t *conf = ctx->conf;
    const char *length_refusal = ua_password_length_refusal(password);
    int estimate = 0;

    score = score ? score : &estimate;
    *score = 0;
    if (length_refusal) { /* normalising can make a text longer */
        return length_refusal;
    }
    *score = ua_strength_score(ctx->pool, password, all_words(ctx, words));
    if (ua_utf8_length(password) < (apr_size_t)conf->password_min_length) {
        return apr_psprintf(ctx->pool, "Use at least %d characters.",
                            (int)conf->password_min_length);
    }
    if (is_blocked(ctx, password)) {
        return "This password is on a list of known passwords. Choose another one.";
    }
    if (*score < conf->password_min_score) {
        return "This password is too easy to guess. Use a few words that don't belong "
               "together.";
    }
    return NULL;
}

/* Two syllables of 80 each. */
static apr_status_t draw_group(char group[4], ua_ctx_t *ctx)
{
    static const char consonants[] = "bdfghjklmnprstvz";
    static const char vowels[] = "aeiou";
    unsigned char bytes[4];

    UA_CHECK(ua_draw(ctx, bytes, sizeof bytes));
    for (int i = 0; i < 4; i += 2) {
        group[i] = consonants[bytes[i] % 16];
        group[i + 1] = vowels[bytes[i + 1] % 5];
    }
    return APR_SUCCESS;
}

/* Five groups are 63 bits; more where longer passwords are asked for. */
apr_status_t ua_password_suggest(const char **out, ua_ctx_t *ctx)
{
    apr_size_t least = (apr_size_t)ctx->conf->password_min_length;
    apr_size_t groups = least > 24 ? (least + 5) / 5 : 5;
    char *text = apr_palloc(ctx->pool, groups * 5);

    for (apr_size_t i = 0; i < groups; i++) {
        UA_CHECK(draw_group(text + i * 5, ctx));
        text[i * 5 + 4] = '-';
    }
    text[groups * 5 - 1] = '\0';
    *out = text;
    return APR_SUCCESS;
}

/* Nobody waits for a slot, or hashes, with a database connection in hand: others need it. */
apr_status_t ua_password_enter(ua_ctx_t *ctx)
{
    apr_status_t rv = APR_SUCCESS;

    ua_db_release(ctx);
    if (ctx->slots && ctx->slot < 0) {
        rv = ua_slots_enter(ctx->slots, SLOT_WAIT, &ctx->slot);
    }
    return rv == APR_SUCCESS ? rv : ua_fail(ctx, rv, "hash slot");
}

void ua_password_leave(ua_ctx_t *ctx)
{
    if (ctx->slots && ctx->slot >= 0) {
        ua_slots_leave(ctx->slots, ctx->slot);
        ctx->slot = -1;
    }
}

static void bind_thread(ua_processor_t *out, const ua_ctx_t *ctx)
{
    ua_processor_bind(out, ctx->slot, ctx->slots ? ua_slots_count(ctx->slots) : 0);
}

/* Who only hashes needs no slot while it is stored: a commit takes a processor nothing. */
apr_status_t ua_password_hash(const char **out, ua_ctx_t *ctx, const char *password)
{
    int held = ctx->slot >= 0;
    ua_processor_t processor;
    apr_status_t rv = APR_SUCCESS;

    UA_CHECK(ua_password_enter(ctx));
    bind_thread(&processor, ctx);
    rv = ua_pwhash(out, ctx->pool, password, &ctx->conf->pwhash);
    ua_processor_release(&processor);
    if (!held) {
        ua_password_leave(ctx);
    }
    return rv;
}

apr_status_t ua_password_verify(ua_ctx_t *ctx, const char *hash, const char *password)
{
    ua_processor_t processor;
    apr_status_t rv = APR_SUCCESS;

    UA_CHECK(ua_password_enter(ctx));
    bind_thread(&processor, ctx);
    rv = ua_pwhash_verify(ctx->pool, hash, password, &ctx->conf->pwhash);
    ua_processor_release(&processor);
    return rv;
}
