/* directives.c: fuzzes the values of directives (base/conf.c, directives.def, app/settings*.c). The input is
 * lines of a configuration; lines of other directives are left out, and files are never opened.
 *
 * The oracle reads each value once more by the row's kind: a line either changes its member to just that value
 * within the range, or changes nothing and is refused with words that name the directive. Then the whole is
 * resolved: it is refused with words, or each resolved setting is within its bounds.
 */
#include "fuzz.h"
#include "app/app.h"
#include "app/settings.h"
#include "base/conf.h"
#include "base/mail_encode.h"
#include "base/unicode.h"

#include <apr_cstr.h>
#include <string.h>

#define MOST_WORDS 18

__extension__ typedef __int128 wide_t;

/* Words between blanks; quotes hold one together. How many there are. */
static int words_of(const char **words, apr_pool_t *pool, const char *line)
{
    int count = 0;

    for (line += strspn(line, " \t"); *line && count < MOST_WORDS;
         line += strspn(line, " \t")) {
        int quoted = *line == '"';
        size_t length = strcspn(line + quoted, quoted ? "\"" : " \t");

        words[count++] = apr_pstrmemdup(pool, line + quoted, length);
        line += length + (apr_size_t)quoted;
        line += quoted && *line == '"';
    }
    return count;
}

static int index_of(const char *name)
{
    for (int i = 0; i < UA_DIRECTIVES; i++) {
        if (strcmp(ua_directives[i].name, name) == 0) {
            return i;
        }
    }
    return -1;
}

/* A whole number, and what follows it; -1 without digits. Beyond 10^24 it grows no more. */
static wide_t number_of(const char **rest, const char *text)
{
    wide_t number = *text >= '0' && *text <= '9' ? 0 : -1;

    for (; *text >= '0' && *text <= '9'; text++) {
        number = number < (wide_t)1000000000000 * 1000000000000 ? number * 10 + (*text - '0')
                                                                : number;
    }
    *rest = text;
    return number;
}

/* In microseconds; -1 when it is no duration. */
static wide_t duration_of(const char *text)
{
    static const char units[] = "smhd";
    static const int seconds[] = {1, 60, 3600, 86400};
    const char *rest = NULL;
    wide_t number = number_of(&rest, text);
    const char *unit = *rest ? strchr(units, *rest) : units;

    if (number < 0 || !unit || (*rest && rest[1])) {
        return -1;
    }
    return number * seconds[unit - units] * APR_USEC_PER_SEC;
}

/* Which of "a|b|c" it is, without regard to case; -1 for none. */
static int choice_of(apr_pool_t *pool, const char *choices, const char *word)
{
    char *rest = apr_pstrdup(pool, choices);
    int n = 0;

    for (char *choice = strsep(&rest, "|"); choice; choice = strsep(&rest, "|"), n++) {
        if (apr_cstr_casecmp(choice, word) == 0) {
            return n;
        }
    }
    return -1;
}

static const char *joined(apr_pool_t *pool, int count, const char *const *words,
                          const char *between)
{
    const char *text = words[0];

    for (int i = 1; i < count; i++) {
        text = apr_pstrcat(pool, text, between, words[i], NULL);
    }
    return text;
}

/* 1 when the member is what these words say. */
static int is_said(apr_pool_t *pool, const ua_directive_t *row, const void *member, int count,
                   const char *const *words)
{
    const char *rest = NULL;
    wide_t number = 0;

    switch (row->kind) {
    case UA_KIND_NUMBER:
        number = number_of(&rest, words[0]);
        return !*rest && number >= row->smallest && number <= row->largest &&
               *(const apr_int64_t *)member == number;
    case UA_KIND_TIME:
        number = duration_of(words[0]);
        return number >= apr_time_from_sec(row->smallest) &&
               number <= apr_time_from_sec(row->largest) &&
               *(const apr_interval_time_t *)member == number;
    case UA_KIND_CHOICE:
        return *(const apr_int64_t *)member >= 0 &&
               *(const apr_int64_t *)member == choice_of(pool, row->choices, words[0]);
    case UA_KIND_TEXT:
    case UA_KIND_LINE:
        return fuzz_same(*(const char *const *)member, joined(pool, count, words, " "));
    case UA_KIND_PAIR:
        return fuzz_same(((const char *const *)member)[0], words[0]) &&
               fuzz_same(((const char *const *)member)[1], words[1]);
    case UA_KIND_LIST: {
        const apr_array_header_t *list = *(apr_array_header_t *const *)member;

        return list && fuzz_same(APR_ARRAY_IDX(list, list->nelts - 1, const char *),
                                 joined(pool, count, words, "\n"));
    }
    }
    return 0;
}

