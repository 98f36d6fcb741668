/* template_lacks.c: finds the form that posts without its forgery field (CFG-06).
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

int ua_template_lacks(const ua_templates_t *templates, const char *name, const char *variable)
{
    const ua_template_t *file = apr_hash_get(templates->files, name, APR_HASH_KEY_STRING);
    const ua_node_t *at;
    const char *text = "";
    apr_pool_t *scratch;
    int lacks = 1;

    if (!file || apr_pool_create(&scratch, NULL) != APR_SUCCESS) {
        return file != NULL;
    }
    if (ua_template_outline(&text, &at, scratch, file, variable) == APR_SUCCESS) {
        lacks = forms_lack(bare_make(scratch, text)) || forms_lack(apr_pstrdup(scratch, text));
    }
    apr_pool_destroy(scratch);
    return lacks;
}
