/* judge.c: how good a password would be, while it is typed: the judgment of a registration but for the
 * look-up of leaked ones. Public, never counted; nothing is stored or logged. */
#include "feature.h"
#include "domain/password.h"

static const ua_field_t fields[] = {
    {"password", "Password", "password", 0, NULL, NULL, NULL, NULL},
    {"username", "Username", "text", 0, NULL, NULL, NULL, NULL},
    {"email", "Email", "email", 0, NULL, NULL, NULL, NULL},
    {"display_name", "Display name", "text", 0, NULL, NULL, NULL, NULL},
    {0}};

typedef struct judgment_t {
    const char *refusal; /* or NULL */
    int score;
} judgment_t;

/* What the person typed beside it, else what the session knows. */
static const char *word_of(const ua_req_t *req, const char *field, const char *known)
{
    const char *typed = apr_table_get(req->form, field);

    return typed ? typed : known;
}

/* Before the transaction, which has nothing to do: no writer waits while a password is judged. */
static apr_status_t judge_check(ua_res_t *res, ua_req_t *req)
{
    const ua_session_t *s = req->session;
    const char *words[] = {word_of(req, "username", s ? s->username : ""),
                           word_of(req, "email", s ? s->email : ""),
                           word_of(req, "display_name", s ? s->display_name : ""), NULL};
    judgment_t *judgment = apr_pcalloc(req->ctx->pool, sizeof *judgment);
    const char *normal = NULL;

    (void)res;
    req->work = judgment;
    judgment->refusal = ua_password_length_refusal(ua_field(req, "password"));
    if (judgment->refusal) {
        return APR_SUCCESS;
    }
    if (ua_password_normal(&normal, req->ctx, ua_field(req, "password")) != APR_SUCCESS) {
        judgment->refusal = "This password can't be used. Choose another one.";
        return APR_SUCCESS;
    }
    judgment->refusal = ua_password_refusal(req->ctx, normal, words);
    judgment->score = ua_password_score(req->ctx, normal, words);
    return APR_SUCCESS;
}

static const char *praise(int score)
{
    return score > 3 ? "Very good: this is very hard to guess."
                     : "Good: this is hard to guess.";
}

static apr_status_t judge_submit(ua_res_t *res, ua_req_t *req)
{
    const judgment_t *judgment = req->work;

    ua_json_set_flag(res->view, "acceptable", judgment->refusal == NULL);
    ua_json_set(res->view, "text",
                judgment->refusal ? judgment->refusal : praise(judgment->score));
    ua_json_set_number(res->view, "score", judgment->score);
    return APR_SUCCESS;
}

static const ua_route_t routes[] = {
    {.path = "strength", .fields = fields, .check = judge_check, .submit = judge_submit}, {0}};

const ua_feature_t ua_feature_judge = {"judge", routes};
