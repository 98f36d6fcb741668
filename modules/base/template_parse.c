/* template_parse.c: walks over the lines of a template and finds its tags.
 *
 * One pass. Each line of the page begins with a node that holds its leading blanks, so that a line
 * can be indented or reindented where its file or block is used; lines that hold nothing but a tag
 * leave none.
 */
#include "template_parse.h"

#include <string.h>

#define FILE_NODES 20000

ua_node_t *ua_node_add(ua_parser_t *p, ua_node_kind_e kind, int line)
{
    ua_node_t *node = apr_pcalloc(p->loader->set->pool, sizeof(*node));

    node->kind = kind;
    node->line = line;
    node->file = p->file;
    node->lead = "";
    node->up = p->open;
    if (p->open->last) {
        p->open->last->next = node;
    }
    else {
        p->open->first = node;
    }
    p->open->last = node;
    p->nodes++;
    return node;
}

int ua_line_ignored(const ua_parser_t *p)
{
    return p->open->kind == UA_NODE_PARENT;
}

void ua_line_start(ua_parser_t *p)
{
    p->lead = p->at;
    while (p->at < p->end && (*p->at == ' ' || *p->at == '\t')) {
        p->at++;
    }
    p->lead_length = (apr_size_t)(p->at - p->lead);
    p->pending = 1;
    p->new_line = 0;
}

void ua_line_flush(ua_parser_t *p)
{
    if (p->pending && !ua_line_ignored(p)) {
        ua_node_t *node = ua_node_add(p, UA_NODE_LINE, p->line);

        node->lead = p->lead;
        node->lead_length = p->lead_length;
    }
    p->pending = 0;
}

const char *ua_line_rest_blank(const ua_parser_t *p)
{
    const char *at = p->at;

    while (at < p->end && (*at == ' ' || *at == '\t')) {
        at++;
    }
    if (at == p->end || *at == '\n') {
        return at == p->end ? at : at + 1;
    }
    return *at == '\r' && at + 1 < p->end && at[1] == '\n' ? at + 2 : NULL;
}

/* Goes on behind `length` bytes that hold a line end at most as the last. */
static void move(ua_parser_t *p, apr_size_t length)
{
    p->new_line = length && p->at[length - 1] == '\n';
    p->line += p->new_line;
    p->at += length;
}

void ua_line_drop(ua_parser_t *p, const char *next)
{
    p->pending = 0;
    move(p, (apr_size_t)(next - p->at));
}

int ua_line_stands_alone(ua_parser_t *p)
{
    const char *next = ua_line_rest_blank(p);

    if (p->pending && next) {
        ua_line_drop(p, next);
        return 1;
    }
    ua_line_flush(p);
    return 0;
}

static void text_add(ua_parser_t *p, apr_size_t length)
{
    if (p->pending && !p->lead_length && ua_line_rest_blank(p)) {
        p->pending = 0; /* an empty line gets no indentation */
    }
    ua_line_flush(p);
    if (!ua_line_ignored(p)) {
        ua_node_t *node = ua_node_add(p, UA_NODE_TEXT, p->line);

        node->text = p->at;
        node->length = length;
    }
    move(p, length);
}

/* Reads the tag at `at` and moves behind it. */
static apr_status_t tag_parse(ua_parser_t *p)
{
    const char *from = p->at + 2;
    const char *to = memmem(from, (apr_size_t)(p->end - from), "}}", 2);
    ua_tag_t tag = {0, NULL, p->line};
    char *name;

    if (!to) {
        return ua_template_refuse(p->loader, p->file, p->line, "a tag without its end");
    }
    for (const char *at = from; at < to; at++) {
        p->line += *at == '\n';
    }
    if (from < to && strchr("#^/><$!&={", *from)) {
        tag.mark = *from++;
    }
    name = apr_pstrmemdup(p->loader->set->pool, from, (apr_size_t)(to - from));
    name += strspn(name, " \t\r\n");
    for (apr_size_t n = strlen(name); n && strchr(" \t\r\n", name[n - 1]); n--) {
        name[n - 1] = '\0';
    }
    tag.name = name;
    p->at = to + 2;
    return ua_template_tag(p, &tag);
}

/* The bytes of text up to a tag, the end of the line (inclusive), or that of the file. */
static apr_size_t text_length(const ua_parser_t *p)
{
    const char *at = p->at;

    for (; at < p->end && *at != '\n'; at++) {
        if (*at == '{' && at + 1 < p->end && at[1] == '{') {
            return (apr_size_t)(at - p->at);
        }
    }
    return (apr_size_t)(at - p->at) + (at < p->end ? 1 : 0);
}

static apr_status_t part_parse(ua_parser_t *p)
{
    apr_size_t length;

    if (p->new_line) {
        ua_line_start(p);
    }
    length = text_length(p);
    if (p->nodes > FILE_NODES) {
        return ua_template_refuse(p->loader, p->file, p->line, "too many tags and lines");
    }
    if (length) {
        text_add(p, length);
        return APR_SUCCESS;
    }
    return p->at < p->end ? tag_parse(p) : APR_SUCCESS;
}

apr_status_t ua_template_parse(ua_loader_t *loader, ua_template_t *file, const char *text,
                               apr_size_t length)
{
    ua_parser_t p = {.loader = loader,
                     .file = file,
                     .open = &file->root,
                     .at = text,
                     .end = text + length,
                     .new_line = 1,
                     .line = 1};
    apr_status_t rv = APR_SUCCESS;

    file->root.kind = UA_NODE_SECTION;
    file->root.text = "";
    while (p.at < p.end && rv == APR_SUCCESS) {
        rv = part_parse(&p);
    }
    UA_CHECK(rv);
    if (p.open != &file->root) {
        return ua_template_refuse(loader, file, p.open->line,
                                  apr_psprintf(loader->set->pool,
                                               "\"%s\" is opened here and never closed",
                                               p.open->text));
    }
    if (p.lead_length) {
        ua_line_flush(&p);
    }
    return APR_SUCCESS;
}
