/* template_parse.h: the parser of one template file, for the template_*.c family.
 *
 * template_load.c reads the files, template_parse.c walks over lines and finds tags,
 * template_tag.c says what each tag does. Everything lives in the pool of the templates.
 */
#ifndef UA_TEMPLATE_PARSE_H
#define UA_TEMPLATE_PARSE_H

#include "template_tree.h"

typedef struct ua_loader_t {
    ua_templates_t *set;
    ua_template_source_f *source;
    void *baton;
    const char **why;
    int chain; /* files being parsed within each other */
} ua_loader_t;

typedef struct ua_parser_t {
    ua_loader_t *loader;
    ua_template_t *file;
    ua_node_t *open; /* the innermost section, parent or block not yet closed */
    const char *at, *end;
    const char *lead; /* leading blanks of this line */
    apr_size_t lead_length;
    int pending;  /* nothing of this line but its blanks has been seen */
    int new_line; /* `at` is the first byte of a line */
    int line, depth, nodes;
} ua_parser_t;

typedef struct ua_tag_t {
    char mark; /* one of # ^ / > < $ ! & = {, or 0 */
    const char *name;
    int line;
} ua_tag_t;

/* The file of that name, parsed now if it is new. `line` is where the open file `from` names it;
 * NULL when the caller of ua_templates_load() does. APR_EINVAL with *why. */
apr_status_t ua_template_file(const ua_template_t **out, ua_loader_t *loader, const char *name,
                              const ua_template_t *from, int line) UA_MUST_USE;

/* Parses a text that is UTF-8 without controls into file->root. APR_EINVAL with *why. */
apr_status_t ua_template_parse(ua_loader_t *loader, ua_template_t *file, const char *text,
                               apr_size_t length) UA_MUST_USE;

/* What a tag does once the parser has moved behind it. */
apr_status_t ua_template_tag(ua_parser_t *p, const ua_tag_t *tag) UA_MUST_USE;

/* Sets *why to "file:line: what" and returns APR_EINVAL. */
apr_status_t ua_template_refuse(const ua_loader_t *loader, const ua_template_t *file, int line,
                                const char *what);

/* Appends a node to what is open. */
ua_node_t *ua_node_add(ua_parser_t *p, ua_node_kind_e kind, int line);

/* Inside a parent tag, outside its blocks: what stands there is not part of the page. */
int ua_line_ignored(const ua_parser_t *p);

/* Reads the leading blanks of a line. */
void ua_line_start(ua_parser_t *p);

/* Keeps the leading blanks of this line as a node of their own, if nothing was kept yet. */
void ua_line_flush(ua_parser_t *p);

/* Where the next line begins, when nothing but blanks is left of this one; else NULL. */
const char *ua_line_rest_blank(const ua_parser_t *p);

/* Leaves this line out of the page and goes on at `next`. */
void ua_line_drop(ua_parser_t *p, const char *next);

/* Drops the line when the tag just read stands alone on it, and says so; else keeps its blanks. */
int ua_line_stands_alone(ua_parser_t *p);

#endif
