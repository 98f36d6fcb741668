/* settings_lines.h: directive lines through ua_settings_resolve(), for the tests of settings*.c. No site is started, no file is made but those a test writes. */
#ifndef SETTINGS_LINES_H
#define SETTINGS_LINES_H

#include "fixture.h"

/* "{}" is the test's folder. Lines that every site needs come first; later ones replace them. */
static const char *const needed_lines[] = {
    "UserAuthBaseURL https://www.example.com", "UserAuthDatabase sqlite3 {}/userauth.db",
    "UserAuthMail folder:{}/mail accounts@example.com", NULL};

static inline int index_of(const char *name)
{
    for (int i = 0; i < UA_DIRECTIVES; i++) {
        if (strcmp(ua_directives[i].name, name) == 0) {
            return i;
        }
    }
    fail_msg("no such directive: %s", name);
    return -1;
}

static inline void set_line(ua_test_t *t, ua_conf_t *conf, const char *line)
{
    const char *mark = strstr(line, "{}");
    const char *err = NULL;
    char **words = NULL;
    int count = 0;

    while (mark) {
        line = apr_pstrcat(t->pool, apr_pstrmemdup(t->pool, line, (apr_size_t)(mark - line)),
                           t->folder, mark + 2, NULL);
        mark = strstr(line, "{}");
    }
    assert_int_equal(apr_tokenize_to_argv(line, &words, t->pool), APR_SUCCESS);
    while (words[count]) {
        count++;
    }
    err = ua_conf_set(conf, t->pool, index_of(words[0]), count - 1,
                      (const char *const *)words + 1, "test.conf:1");
    if (err) {
        fail_msg("%s: %s", line, err);
    }
}

/* Lines separated by line ends; one that begins with "-" leaves a needed line out. */
static inline const char *resolve(ua_test_t *t, ua_conf_t **out, int *row, const char *lines)
{
    char *state = NULL;

    *out = ua_conf_create(t->pool);
    for (const char *const *needed = needed_lines; *needed; needed++) {
        const char *name = apr_pstrmemdup(t->pool, *needed, strcspn(*needed, " "));

        if (!strstr(lines, apr_pstrcat(t->pool, "-", name, NULL))) {
            set_line(t, *out, *needed);
        }
    }
    for (char *line = apr_strtok(apr_pstrdup(t->pool, lines), "\n", &state); line;
         line = apr_strtok(NULL, "\n", &state)) {
        if (*line != '-') {
            set_line(t, *out, line);
        }
    }
    *row = -2;
    return ua_settings_resolve(*out, t->pool, row);
}

/* The settings these lines give. */
static inline ua_conf_t *resolved(ua_test_t *t, const char *lines)
{
    ua_conf_t *conf = NULL;
    int row = 0;
    const char *err = resolve(t, &conf, &row, lines);

    if (err) {
        fail_msg("%s: refused: %s", lines, err);
    }
    return conf;
}

/* What must not start. The message names the directive and says what is right. */
typedef struct refused_t {
    const char *lines;
    const char *directive; /* whose line is named; NULL when the line is missing */
    const char *says;
    const char *remedy;
} refused_t;

/* How much is wrong with the answer to one row. */
static inline int judge_refusal(ua_test_t *t, const refused_t *expected)
{
    ua_conf_t *conf = NULL;
    int row = 0;
    const char *err = resolve(t, &conf, &row, expected->lines);
    int right = err && strstr(err, "UserAuth") && strstr(err, expected->says) &&
                strstr(err, expected->remedy) &&
                row == (expected->directive ? index_of(expected->directive) : -1);

    if (!right) {
        print_error("%s\n  gives: %s\n  at: %s\n", expected->lines, err ? err : "(accepted)",
                    row >= 0 ? ua_directives[row].name : "no line");
    }
    return !right;
}

static inline void judge_refusals(const refused_t *rows, size_t count)
{
    ua_test_t *t = ua_test_begin();
    int wrong = 0;

    for (size_t i = 0; i < count; i++) {
        wrong += judge_refusal(t, &rows[i]);
    }
    assert_int_equal(wrong, 0);
    ua_test_close(t);
}

#endif
