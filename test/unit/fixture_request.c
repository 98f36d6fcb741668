/* fixture_request.c: requests to the site of a unit test, and its replies: see fixture.h.
 *
 * Stands where modules/httpd/ stands in a server: makes a ua_req_t, keeps the cookies of the reply. */
#include "fixture.h"

#include "base/url.h"

#include <stdlib.h>

#define FORM "application/x-www-form-urlencoded"

void ua_test_header(ua_test_t *t, const char *name, const char *value)
{
    apr_table_set(t->headers, name, value);
}

void ua_test_browser(ua_test_t *t)
{
    ua_test_header(t, "Sec-Fetch-Site", "same-origin");
    ua_test_header(t, "Sec-Fetch-Mode", "navigate");
    ua_test_header(t, "Sec-Fetch-Dest", "document");
    ua_test_header(t, "Accept", "text/html,application/xhtml+xml,*/*;q=0.8");
}

static const char *header_of(ua_test_t *t, const char *name)
{
    const char *value = apr_table_get(t->headers, name);

    return value ? apr_pstrdup(t->turn, value) : "";
}

static const char *jar_header(ua_test_t *t)
{
    const apr_array_header_t *entries = apr_table_elts(t->jar);
    const char *header = "";

    for (int i = 0; i < entries->nelts; i++) {
        const apr_table_entry_t *e = &APR_ARRAY_IDX(entries, i, apr_table_entry_t);

        header = apr_pstrcat(t->turn, header, *header ? "; " : "", e->key, "=", e->val, NULL);
    }
    return header;
}

static void fill_headers(ua_test_t *t, ua_req_t *req)
{
    const char *purpose = header_of(t, "Sec-Purpose");

    req->cookie = apr_table_get(t->headers, "Cookie") ? header_of(t, "Cookie") : jar_header(t);
    req->accept = header_of(t, "Accept");
    req->origin = header_of(t, "Origin");
    req->referer = header_of(t, "Referer");
    req->fetch_site = header_of(t, "Sec-Fetch-Site");
    req->fetch_mode = header_of(t, "Sec-Fetch-Mode");
    req->fetch_dest = header_of(t, "Sec-Fetch-Dest");
    req->fetch_user = header_of(t, "Sec-Fetch-User");
    req->purpose = *purpose ? purpose : header_of(t, "Purpose");
    req->requested_with = header_of(t, "X-Requested-With");
    req->authorization = header_of(t, "Authorization");
    if (t->json && !*req->accept) {
        req->accept = "application/json";
    }
    apr_table_clear(t->headers);
}

/* Who passes the gate gets no reply. */
static void keep_cookies(ua_test_t *t)
{
    for (int i = 0; t->res->cookies && i < t->res->cookies->nelts; i++) {
        const ua_cookie_t *cookie = &APR_ARRAY_IDX(t->res->cookies, i, ua_cookie_t);

        if (*cookie->value) {
            apr_table_set(t->jar, cookie->name, cookie->value);
        }
        else {
            apr_table_unset(t->jar, cookie->name);
        }
    }
}

/* A fresh request and an empty reply. */
static void begin(ua_test_t *t, ua_method_e method, const char *uri)
{
    const char *kept_uri = apr_pstrdup(t->pool, uri);
    const char *query = strchr(kept_uri, '?');

    apr_pool_clear(t->turn);
    t->req = apr_pcalloc(t->turn, sizeof *t->req);
    t->res = apr_pcalloc(t->turn, sizeof *t->res);
    t->req->ctx = ua_test_context(t);
    t->req->method = method;
    t->req->path =
        query ? apr_pstrmemdup(t->turn, kept_uri, (apr_size_t)(query - kept_uri)) : kept_uri;
    t->req->query = query ? query + 1 : "";
    t->req->uri = kept_uri;
    t->req->https = t->https;
    t->req->body = t->req->content_type = "";
    fill_headers(t, t->req);
}

/* What holds after every request: connection and hash slot are given back. */
static void end(ua_test_t *t)
{
    t->body = t->res->raw ? apr_pstrmemdup(t->turn, t->res->raw, t->res->raw_length) : "";
    assert_null(t->req->ctx->db);
    assert_int_equal(t->req->ctx->slot, -1);
    keep_cookies(t);
}

int ua_test_request(ua_test_t *t, ua_method_e method, const char *uri, const char *type,
                    const char *body)
{
    const char *kept_body = apr_pstrdup(t->pool, body ? body : "");

    begin(t, method, uri);
    t->req->body = kept_body;
    t->req->length = strlen(kept_body);
    t->req->content_type = type;
    ua_app_handle(t->app, t->req, t->res);
    end(t);
    return t->res->status;
}

int ua_test_gated(ua_test_t *t, ua_method_e method, const char *uri)
{
    apr_status_t rv = APR_SUCCESS;

    begin(t, method, uri);
    rv = ua_gate_admit(t->app, t->req);
    if (rv != APR_SUCCESS) {
        ua_gate_deny(t->app, t->req, t->res, rv);
    }
    end(t);
    return rv == APR_SUCCESS ? 0 : t->res->status;
}

int ua_test_get(ua_test_t *t, const char *uri)
{
    return ua_test_request(t, UA_METHOD_GET, uri, "", NULL);
}

int ua_test_head(ua_test_t *t, const char *uri)
{
    return ua_test_request(t, UA_METHOD_HEAD, uri, "", NULL);
}

