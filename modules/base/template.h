/* template.h: Mustache (spec v1.4 with inheritance), parsed once into an immutable tree.
 *
 * Tags: {{name}} {{a.b}} {{.}} {{#s}} {{^s}} {{/s}} {{! comment }} {{>partial}} {{<parent}} {{$block}}.
 * No unescaped tag exists: {{{x}}}, {{&x}} and changed delimiters {{=..=}} are load errors; so are a
 * partial or parent that is missing, recursion, and text that is not UTF-8.
 * A template's name is its file name: "login.html" escapes & < > " ' ; "verify.txt" escapes nothing.
 * {{>field}} in "login.html" names "field.html"; in a .txt file "field.txt".
 */
#ifndef UA_TEMPLATE_H
#define UA_TEMPLATE_H

#include "base.h"
#include <jansson.h>

typedef struct ua_templates_t ua_templates_t;

/* Gives the text of a template by file name. APR_SUCCESS, APR_NOTFOUND, or a failure with *why.
 * *where is how messages name the file (a path, or the bare name for a built-in one). */
typedef apr_status_t ua_template_source_f(void *baton, apr_pool_t *pool, const char *name,
                                          const char **text, apr_size_t *length,
                                          const char **where);

/* Parses the named templates and all they refer to. `names` is NULL-ended. APR_EINVAL with *why:
 * file, line and what is wrong. */
apr_status_t ua_templates_load(ua_templates_t **out, apr_pool_t *pool, const char *const *names,
                               ua_template_source_f *source, void *baton,
                               const char **why) UA_MUST_USE;

/* Renders; the text lives in `pool`. APR_NOTFOUND for a name that was not loaded; APR_ENOMEM when
 * the result would pass 1 MiB. */
apr_status_t ua_template_render(const char **out, apr_pool_t *pool,
                                const ua_templates_t *templates, const char *name,
                                const json_t *view) UA_MUST_USE;

/* 1 when the template (with its partials and parents) contains a <form with method post and no
 * `variable` reached inside it, or was not loaded: such a page must not be served. */
int ua_template_lacks(const ua_templates_t *templates, const char *name, const char *variable);

/* 1 when `variable` stands somewhere in the template (with its partials and parents). */
int ua_template_says(const ua_templates_t *templates, const char *name, const char *variable);

#endif
