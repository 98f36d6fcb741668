/* page.c: a reply's body and headers: the view as JSON (page_json.c) or as a page (page_html.c).
 *
 * Every page gets the same frame around the feature's own keys; a JSON answer is the feature's view
 * as it is. The texts of problems and notices are looked up here. */
#include "page.h"
#include "base/url.h"

#include <string.h>

#define CSP                                                                                    \
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "                \
    "connect-src 'self'; base-uri 'none'; frame-ancestors 'none'"

typedef struct text_t {
    const char *code;
    const char *title;
    const char *detail;
} text_t;

static const text_t problems[] = {
#define UA_PROBLEM(constant, code, status, title, detail) {code, title, detail},
#include "features/problems.def"
#undef UA_PROBLEM
};

static const text_t notices[] = {
#define UA_NOTICE(constant, code, text) {code, text, NULL},
#include "features/notices.def"
#undef UA_NOTICE
};

const char *ua_page_title(const ua_res_t *res)
{
    return res->title ? res->title : problems[res->problem].title;
}

const char *ua_page_detail(const ua_res_t *res)
{
    return res->detail ? res->detail : problems[res->problem].detail;
}

int ua_page_offers(const ua_req_t *req, const ua_link_t *link)
{
    return ua_route_find(req->ctx->conf, link->path) != NULL;
}

const char *ua_page_code(ua_problem_e problem)
{
    return problems[problem].code;
}

const char *ua_page_notice(ua_notice_e notice)
{
    return notices[notice].title;
}

const char *ua_page_notice_of_code(const char *code)
{
    for (int i = 1; i < UA_NOTICES; i++) {
        if (strcmp(notices[i].code, code) == 0) {
            return notices[i].title;
        }
    }
    return NULL;
}

static void add_headers(ua_req_t *req, ua_res_t *res)
{
    apr_table_t *h = res->headers;
    const ua_conf_t *conf = req->ctx->conf;
    /* Also when the link is mangled, or its name is written with escapes. */
    int holds_token =
        strstr(req->query, "token=") || ua_query_get(req->ctx->pool, req->query, "token");

    apr_table_setn(h, "X-Content-Type-Options", "nosniff");
    apr_table_setn(h, "Referrer-Policy", holds_token ? "no-referrer" : "same-origin");
    apr_table_setn(h, "Content-Security-Policy", CSP);
    apr_table_setn(h, "X-Frame-Options", "DENY");
    apr_table_setn(h, "Cross-Origin-Opener-Policy", "same-origin");
    if (!apr_table_get(h, "Cache-Control")) {
        apr_table_setn(h, "Cache-Control", "no-store");
    }
    if (conf->secure && req->https && !conf->base.localhost) {
        apr_table_setn(h, "Strict-Transport-Security", "max-age=31536000");
    }
    if (res->retry_after > 0) {
        apr_table_setn(h, "Retry-After",
                       apr_psprintf(req->ctx->pool, "%" APR_INT64_T_FMT, res->retry_after));
    }
    for (int i = 0; i < res->cookies->nelts; i++) {
        apr_table_addn(
            h, "Set-Cookie",
            ua_cookie_text(req->ctx->pool, &APR_ARRAY_IDX(res->cookies, i, ua_cookie_t)));
    }
}

void ua_page_finish(const ua_app_t *app, ua_req_t *req, ua_res_t *res)
{
    int json = req->wants_json ||
               (req->route && !req->route->template && !res->problem && !res->location);
    int bodiless = res->status == 204 || res->raw;

    if (!bodiless && json) {
        ua_page_json(req, res);
    }
    else if (!bodiless && !res->location) {
        ua_page_html(app, req, res);
    }
    add_headers(req, res);
}

static void add_template(void *baton, const ua_route_t *route)
{
    if (route->template) {
        APR_ARRAY_PUSH((apr_array_header_t *)baton, const char *) = route->template;
    }
}

const char *const *ua_page_templates(apr_pool_t *pool)
{
    apr_array_header_t *names = apr_array_make(pool, 64, sizeof(const char *));

    APR_ARRAY_PUSH(names, const char *) = "problem.html";
    ua_routes_each(add_template, names);
    for (int kind = 0; kind < UA_MAIL_NOBODY; kind++) {
        const char *stem = apr_pstrcat(pool, "mail/", ua_mail_kinds[kind].name, NULL);

        APR_ARRAY_PUSH(names, const char *) = apr_pstrcat(pool, stem, ".txt", NULL);
        APR_ARRAY_PUSH(names, const char *) = apr_pstrcat(pool, stem, ".html", NULL);
    }
    APR_ARRAY_PUSH(names, const char *) = NULL;
    return (const char *const *)(void *)names->elts;
}
