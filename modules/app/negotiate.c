/* negotiate.c: media types of requests: JSON or HTML, form or JSON body (contract 1, "Formats"). */
#include "app.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

/* 1 when a media type without its parameters is `type`. */
static int is_type(const char *text, const char *type)
{
    apr_size_t length = strlen(type);

    while (*text == ' ' || *text == '\t') {
        text++;
    }
    return strncasecmp(text, type, length) == 0 &&
           (text[length] == '\0' || strchr(" \t;,", text[length]));
}

int ua_is_json(const char *content_type)
{
    return is_type(content_type, "application/json");
}

int ua_is_form(const char *content_type)
{
    return is_type(content_type, "application/x-www-form-urlencoded");
}

/* The weight 0..1000 of one range "type/sub;q=0.9". */
static int weight_of(const char *range)
{
    double value = 1.0;

    for (const char *p = strchr(range, ';'); p; p = strchr(p, ';')) {
        p += 1 + strspn(p + 1, " \t");
        if ((*p == 'q' || *p == 'Q') && p[1] == '=') {
            value = strtod(p + 2, NULL);
        }
    }
    return value <= 0.0 ? 0 : value >= 1.0 ? 1000 : (int)(value * 1000.0);
}

static int larger(int a, int b)
{
    return a > b ? a : b;
}

/* JSON is wanted where it is named and no less welcome than HTML. */
int ua_wants_json(const ua_req_t *req)
{
    apr_pool_t *pool = req->ctx->pool;
    char *state = NULL;
    int json = 0;
    int html = 0;

    if (ua_is_json(req->content_type)) {
        return 1;
    }
    for (char *r = apr_strtok(apr_pstrdup(pool, req->accept), ",", &state); r;
         r = apr_strtok(NULL, ",", &state)) {
        if (is_type(r, "application/json") || is_type(r, "application/problem+json")) {
            json = larger(json, weight_of(r));
        }
        else if (is_type(r, "text/html") || is_type(r, "application/xhtml+xml")) {
            html = larger(html, weight_of(r));
        }
    }
    return json > 0 && json >= html;
}