/* 1 when these words have to be accepted. */
static int is_right(apr_pool_t *pool, const ua_directive_t *row, int count,
                    const char *const *words)
{
    int several = row->kind == UA_KIND_LINE || row->kind == UA_KIND_LIST;
    int fewest = row->kind == UA_KIND_PAIR ? 2 : 1;
    const char *rest = NULL;
    wide_t number = 0;

    if (count < fewest || count > (several ? 16 : fewest)) {
        return 0;
    }
    if (row->kind == UA_KIND_NUMBER) {
        number = number_of(&rest, words[0]);
        return !*rest && strlen(words[0]) <= 18 && number >= row->smallest &&
               number <= row->largest;
    }
    if (row->kind == UA_KIND_TIME) {
        number = duration_of(words[0]);
        return number >= apr_time_from_sec(row->smallest) &&
               number <= apr_time_from_sec(row->largest);
    }
    if (row->kind == UA_KIND_CHOICE) {
        return choice_of(pool, row->choices, words[0]) >= 0;
    }
    return row->kind == UA_KIND_PAIR || row->kind == UA_KIND_LIST ||
           *joined(pool, count, words, " ");
}

static void check_line(ua_conf_t *conf, apr_pool_t *pool, const char *line)
{
    const char *words[MOST_WORDS] = {NULL};
    int count = words_of(words, pool, line) - 1;
    int index = count >= 0 ? index_of(words[0]) : -1;
    const ua_directive_t *row = index >= 0 ? &ua_directives[index] : NULL;
    const ua_conf_t before = *conf;
    const char *err = NULL;

    if (!row) {
        return;
    }
    err = ua_conf_set(conf, pool, index, count, words + 1, "fuzz.conf:1");
    FUZZ_CHECK((err == NULL) == is_right(pool, row, count, words + 1), "%s: %s", line,
               err ? err : "accepted");
    if (err) {
        FUZZ_CHECK(strstr(err, row->name) && strlen(err) > strlen(row->name) + 10,
                   "no words: %s", err);
        FUZZ_CHECK(memcmp(&before, conf, sizeof before) == 0, "refused, and yet changed: %s",
                   line);
        return;
    }
    FUZZ_CHECK(is_said(pool, row, (const char *)conf + row->offset, count, words + 1),
               "another value: %s", line);
    FUZZ_CHECK(fuzz_same(conf->where[index], "fuzz.conf:1") && conf->own == before.own + 1,
               "not noted: %s", line);
}

/* ---- all lines together ---- */

static void check_rates(const ua_rate_t *rates, int count)
{
    for (int i = 0; i < count; i++) {
        FUZZ_CHECK((rates[i].count == 0 && rates[i].duration == 0) ||
                       (rates[i].count >= 1 && rates[i].count <= 999999999 &&
                        rates[i].duration >= apr_time_from_sec(1)),
                   "a rate of %" APR_INT64_T_FMT " in %" APR_INT64_T_FMT, rates[i].count,
                   rates[i].duration);
    }
}

static int is_plain_text(const char *text)
{
    return fuzz_plain_utf8(text, strlen(text)) && !ua_utf8_deceptive(text);
}

