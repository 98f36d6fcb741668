/* template_tag.c: what each tag of a template does to the tree.
 *
 * Called by template_parse.c behind each tag. Knows the rules of names and of tags that stand alone
 * on their lines (Mustache 1.4, "standalone", and the indentation of blocks in ~inheritance).
 */
#include "template_parse.h"

#include <string.h>

#define FILE_DEPTH 32 /* open sections and blocks in one file */
#define NAME_BYTES 64

static apr_pool_t *pool_of(const ua_parser_t *p)
{
    return p->loader->set->pool;
}

static apr_status_t refuse(const ua_parser_t *p, int line, const char *what)
{
    return ua_template_refuse(p->loader, p->file, line, what);
}

static void lead_give(const ua_parser_t *p, ua_node_t *node)
{
    node->lead = p->lead;
    node->lead_length = p->lead_length;
}

static int name_byte(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9') || byte == '_' || byte == '-';
}

/* Parts of letters, digits, _ and -, with single separators between them. */
static int name_valid(const char *name, char separator)
{
    apr_size_t part = 0;
    const char *at = name;

    for (; *at; at++) {
        if (!name_byte(*at) && (*at != separator || !part)) {
            return 0;
        }
        part = *at == separator ? 0 : part + 1;
    }
    return part > 0 && at - name <= NAME_BYTES;
}

/* The parts of a dotted name; none for ".". NULL when it is no name. */
static const char *const *path_parse(apr_pool_t *pool, const char *name)
{
    apr_size_t count = 1;
    const char **path;
    char *part;

    if (strcmp(name, ".") == 0) {
        return apr_pcalloc(pool, sizeof(*path));
    }
    if (!name_valid(name, '.')) {
        return NULL;
    }
    for (const char *at = name; *at; at++) {
        count += *at == '.';
    }
    path = apr_pcalloc(pool, (count + 1) * sizeof(*path));
    part = apr_pstrdup(pool, name);
    for (apr_size_t i = 0; i < count; i++) {
        path[i] = part;
        part += strcspn(part, ".");
        *part++ = '\0';
    }
    return path;
}

static apr_status_t open_push(ua_parser_t *p, ua_node_t *node)
{
    if (++p->depth > FILE_DEPTH) {
        return refuse(p, node->line, "too many sections within sections");
    }
    p->open = node;
    return APR_SUCCESS;
}

static void open_pop(ua_parser_t *p)
{
    p->depth--;
    p->open = p->open->up;
}

static apr_status_t variable_or_section(ua_parser_t *p, const ua_tag_t *tag)
{
    ua_node_kind_e kind = tag->mark == '#'   ? UA_NODE_SECTION
                          : tag->mark == '^' ? UA_NODE_INVERTED
                                             : UA_NODE_VARIABLE;
    ua_node_t *node;

    if (kind == UA_NODE_VARIABLE) {
        ua_line_flush(p);
    }
    else {
        ua_line_stands_alone(p);
    }
    node = ua_node_add(p, kind, tag->line);
    node->text = tag->name;
    node->path = path_parse(pool_of(p), tag->name);
    if (!node->path) {
        return refuse(p, tag->line,
                      "a name is made of letters, digits, _ and -, and dots between");
    }
    return kind == UA_NODE_VARIABLE ? APR_SUCCESS : open_push(p, node);
}

static apr_status_t file_open(ua_parser_t *p, const ua_tag_t *tag)
{
    int parent = tag->mark == '<';
    const char *suffix = p->file->html ? ".html" : ".txt";
    ua_node_t *node;
    int leads = p->pending;
    int alone = parent ? 0 : ua_line_stands_alone(p);

    if (!name_valid(tag->name, '/')) {
        return refuse(p, tag->line,
                      "a file is named by letters, digits, _ and -, and / between");
    }
    node = ua_node_add(p, parent ? UA_NODE_PARENT : UA_NODE_PARTIAL, tag->line);
    node->text = tag->name;
    node->own_line = alone;
    if (alone || (parent && leads)) {
        lead_give(p, node);
    }
    UA_CHECK(ua_template_file(&node->target, p->loader,
                              apr_pstrcat(pool_of(p), tag->name, suffix, NULL), p->file,
                              tag->line));
    if (!parent) {
        return APR_SUCCESS;
    }
    node->leads = leads;
    p->pending = 0;
    return open_push(p, node);
}

