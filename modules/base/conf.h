/* conf.h: the settings of one virtual host, made from directives.def.
 *
 * base/conf.c sets, merges and gives defaults; app/settings.c resolves the texts into the members
 * below the generated ones and refuses what makes no sense together. Immutable after start.
 */
#ifndef UA_CONF_H
#define UA_CONF_H

#include "base.h"
#include "pwhash.h"
#include "url.h"

/* How many of something within how long; 0 duration: no limit. */
typedef struct ua_rate_t {
    apr_int64_t count;
    apr_interval_time_t duration;
} ua_rate_t;

/* What is counted per client address: the order of the names in UserAuthRateLimit. */
typedef enum {
    UA_RATE_LOGIN,
    UA_RATE_REGISTER,
    UA_RATE_TOKEN,
    UA_RATE_MAIL,
    UA_RATES
} ua_rate_e;

#define UA_MAIL_RATES 4

typedef enum { UA_MAIL_FOLDER, UA_MAIL_SMTP } ua_mail_e;

typedef enum {
    UA_GET_AUTO,
    UA_GET_BROWSER,
    UA_GET_ADDRESS,
    UA_GET_ANY,
    UA_GET_NEVER
} ua_verify_on_get_e;

typedef enum { UA_REMOTE_USERNAME, UA_REMOTE_ID, UA_REMOTE_EMAIL } ua_remote_user_e;

typedef enum { UA_PASS_ENVIRONMENT, UA_PASS_HEADERS, UA_PASS_BOTH, UA_PASS_NONE } ua_pass_as_e;

typedef enum { UA_ENCODING_PERCENT, UA_ENCODING_BASE64URL } ua_encoding_e;

/* Characters of a request header's name that an administrator may choose, at most. */
#define UA_HEADER_NAME 64

/* A field that the operator asks for: UserAuthProfileField. */
typedef struct ua_profile_field_t {
    const char *name;
    const char *label;
    int required;
    int is_public;
} ua_profile_field_t;

enum {

#define UA_TEXT(member, ...)   UA_D_##member,
#define UA_LINE(member, ...)   UA_D_##member,
#define UA_PAIR(member, ...)   UA_D_##member,
#define UA_NUMBER(member, ...) UA_D_##member,
#define UA_TIME(member, ...)   UA_D_##member,
#define UA_CHOICE(member, ...) UA_D_##member,
#define UA_LIST(member, ...)   UA_D_##member,
#include "directives.def"
#undef UA_TEXT
#undef UA_LINE
#undef UA_PAIR
#undef UA_NUMBER
#undef UA_TIME
#undef UA_CHOICE
#undef UA_LIST
    UA_DIRECTIVES
};

typedef struct ua_conf_t {
#define UA_TEXT(member, ...)   const char *member;
#define UA_LINE(member, ...)   const char *member;
#define UA_PAIR(member, ...)   const char *member[2];
#define UA_NUMBER(member, ...) apr_int64_t member;
#define UA_TIME(member, ...)   apr_interval_time_t member;
#define UA_CHOICE(member, ...) apr_int64_t member;
#define UA_LIST(member, ...)   apr_array_header_t *member; /* const char *: words, "\n" between */
#include "directives.def"
#undef UA_TEXT
#undef UA_LINE
#undef UA_PAIR
#undef UA_NUMBER
#undef UA_TIME
#undef UA_CHOICE
#undef UA_LIST
    const char *where[UA_DIRECTIVES]; /* "file:line" of the directive in this scope, or NULL */
    int own;                          /* directives written in this very scope */

    /* Resolved at start: */
    ua_base_url_t base;
    const char *site;            /* the base URL's text: marks rows and mails of this site */
    int secure;                  /* cookies get Secure and the __Host- prefix */
    const char *cookie;          /* name of the session's */
    const char *database_params; /* with the password: for no log */
    const char *state_folder;    /* where the key file is by default */
    ua_mail_e mail_kind;
    const char *mail_target; /* the folder, or the server's URL */
    const char *mail_password;
    const char *from_name, *from_address;
    int mail_tls_mode; /* ua_smtp_tls_e of curl_smtp.h */
    ua_rate_t rates[UA_RATES];
    ua_rate_t mail_rates[UA_MAIL_RATES]; /* to one address */
    ua_rate_t mail_rate;                 /* of the site */
    ua_pwhash_params_t pwhash;
    const char *const *blocklist; /* sorted, NFC and folded; or NULL */
    apr_size_t blocklist_count;
    apr_array_header_t *profile_fields; /* ua_profile_field_t, or NULL */
} ua_conf_t;

typedef enum {
    UA_KIND_TEXT,
    UA_KIND_LINE,
    UA_KIND_PAIR,
    UA_KIND_NUMBER,
    UA_KIND_TIME,
    UA_KIND_CHOICE,
    UA_KIND_LIST
} ua_kind_e;

typedef struct ua_directive_t {
    ua_kind_e kind;
    const char *name;
    apr_size_t offset;
    const char *initial;
    apr_int64_t smallest, largest;
    const char *choices;
    const char *help;
} ua_directive_t;

/* UA_DIRECTIVES rows in the order of directives.def. */
extern const ua_directive_t ua_directives[];

ua_conf_t *ua_conf_create(apr_pool_t *pool);

/* Sets row `index` from the words of a line found at `where`; a later line replaces an earlier one,
 * but for lists. NULL, or one sentence that says what is wrong and what is right. */
const char *ua_conf_set(ua_conf_t *conf, apr_pool_t *pool, int index, int argc,
                        const char *const *argv, const char *where);

/* What `over` leaves unset is `under`'s; lists are joined. `own` is over's. */
ua_conf_t *ua_conf_merge(apr_pool_t *pool, const ua_conf_t *under, const ua_conf_t *over);

/* Gives every row that is still unset its default. */
void ua_conf_defaults(ua_conf_t *conf, apr_pool_t *pool);

/* "30/5m" or "off". APR_EINVAL. */
apr_status_t ua_rate_parse(ua_rate_t *out, const char *text) UA_MUST_USE;

#endif
