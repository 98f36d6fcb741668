/* settings_profile.c: the operator's own fields: UserAuthProfileField name "Label" [required] [public]. */
#include "settings.h"
#include "base/text.h"
#include "base/unicode.h"

#include <apr_cstr.h>
#include <string.h>

#define MOST  16
#define RIGHT "city \"City\" required"

/* Names that forms of ours use for something else. */
#define TAKEN                                                                                  \
    "username email password password_confirm current_password display_name hidden "           \
    "show_email flags cancel_email resend_email token code csrf next login remember session "  \
    "others all refresh_token id email_verified notice after limit q pending_email"

#define LETTERS "abcdefghijklmnopqrstuvwxyz"

static int is_name(const char *name)
{
    apr_size_t length = strlen(name);

    return length > 0 && length <= 32 && strspn(name, LETTERS "0123456789_") == length &&
           strcspn(name, LETTERS) == 0 && !ua_listed(TAKEN, name);
}

static int is_known(const apr_array_header_t *fields, const char *name)
{
    for (int i = 0; i < fields->nelts; i++) {
        if (strcmp(APR_ARRAY_IDX(fields, i, ua_profile_field_t).name, name) == 0) {
            return 1;
        }
    }
    return 0;
}

/* A label that is one of the words after it was forgotten. */
static int is_label(const char *label)
{
    return *label && strcmp(label, "required") != 0 && strcmp(label, "public") != 0 &&
           ua_utf8_length(label) <= 64 && ua_utf8_valid(label, strlen(label)) &&
           !ua_utf8_deceptive(label);
}

/* A word after the label: each of the two, once. NULL, or what is wrong. */
static const char *take_word(ua_profile_field_t *out, apr_pool_t *pool, const char *word)
{
    int *flag = NULL;

    if (apr_cstr_casecmp(word, "required") == 0) {
        flag = &out->required;
    }
    else if (apr_cstr_casecmp(word, "public") == 0) {
        flag = &out->is_public;
    }
    if (!flag) {
        return apr_psprintf(pool,
                            "UserAuthProfileField %s: after the label come the words required "
                            "and public, not \"%s\"; a label of several words stands in "
                            "quotes: " RIGHT,
                            out->name, word);
    }
    if (*flag) {
        return apr_psprintf(pool, "UserAuthProfileField %s has the word %s twice: " RIGHT,
                            out->name, flag == &out->required ? "required" : "public");
    }
    *flag = 1;
    return NULL;
}

/* The words of a line, as base/conf.c keeps them. At least one. */
static apr_array_header_t *words_of(apr_pool_t *pool, const char *line)
{
    apr_array_header_t *words = apr_array_make(pool, 4, sizeof(const char *));

    for (const char *end = strchr(line, '\n'); end; end = strchr(line, '\n')) {
        APR_ARRAY_PUSH(words, const char *) =
            apr_pstrmemdup(pool, line, (apr_size_t)(end - line));
        line = end + 1;
    }
    APR_ARRAY_PUSH(words, const char *) = line;
    return words;
}

/* name "Label" [required] [public]. NULL, or what is wrong. */
static const char *parse(ua_profile_field_t *out, apr_pool_t *pool, const char *line)
{
    const apr_array_header_t *words = words_of(pool, line);
    const char *err = NULL;

    out->name = APR_ARRAY_IDX(words, 0, const char *);
    out->label =
        words->nelts > 1 ? ua_utf8_trim(pool, APR_ARRAY_IDX(words, 1, const char *)) : "";
    if (!is_name(out->name) || !is_label(out->label)) {
        return apr_psprintf(pool,
                            "UserAuthProfileField takes a name of lower-case letters, digits "
                            "and _ that no form uses, a label, and the words required and "
                            "public: " RIGHT "; not \"%s\"",
                            ua_settings_line(pool, line));
    }
    for (int i = 2; i < words->nelts && !err; i++) {
        err = take_word(out, pool, APR_ARRAY_IDX(words, i, const char *));
    }
    return err;
}

const char *ua_settings_profile(ua_conf_t *conf, apr_pool_t *pool, int *row)
{
    apr_array_header_t *fields = apr_array_make(pool, 4, sizeof(ua_profile_field_t));

    *row = UA_D_profile_field_lines;
    for (int i = 0; conf->profile_field_lines && i < conf->profile_field_lines->nelts; i++) {
        const char *line = APR_ARRAY_IDX(conf->profile_field_lines, i, const char *);
        ua_profile_field_t field = {NULL, NULL, 0, 0};
        const char *err = parse(&field, pool, line);

        if (err) {
            return err;
        }
        if (is_known(fields, field.name) || fields->nelts == MOST) {
            return apr_psprintf(
                pool, "UserAuthProfileField %s is given twice, or is more than the %d possible",
                field.name, MOST);
        }
        APR_ARRAY_PUSH(fields, ua_profile_field_t) = field;
    }
    conf->profile_fields = fields->nelts > 0 ? fields : NULL;
    return NULL;
}
