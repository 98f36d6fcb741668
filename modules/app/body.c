/* body.c: the body of a submit becomes the route's fields, each judged by its row. */
#include "app.h"
#include "base/form.h"
#include "base/text.h"
#include "base/unicode.h"
#include "base/url.h"

#include <string.h>

static int is_password(const ua_field_t *field)
{
    return strcmp(field->type, "password") == 0;
}

/* A field sent under one of its other names is moved to its own. */
static void take_alias(ua_req_t *req, const ua_field_t *field)
{
    char *state = NULL;

    for (char *name = field->aliases
                          ? apr_strtok(apr_pstrdup(req->ctx->pool, field->aliases), " ", &state)
                          : NULL;
         name && !apr_table_get(req->form, field->name); name = apr_strtok(NULL, " ", &state)) {
        const char *value = apr_table_get(req->form, name);

        if (value) {
            apr_table_setn(req->form, field->name, value);
        }
    }
}

/* A flag for a box, or for what only scripts send; a text for a text. */
static int is_of_type(const ua_field_t *field, const char *value)
{
    if (strcmp(field->type, "checkbox") == 0) {
        return *value == '\0' || ua_listed("1 0 true false on off yes no", value);
    }
    return !ua_form_was_flag(value) || strcmp(field->type, "flag") == 0;
}

/* Everything but a password loses the blanks around it. 0 for a value of another type than its field's. */
static int tidy(ua_req_t *req)
{
    for (const ua_field_t *field = req->fields; field->name; field++) {
        const char *value = NULL;

        take_alias(req, field);
        value = apr_table_get(req->form, field->name);
        if (value && !is_of_type(field, value)) {
            return 0;
        }
        if (value && !is_password(field)) {
            apr_table_setn(req->form, field->name, ua_utf8_trim(req->ctx->pool, value));
        }
    }
    return 1;
}

/* Where to go afterwards: the body's `next`, as it was sent, else the query's. */
static void take_next(ua_req_t *req)
{
    const char *next = apr_table_get(req->form, "next");

    if (next) {
        req->next = ua_next_valid(req->ctx->pool, next);
    }
}

void ua_body_read(ua_res_t *res, ua_req_t *req)
{
    apr_status_t rv = req->body_status;
    int json = ua_is_json(req->content_type);

    if (rv == APR_ENOSPC) {
        ua_refuse(res, UA_PROBLEM_PAYLOAD_TOO_LARGE);
        return;
    }
    if (rv == APR_SUCCESS && !json && !ua_is_form(req->content_type) &&
        (req->length > 0 || *req->content_type)) {
        ua_refuse(res, UA_PROBLEM_UNSUPPORTED_MEDIA_TYPE);
        return;
    }
    if (rv == APR_SUCCESS) {
        rv = json ? ua_form_parse_json(&req->form, req->ctx->pool, req->body, req->length)
                  : ua_form_parse(&req->form, req->ctx->pool, req->body, req->length);
    }
    if (rv == APR_SUCCESS) {
        take_next(req);
    }
    if (rv != APR_SUCCESS || !tidy(req)) {
        ua_refuse(res, UA_PROBLEM_BAD_REQUEST);
    }
}

static int is_sent(const ua_req_t *req, const ua_field_t *field)
{
    return apr_table_get(req->form, field->name) != NULL;
}

/* A form that changes some of what is stored says nothing of the rest. */
static int is_left_alone(const ua_req_t *req, const ua_field_t *field)
{
    return req->route && req->route->partial && !is_sent(req, field);
}

/* What is empty is judged where it may not be: a confirmation, too, when there was a field for it. */
static int is_judged(const ua_req_t *req, const ua_field_t *field, const char *value)
{
    return field->check && !is_left_alone(req, field) &&
           (*value || field->required || (is_password(field) && is_sent(req, field)));
}

void ua_body_judge(ua_res_t *res, ua_req_t *req)
{
    int weak = 0;
    int count = 0;

    for (const ua_field_t *field = req->fields; field->name; field++) {
        const char *value = ua_field(req, field->name);
        const char *error = NULL;

        if (is_judged(req, field, value)) {
            error = field->check(req, value);
        }
        if (error) {
            ua_field_error(req, field->name, error);
            weak += is_password(field) && req->suggestion;
            count++;
        }
    }
    if (count > 0) {
        ua_refuse(res, weak == count ? UA_PROBLEM_WEAK_PASSWORD : UA_PROBLEM_INVALID_FIELDS);
    }
}
