/* require.c: the Require lines of this module, and what a signed-in person hears whom they do not let in.
 *
 *   Require userauth-group NAME…    one of the account's groups
 *   Require userauth-fresh 10m      the password was given within this time, else it is asked for
 *   Require userauth-verified       the address is confirmed
 *
 * The words may hold expressions (ap_expr). Each denies when there is no session of ours; what can't be judged is
 * an error, which lets nobody in behind "not" either. */
#include "edge.h"
#include "base/text.h"

#include <ap_expr.h>
#include <http_log.h>
#include <http_request.h>
#include <mod_auth.h>
#include <string.h>

APLOG_USE_MODULE(userauth);

static const ua_session_t *session_of(const request_rec *r)
{
    const ua_req_t *gated = ua_edge_gated(r);

    return gated ? gated->session : NULL;
}

/* What a provider answers without a session: the gate comes first. */
static authz_status nobody(const request_rec *r)
{
    return r->user ? AUTHZ_DENIED : AUTHZ_DENIED_NO_USER;
}

/* httpd's scanner ends the process at an expression that is not closed or holds a quote (2.4.62 to 2.4.71), in an
 * .htaccess too. */
static int is_closed(const char *line)
{
    int open = 0;

    for (; *line; line++) {
        if (open > 0 && strchr("\"'", *line)) {
            return 0;
        }
        if (open > 0 && *line == '\\' && line[1]) {
            line++; /* "\}" closes nothing */
            continue;
        }
        open += strncmp(line, "%{", 2) == 0 ? 1 : *line == '}' && open > 0 ? -1 : 0;
    }
    return open == 0;
}

static const char *parse_words(cmd_parms *cmd, const char *name, const char *line,
                               const void **parsed)
{
    const char *err = NULL;

    if (!is_closed(line)) {
        return apr_psprintf(cmd->pool, "Require %s: a \"%%{\" is not closed, or holds a quote",
                            name);
    }
    *parsed = ap_expr_parse_cmd(cmd, line, AP_EXPR_FLAG_STRING_RESULT, &err, NULL);
    if (err) {
        return apr_psprintf(cmd->pool, "Require %s: the expression can't be read: %s", name,
                            err);
    }
    return *line ? NULL : apr_psprintf(cmd->pool, "Require %s: a word is missing", name);
}

/* The words of the line as they are for this request; NULL when the expression fails. */
static const char *words_of(request_rec *r, const void *parsed)
{
    const char *err = NULL;
    const char *words = ap_expr_str_exec(r, parsed, &err);

    if (err) {
        ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r, "UA0107: a Require line is refused: %s",
                      err);
    }
    return err ? NULL : words;
}

static int is_member(apr_pool_t *pool, const char *groups, const char *name)
{
    char *last = NULL;

    for (char *one = apr_strtok(apr_pstrdup(pool, groups), ",", &last); one;
         one = apr_strtok(NULL, ",", &last)) {
        if (strcmp(one, name) == 0) {
            return 1;
        }
    }
    return 0;
}

static const char *parse_group(cmd_parms *cmd, const char *line, const void **parsed)
{
    return parse_words(cmd, "userauth-group", line, parsed);
}

static authz_status check_group(request_rec *r, const char *line, const void *parsed)
{
    const ua_session_t *session = session_of(r);
    const char *words = session ? words_of(r, parsed) : NULL;

    (void)line;
    if (session && !words) {
        return AUTHZ_GENERAL_ERROR;
    }
    while (words && *words) {
        const char *name = ap_getword_conf(r->pool, &words);

        if (*name && is_member(r->pool, session->groups, name)) {
            return AUTHZ_GRANTED;
        }
    }
    return session ? AUTHZ_DENIED : nobody(r);
}

/* A time without expressions is read at start. */
static const char *parse_fresh(cmd_parms *cmd, const char *line, const void **parsed)
{
    apr_interval_time_t age = 0;

    if (!strstr(line, "%{") && (ua_duration_parse(&age, line) != APR_SUCCESS || age <= 0)) {
        return "Require userauth-fresh takes a duration such as 30s, 10m or 1h";
    }
    return parse_words(cmd, "userauth-fresh", line, parsed);
}

