/* settings_profile.c: the operator's own fields: UserAuthProfileField name "Label" [required] [public]. */
#include "settings.h"
#include "base/text.h"
#include "base/unicode.h"

#include <string.h>

#define MOST 16

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

/* Takes a word off the end of `text`; 1 when it was there. */
static int take_last(char *text, const char *word)
{
    char *blank = strrchr(text, ' ');

    if (!blank || strcmp(blank + 1, word) != 0) {
        return 0;
    }
    *blank = '\0';
    return 1;
}

/* "name Label of any words [required] [public]". 1 when it is written so. */
static int parse(ua_profile_field_t *out, apr_pool_t *pool, const char *line)
{
    char *text = apr_pstrdup(pool, line);
    char *label = strchr(text, ' ');

    if (!label) {
        return 0;
    }
    for (int found = 1; found;) {
        int required = take_last(label, "required");
        int is_public = take_last(label, "public");

        out->required |= required;
        out->is_public |= is_public;
        found = required || is_public;
    }
    if (*label == '\0') {
        return 0;
    }
    *label = '\0';
    out->name = text;
    out->label = ua_utf8_trim(pool, label + 1);
    return is_name(out->name) && *out->label && ua_utf8_length(out->label) <= 64 &&
           ua_utf8_valid(out->label, strlen(out->label)) && !ua_utf8_deceptive(out->label);
}

const char *ua_settings_profile(ua_conf_t *conf, apr_pool_t *pool, int *row)
{
    apr_array_header_t *fields = apr_array_make(pool, 4, sizeof(ua_profile_field_t));

    *row = UA_D_profile_field_lines;
    for (int i = 0; conf->profile_field_lines && i < conf->profile_field_lines->nelts; i++) {
        const char *line = APR_ARRAY_IDX(conf->profile_field_lines, i, const char *);
        ua_profile_field_t field = {NULL, NULL, 0, 0};

        if (!parse(&field, pool, line)) {
            return apr_psprintf(pool,
                                "UserAuthProfileField takes a name of lower-case letters, "
                                "digits and _ that no form uses, a label, and the words "
                                "required and public: city \"City\" required; not \"%s\"",
                                line);
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