static void check_fields(const apr_array_header_t *fields)
{
    FUZZ_CHECK(fields->nelts <= 16, "%d fields", fields->nelts);
    for (int i = 0; i < fields->nelts; i++) {
        const ua_profile_field_t *field = &APR_ARRAY_IDX(fields, i, ua_profile_field_t);
        size_t length = strlen(field->name);

        FUZZ_CHECK(length >= 1 && length <= 32 && field->name[0] >= 'a' &&
                       field->name[0] <= 'z' &&
                       strspn(field->name, "0123456789_abcdefghijklmnopqrstuvwxyz") == length,
                   "a field named \"%s\"", field->name);
        FUZZ_CHECK(*field->label && is_plain_text(field->label) &&
                       ua_utf8_length(field->label) <= 64,
                   "a field with the label \"%s\"", field->label);
        for (int j = 0; j < i; j++) {
            FUZZ_CHECK(
                !fuzz_same(field->name, APR_ARRAY_IDX(fields, j, ua_profile_field_t).name),
                "two fields named \"%s\"", field->name);
        }
    }
}

static void check_resolved(const ua_conf_t *conf)
{
    const char *visible[] = {conf->path, conf->dashboard_path, conf->site, conf->pass_prefix,
                             conf->pass_user_header};

    for (size_t i = 0; i < sizeof visible / sizeof *visible; i++) {
        for (const char *at = visible[i]; *at; at++) {
            FUZZ_CHECK(*at > ' ' && *at < 0x7f && !strchr("\"'<>;", *at),
                       "not fit for a header: %s", visible[i]);
        }
    }
    FUZZ_CHECK(fuzz_same(conf->site, conf->base.text) &&
                   fuzz_same(conf->cookie, conf->secure ? "__Host-userauth" : "userauth"),
               "the site %s", conf->site);
    FUZZ_CHECK(conf->pwhash.memory_kib >= 7168 && conf->pwhash.memory_kib <= 1048576 &&
                   conf->pwhash.passes >= 1 && conf->pwhash.passes <= 10,
               "a hash out of bounds");
    check_rates(conf->rates, UA_RATES);
    check_rates(conf->mail_rates, UA_MAIL_RATES);
    check_rates(&conf->mail_rate, 1);
    FUZZ_CHECK(ua_mail_address_plain(conf->from_address) &&
                   (!conf->mail_reply_to || ua_mail_address_plain(conf->mail_reply_to)),
               "the sender %s", conf->from_address);
    FUZZ_CHECK(conf->mail_kind == UA_MAIL_FOLDER ? conf->mail_target[0] == '/'
                                                 : !strpbrk(conf->mail_target, " \t\r\n@?#"),
               "mails go to %s", conf->mail_target);
    FUZZ_CHECK(is_plain_text(conf->site_name) && is_plain_text(conf->token_audience) &&
                   *conf->token_audience && strlen(conf->token_audience) <= 255,
               "the name %s or the audience %s", conf->site_name, conf->token_audience);
    if (conf->profile_fields) {
        check_fields(conf->profile_fields);
    }
}

/* What every site needs, if it is not among the lines; nothing that opens a file. */
static void complete(ua_conf_t *conf)
{
    conf->base_url = conf->base_url ? conf->base_url : "https://www.example.com";
    if (!conf->database[0]) {
        conf->database[0] = "sqlite3";
        conf->database[1] = "/nowhere/userauth.db";
    }
    if (!conf->mail[0]) {
        conf->mail[0] = "smtp://localhost";
        conf->mail[1] = "Example <accounts@example.com>";
    }
    conf->database_password_file = NULL;
    conf->mail_user = conf->mail_password_file = conf->mail_ca_file = NULL;
    conf->password_blocklist = NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = fuzz_pool();
    fuzz_input_t input = {data, size};
    char *rest = apr_pstrdup(pool, fuzz_rest(&input, pool));
    ua_conf_t *conf = ua_conf_create(pool);
    const char *err = NULL;
    int row = -2;

    for (char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n")) {
        check_line(conf, pool, line);
    }
    complete(conf);
    err = ua_settings_resolve(conf, pool, &row);
    if (err) {
        FUZZ_CHECK(strstr(err, "UserAuth") && strlen(err) > 30, "no words: %s", err);
        FUZZ_CHECK(row >= -1 && row < UA_DIRECTIVES, "the row %d", row);
        return 0;
    }
    check_resolved(conf);
    return 0;
}
