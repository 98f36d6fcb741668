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

/* Before the transaction, which has nothing to do: no writer waits while a password is judged. */
static apr_status_t judge_check(ua_res_t *res, ua_req_t *req)
{
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
    judgment->refusal =
        ua_password_refusal(&judgment->score, req->ctx, normal, ua_new_password_words(req));
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

static const ua_route_t routes[] = {{.path = "strength",
                                     .fields = fields,
                                     .check = judge_check,
                                     .submit = judge_submit,
                                     .reads = 1},
                                    {0}};

const ua_feature_t ua_feature_judge = {"judge", routes};