static const char *form_of(ua_test_t *t, va_list fields)
{
    const char *body = "";

    for (const char *name = va_arg(fields, const char *); name;
         name = va_arg(fields, const char *)) {
        const char *value = va_arg(fields, const char *);

        body = apr_pstrcat(t->pool, body, *body ? "&" : "", ua_url_encode(t->pool, name), "=",
                           ua_url_encode(t->pool, value), NULL);
    }
    return body;
}

int ua_test_post(ua_test_t *t, const char *uri, ...)
{
    va_list fields;
    const char *body = NULL;

    va_start(fields, uri);
    body = form_of(t, fields);
    va_end(fields);
    return ua_test_request(t, UA_METHOD_POST, uri, FORM, body);
}

/* What the test asked for with ua_test_header(), for the submit rather than the page before it. */
static apr_table_t *set_aside(ua_test_t *t)
{
    apr_table_t *headers = apr_table_clone(t->pool, t->headers);

    apr_table_clear(t->headers);
    return headers;
}

int ua_test_submit(ua_test_t *t, const char *uri, ...)
{
    /* Where the page itself has no form, any page of this browser has the field. */
    static const char *const pages[] = {NULL, "/login", "/logout"};
    apr_table_t *headers = set_aside(t);
    va_list fields;
    const char *body = NULL;
    const char *csrf = NULL;

    va_start(fields, uri);
    body = form_of(t, fields);
    va_end(fields);
    for (size_t i = 0; !csrf && i < sizeof pages / sizeof *pages; i++) {
        ua_test_browser(t);
        (void)ua_test_get(t,
                          pages[i] ? apr_pstrcat(t->pool, t->conf->path, pages[i], NULL) : uri);
        csrf = ua_test_hidden(t, "csrf");
    }
    assert_non_null(csrf);
    body = apr_pstrcat(t->pool, body, *body ? "&" : "", "csrf=", csrf, NULL);
    ua_test_browser(t);
    apr_table_overlap(t->headers, headers, APR_OVERLAP_TABLES_SET);
    return ua_test_request(t, UA_METHOD_POST, uri, FORM, body);
}

int ua_test_post_json(ua_test_t *t, const char *uri, const char *json)
{
    return ua_test_request(t, UA_METHOD_POST, uri, "application/json", json);
}

const char *ua_test_hidden(ua_test_t *t, const char *name)
{
    const char *mark = apr_pstrcat(t->pool, "name=\"", name, "\" value=\"", NULL);
    const char *found = strstr(t->body, mark);

    return found ? apr_pstrmemdup(t->pool, found + strlen(mark),
                                  strcspn(found + strlen(mark), "\""))
                 : NULL;
}

static const char *cookie_name(const ua_test_t *t, const char *name)
{
    return apr_pstrcat(t->pool, t->conf->secure ? "__Host-userauth" : "userauth",
                       *name ? "-" : "", name, NULL);
}

const char *ua_test_cookie(ua_test_t *t, const char *name)
{
    return apr_table_get(t->jar, cookie_name(t, name));
}

void ua_test_forget(ua_test_t *t, const char *name)
{
    apr_table_unset(t->jar, cookie_name(t, name));
}

const ua_cookie_t *ua_test_set_cookie(const ua_test_t *t, const char *name)
{
    const char *full = cookie_name(t, name);

    for (int i = 0; i < t->res->cookies->nelts; i++) {
        const ua_cookie_t *cookie = &APR_ARRAY_IDX(t->res->cookies, i, ua_cookie_t);

        if (strcmp(cookie->name, full) == 0) {
            return cookie;
        }
    }
    return NULL;
}

const char *ua_test_location(const ua_test_t *t)
{
    return t->res->location ? t->res->location : "";
}

const char *ua_test_reply_header(const ua_test_t *t, const char *name)
{
    const char *value = apr_table_get(t->res->headers, name);

    return value ? value : "";
}

const char *ua_test_value(ua_test_t *t, const char *path)
{
    json_t *value = ua_json_own(t->turn, json_loads(t->body, 0, NULL));
    const char *kept = NULL;
    char *state = NULL;
    char *text = NULL;

    for (char *name = apr_strtok(apr_pstrdup(t->turn, path), ".", &state); name && value;
         name = apr_strtok(NULL, ".", &state)) {
        value = json_object_get(value, name);
    }
    if (!value) {
        return "";
    }
    if (json_is_string(value)) {
        return json_string_value(value);
    }
    text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
    kept = apr_pstrdup(t->turn, text);
    free(text);
    return kept;
}

int ua_test_shows(const ua_test_t *t, const char *text)
{
    return strstr(t->body, text) != NULL;
}

/* ---- the journey ---- */

void ua_test_register(ua_test_t *t, const char *name)
{
    const char *email = apr_pstrcat(t->pool, name, "@example.org", NULL);

    assert_status(t,
                  ua_test_post(t, "/auth/register", "username", name, "email", email,
                               "password", UA_TEST_PASSWORD, NULL),
                  t->json ? 201 : 303);
}

void ua_test_member(ua_test_t *t, const char *name)
{
    const char *mail = NULL;

    ua_test_register(t, name);
    assert_non_null(ua_test_mail(t));
    assert_status(t, ua_test_post(t, "/auth/verify", "token", ua_test_token(t, "verify"), NULL),
                  t->json ? 200 : 303);
    mail = t->mail;
    assert_non_null(ua_test_mail(t)); /* the welcome leaves; the links stay at hand */
    t->mail = mail;
    apr_table_clear(t->jar);
}

void ua_test_login(ua_test_t *t, const char *name)
{
    assert_status(
        t, ua_test_submit(t, "/auth/login", "login", name, "password", UA_TEST_PASSWORD, NULL),
        t->json ? 200 : 303);
    assert_non_null(ua_test_cookie(t, ""));
}