/* The blanks before the first line of a block's content that is not empty. */
static void lead_foresee(const ua_parser_t *p, ua_node_t *node)
{
    ua_parser_t ahead = *p;
    const char *next;

    while (ahead.at < ahead.end && (next = ua_line_rest_blank(&ahead))) {
        ahead.at = next;
    }
    ua_line_start(&ahead);
    lead_give(&ahead, node);
}

static apr_status_t block_open(ua_parser_t *p, const ua_tag_t *tag)
{
    int filling = ua_line_ignored(p);
    const char *next = ua_line_rest_blank(p);
    ua_node_t *node = filling ? p->open->first : NULL;

    while (node && strcmp(node->text, tag->name) != 0) {
        node = node->next;
    }
    if (node) {
        return refuse(p, tag->line, "this block is already filled above");
    }
    if (!name_valid(tag->name, '\0')) {
        return refuse(p, tag->line, "a block is named by letters, digits, _ and -");
    }
    node = ua_node_add(p, UA_NODE_BLOCK, tag->line);
    node->text = tag->name;
    node->leads = !filling && p->pending;
    node->fresh = next && (filling || p->pending);
    if (node->leads) {
        lead_give(p, node);
    }
    p->pending = 0;
    if (node->fresh) {
        ua_line_drop(p, next);
        lead_foresee(p, node);
    }
    return open_push(p, node);
}

static void block_close(ua_parser_t *p)
{
    ua_node_t *node = p->open;
    const char *next = ua_line_rest_blank(p);
    int pair = !p->pending && node->leads && !node->fresh && !node->first;

    if (node->up->kind == UA_NODE_PARENT) {
        p->pending = 0;
    }
    else if (next && (p->pending || pair)) {
        node->own_line = pair || (node->leads && node->fresh);
        ua_line_drop(p, next);
    }
    else {
        ua_line_flush(p);
    }
    open_pop(p);
}

static void parent_close(ua_parser_t *p)
{
    ua_node_t *node = p->open;
    const char *next = ua_line_rest_blank(p);

    open_pop(p);
    p->pending = 0;
    if (node->leads && next) {
        node->own_line = 1;
        ua_line_drop(p, next);
    }
}

static apr_status_t tag_close(ua_parser_t *p, const ua_tag_t *tag)
{
    if (p->open == &p->file->root) {
        return refuse(p, tag->line, "a closing tag, but nothing is open");
    }
    if (strcmp(tag->name, p->open->text) != 0) {
        return refuse(p, tag->line,
                      apr_psprintf(pool_of(p),
                                   "{{/%s}} is expected here: it was opened in line %d",
                                   p->open->text, p->open->line));
    }
    if (p->open->kind == UA_NODE_BLOCK) {
        block_close(p);
    }
    else if (p->open->kind == UA_NODE_PARENT) {
        parent_close(p);
    }
    else {
        ua_line_stands_alone(p);
        open_pop(p);
    }
    return APR_SUCCESS;
}

apr_status_t ua_template_tag(ua_parser_t *p, const ua_tag_t *tag)
{
    if (ua_line_ignored(p) && !strchr("!$/{&=", tag->mark ? tag->mark : '#')) {
        return refuse(p, tag->line, "inside a parent tag only {{$block}} may stand");
    }
    switch (tag->mark) {
    case '!': ua_line_stands_alone(p); return APR_SUCCESS;
    case '/': return tag_close(p, tag);
    case '$': return block_open(p, tag);
    case '>':
    case '<': return file_open(p, tag);
    case '{':
    case '&': return refuse(p, tag->line, "there is no unescaped tag");
    case '=': return refuse(p, tag->line, "the delimiters cannot be changed");
    default: return variable_or_section(p, tag);
    }
}
