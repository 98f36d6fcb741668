/* template_lacks.c: finds the form that posts without its forgery field (CFG-06).
 *
 * Works on the text of the whole page, files and blocks unfolded, where \001 stands for the
 * variable looked for and \002 for any other. It rather refuses too much: a form whose method is
 * a variable counts as one that posts, and so does a form in a comment.
 */
#include "template_tree.h"

#include <string.h>

/* 1 when some method="…" between the two is not get or dialog; a form without one is get. */
static int form_posts(const char *from, const char *to)
{
    const char *at = from;

    while ((at = strcasestr(at, "method")) && at < to) {
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

static int forms_lack(const char *text)
{
    const char *form = text;

    while ((form = strcasestr(form, "<form"))) {
        const char *end = strcasestr(form, "</form");

        end = end ? end : form + strlen(form);
        if (strchr(" \t\r\n>\002", form[5]) && form_posts(form, end) &&
            !memchr(form, '\001', (apr_size_t)(end - form))) {
            return 1;
        }
        form += strlen("<form");
    }
    return 0;
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
        lacks = forms_lack(text);
    }
    apr_pool_destroy(scratch);
    return lacks;
}
