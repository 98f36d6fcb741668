/* page_json.c: a reply for a program: the feature's view, a form's fields, or a problem (RFC 9457). */
#include "page.h"

#include <string.h>

/* field -> sentence, in the order of the form. */
static json_t *errors_json(ua_req_t *req)
{
    json_t *errors = ua_json_object(req->ctx->pool);

    for (const ua_field_t *f = req->fields; f->name; f++) {
        ua_json_set(errors, f->name, apr_table_get(req->errors, f->name));
    }
    return errors;
}

static json_t *problem_json(ua_req_t *req, const ua_res_t *res)
{
    apr_pool_t *pool = req->ctx->pool;
    json_t *problem = ua_json_object(pool);
    json_t *links = ua_json_object(pool);
    json_t *errors = errors_json(req);

    ua_json_set(problem, "title", ua_page_title(res));
    ua_json_set_number(problem, "status", res->status);
    ua_json_set(problem, "detail", ua_page_detail(res));
    ua_json_set(problem, "code", ua_page_code(res->problem));
    if (json_object_size(errors) > 0) {
        json_object_set(problem, "errors", errors);
    }
    ua_json_set(problem, "suggestion", req->suggestion);
    for (int i = 0; i < res->links->nelts; i++) {
        const ua_link_t *link = &APR_ARRAY_IDX(res->links, i, ua_link_t);

        if (ua_page_offers(req, link)) {
            ua_json_set(links, link->name, link->path);
        }
    }
    if (json_object_size(links) > 0) {
        json_object_set(problem, "links", links);
    }
    return problem;
}

/* A form described for a program: {"fields":[…]}. */
static json_t *form_json(ua_req_t *req)
{
    json_t *view = ua_json_object(req->ctx->pool);
    json_t *list = json_array();

    json_object_set_new(view, "fields", list);
    for (const ua_field_t *f = req->fields; f->name; f++) {
        json_t *field = ua_json_object(req->ctx->pool);

        ua_json_set(field, "name", f->name);
        ua_json_set(field, "label", f->label);
        ua_json_set(field, "type", f->type);
        ua_json_set_flag(field, "required", f->required);
        json_array_append(list, field);
    }
    return view;
}

void ua_page_json(ua_req_t *req, ua_res_t *res)
{
    json_t *answer = res->view;

    if (res->problem) {
        answer = problem_json(req, res);
    }
    else if (res->location && res->notice == UA_NOTICE_NONE && res->json_status == 0) {
        return; /* a redirect for programs too */
    }
    else if (req->method != UA_METHOD_POST && json_object_size(answer) == 0 &&
             res->notice == UA_NOTICE_NONE) {
        answer = form_json(req);
    }
    if (!res->problem && res->location) {
        res->status = res->json_status ? res->json_status : 200;
        res->location = NULL;
    }
    if (res->notice != UA_NOTICE_NONE) {
        ua_json_set(answer, "message", ua_page_notice(res->notice));
    }
    res->raw = ua_json_text(req->ctx->pool, answer);
    res->raw_length = strlen(res->raw);
    res->type = res->problem ? "application/problem+json" : "application/json";
}
