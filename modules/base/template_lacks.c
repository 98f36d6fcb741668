/* template_lacks.c: finds the page that lacks what it needs (CFG-06): a form that posts its
 * forgery field, a mail its link.
 *
 * Works on the text of the whole page, files and blocks unfolded, where \001 stands for the
 * variable looked for and \002 for any other, once as it is and once with each \002 left out: a
 * variable may be empty. It rather refuses too much: a form whose method is a variable counts as
 * one that posts, and so does a form in a comment. Each byte is looked at a fixed number of times.
 */
#include "template_tree.h"

#include <string.h>

/* 1 when some method="…" is not get or dialog; a form without one is get. */
static int form_posts(const char *at)
{
    while ((at = strcasestr(at, "method"))) {
        at += strlen("method");
        at += strspn(at, " \t\r\n");
        if (*at != '=') {
            continue;
        }
        at++;
        at += strspn(at, " \t\r\n\"'");
        if (strncasecmp(at, "get", 3) != 0 && strncasecmp(at, "dialog", 6) != 0) {
            return 1;
        }
    }
    return 0;
}

/* The first form, or "". */
static const char *form_find(const char *at)
{
    while ((at = strcasestr(at, "<form"))) {
        at += strlen("<form");
        if (strchr(" \t\r\n>\002", *at)) {
            return at;
        }
    }
    return "";
}

/* Cuts `text` at each end of a form. What stands behind the last field before an end lacks one. */
static int forms_lack(char *text)
{
    while (text) {
        char *end = strcasestr(text, "</form");
        const char *field;

        if (end) {
            *end++ = '\0';
        }
        field = strrchr(text, '\001');
        if (form_posts(form_find(field ? field : text))) {
            return 1;
        }
        text = end;
    }
    return 0;
}

/* The text in which every variable but the one looked for is empty. */
static char *bare_make(apr_pool_t *pool, const char *text)
{
    char *bare = apr_pstrdup(pool, text);
    char *to = bare;

    for (; *text; text++) {
        if (*text != '\002') {
            *to++ = *text;
        }
    }
    *to = '\0';
    return bare;
}

static int lacks(apr_pool_t *pool, const char *text)
{
    return forms_lack(bare_make(pool, text)) || forms_lack(apr_pstrdup(pool, text));
}

static int says(apr_pool_t *pool, const char *text)
{
    (void)pool;
    return strchr(text, '\001') != NULL;
}

/* What `judge` says of the whole page; `unknown` of one that was not loaded. */
static int ask(int (*judge)(apr_pool_t *, const char *), int unknown,
               const ua_templates_t *templates, const char *name, const char *variable)
{
    const ua_template_t *file = apr_hash_get(templates->files, name, APR_HASH_KEY_STRING);
    const ua_node_t *at;
    const char *text = NULL;
    apr_pool_t *scratch;
    int answer = unknown;

    if (!file || apr_pool_create(&scratch, NULL) != APR_SUCCESS) {
        return unknown;
    }
    if (ua_template_outline(&text, &at, scratch, file, variable) == APR_SUCCESS) {
        answer = judge(scratch, text);
    }
    apr_pool_destroy(scratch);
    return answer;
}

int ua_template_lacks(const ua_templates_t *templates, const char *name, const char *variable)
{
    return ask(lacks, 1, templates, name, variable);
}

int ua_template_says(const ua_templates_t *templates, const char *name, const char *variable)
{
    return ask(says, 0, templates, name, variable);
}