static authz_status check_fresh(request_rec *r, const char *line, const void *parsed)
{
    const ua_session_t *session = session_of(r);
    const char *words = session ? words_of(r, parsed) : NULL;
    apr_interval_time_t age = 0;

    (void)line;
    if (!session) {
        return nobody(r);
    }
    if (!words || ua_duration_parse(&age, words) != APR_SUCCESS || age <= 0) {
        ap_log_rerror(
            APLOG_MARK, APLOG_ERR, 0, r,
            "UA0110: Require userauth-fresh is refused: its expression is no duration");
        return AUTHZ_GENERAL_ERROR;
    }
    if (r->request_time < session->auth_time + age) {
        return AUTHZ_GRANTED;
    }
    ua_edge_stale(r, age);
    return AUTHZ_DENIED;
}

static const char *parse_nothing(cmd_parms *cmd, const char *line, const void **parsed)
{
    (void)cmd;
    (void)parsed;
    return *line ? "Require userauth-verified takes no words" : NULL;
}

/* No other account has a session. */
static authz_status check_verified(request_rec *r, const char *line, const void *parsed)
{
    (void)line;
    (void)parsed;
    return session_of(r) ? AUTHZ_GRANTED : nobody(r);
}

void ua_edge_require_register(apr_pool_t *pool)
{
    static const authz_provider group = {check_group, parse_group};
    static const authz_provider fresh = {check_fresh, parse_fresh};
    static const authz_provider verified = {check_verified, parse_nothing};

    ap_register_auth_provider(pool, AUTHZ_PROVIDER_GROUP, "userauth-group",
                              AUTHZ_PROVIDER_VERSION, &group, AP_AUTH_INTERNAL_PER_CONF);
    ap_register_auth_provider(pool, AUTHZ_PROVIDER_GROUP, "userauth-fresh",
                              AUTHZ_PROVIDER_VERSION, &fresh, AP_AUTH_INTERNAL_PER_CONF);
    ap_register_auth_provider(pool, AUTHZ_PROVIDER_GROUP, "userauth-verified",
                              AUTHZ_PROVIDER_VERSION, &verified, AP_AUTH_INTERNAL_PER_CONF);
}

/* What the other modules say of this request: the first that does not decline. */
static int ask_others(request_rec *r)
{
    const apr_array_header_t *hooks = ap_hook_get_auth_checker();
    int status = DECLINED;

    for (int i = 0; i < hooks->nelts && status == DECLINED; i++) {
        const ap_LINK_auth_checker_t *hook = &APR_ARRAY_IDX(hooks, i, ap_LINK_auth_checker_t);

        if (hook->pFunc != ua_edge_check_authz) {
            status = hook->pFunc(r);
        }
    }
    return status;
}

/* A 401 asks for another sign-in, which would not help who is signed in: 403, or the password once more. */
int ua_edge_check_authz(request_rec *r)
{
    const ua_app_t *app = ua_edge_app(r);
    int status = app && session_of(r) ? ask_others(r) : DECLINED;
    apr_interval_time_t age = ua_edge_stale_age(r);
    ua_res_t res;

    if (status != HTTP_UNAUTHORIZED && !(status == HTTP_FORBIDDEN && age > 0)) {
        return status; /* AUTHZ_GENERAL_ERROR is a 500; AuthzSendForbiddenOnFailure a 403 */
    }
    if (age > 0 && ua_edge_is_index(r)) {
        ua_gate_step_up(app, ua_edge_request_ahead(r->main, app), &res, age);
        return ua_edge_reply_ahead(r, &res);
    }
    if (age == 0 || r->main) {
        return HTTP_FORBIDDEN;
    }
    ua_gate_step_up(app, ua_edge_request(r, app), &res, age);
    (void)ua_edge_reply(r, &res);
    return DONE;
}
