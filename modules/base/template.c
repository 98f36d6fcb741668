/* template.c: renders the tree of template_parse.c over a view of jansson values.
 *
 * A section is entered for everything but a missing value, null, false, 0, "" and an empty list.
 * An object or list as a variable renders nothing. Indentation follows the specification: blanks
 * before a partial, parent or block on its own line go before each non-empty line of it; line
 * breaks inside values are left alone. A page fills the blocks of its parent and of the parent's
 * parents; where several fill one, the outermost page wins.
 */
#include "template_tree.h"

#include <string.h>

#define FIRST_ROOM   8192
#define RENDER_STEPS 1000000

/* The parent tags around what is being rendered, innermost first. */
typedef struct frame_t {
    const ua_node_t *parent;
    const struct frame_t *outer;
} frame_t;

/* The values entered, innermost first. */
typedef struct context_t {
    const json_t *value;
    const struct context_t *outer;
} context_t;

/* Where a list of nodes is rendered. */
typedef struct place_t {
    const char *indent; /* written before each line */
    apr_size_t indent_length;
    apr_size_t cut; /* leading blanks that each line loses */
    const frame_t *frames;
    const context_t *context;
} place_t;

typedef struct render_t {
    apr_pool_t *pool;
    char *buffer;
    apr_size_t length, room;
    int html;
    int midline; /* the next start of a line is not one: the content stands inside a line */
    int depth, steps, most_steps;
    int outline; /* no view: see ua_template_outline() */
    const char *variable;
    const ua_node_t *at;
} render_t;

static apr_status_t render_list(render_t *r, const ua_node_t *first, const place_t *place);

static apr_status_t put(render_t *r, const char *text, apr_size_t length)
{
    if (length > UA_TEMPLATE_OUTPUT - r->length) {
        return APR_ENOMEM;
    }
    if (r->length + length >= r->room) {
        apr_size_t room = (r->length + length + 1) * 2;
        char *larger = apr_palloc(r->pool, room < FIRST_ROOM ? FIRST_ROOM : room);

        if (r->length) {
            memcpy(larger, r->buffer, r->length);
        }
        r->buffer = larger;
        r->room = room < FIRST_ROOM ? FIRST_ROOM : room;
    }
    if (length) {
        memcpy(r->buffer + r->length, text, length);
    }
    r->length += length;
    return APR_SUCCESS;
}

static const char *entity(char byte)
{
    switch (byte) {
    case '&': return "&amp;";
    case '<': return "&lt;";
    case '>': return "&gt;";
    case '"': return "&quot;";
    case '\'': return "&#39;";
    default: return NULL;
    }
}

static apr_status_t put_escaped(render_t *r, const char *text, apr_size_t length)
{
    apr_status_t rv = APR_SUCCESS;
    apr_size_t from = 0;

    for (apr_size_t i = 0; i < length && rv == APR_SUCCESS; i++) {
        const char *name = entity(text[i]);

        if (name) {
            rv = put(r, text + from, i - from);
            rv = rv == APR_SUCCESS ? put(r, name, strlen(name)) : rv;
            from = i + 1;
        }
    }
    return rv == APR_SUCCESS ? put(r, text + from, length - from) : rv;
}

static apr_status_t put_number(render_t *r, const json_t *value)
{
    char number[64];
    apr_size_t length =
        json_dumpb(value, number, sizeof(number), JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));

    return put(r, number, length < sizeof(number) ? length : 0);
}

static apr_status_t put_value(render_t *r, const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_STRING: {
        const char *text = json_string_value(value);

        return (r->html ? put_escaped : put)(r, text, json_string_length(value));
    }
    case JSON_INTEGER:
    case JSON_REAL: return put_number(r, value);
    case JSON_TRUE: return put(r, "true", 4);
    case JSON_FALSE: return put(r, "false", 5);
    case JSON_OBJECT:
    case JSON_ARRAY:
    case JSON_NULL:
    default: return APR_SUCCESS;
    }
}

/* Writes what stands before the first byte of a line. */
static apr_status_t line_begin(render_t *r, const place_t *place, const ua_node_t *node)
{
    apr_size_t cut = place->cut < node->lead_length ? place->cut : node->lead_length;

    if (r->midline) {
        r->midline = 0;
        return APR_SUCCESS;
    }
    UA_CHECK(put(r, place->indent, place->indent_length));
    return put(r, node->lead + cut, node->lead_length - cut);
}

/* The indentation of lines inside `node`: that of the place, then the node's own. */
static void indent_deepen(place_t *inner, render_t *r, const place_t *place,
                          const ua_node_t *node)
{
    apr_size_t cut = place->cut < node->lead_length ? place->cut : node->lead_length;
    apr_size_t more = node->lead_length - cut;
    char *joined;

    if (!more) {
        return;
    }
    joined = apr_palloc(r->pool, place->indent_length + more);
    if (place->indent_length) {
        memcpy(joined, place->indent, place->indent_length);
    }
    memcpy(joined + place->indent_length, node->lead + cut, more);
    inner->indent = joined;
    inner->indent_length = place->indent_length + more;
}

/* The first part is looked for from the innermost value outwards, the rest below it only. */
static const json_t *value_find(const context_t *context, const char *const *path)
{
    const json_t *value = NULL;

    if (!path[0]) {
        return context->value;
    }
    for (; context && !value; context = context->outer) {
        value = json_object_get(context->value, path[0]);
    }
    for (path++; value && *path; path++) {
        value = json_object_get(value, *path);
    }
    return value;
}

static int value_holds(const json_t *value)
{
    if (!value || json_is_null(value) || json_is_false(value)) {
        return 0;
    }
    if (json_is_string(value)) {
        return json_string_length(value) > 0;
    }
    if (json_is_number(value)) {
        return json_number_value(value) < 0 || json_number_value(value) > 0;
    }
    return !json_is_array(value) || json_array_size(value) > 0;
}

static apr_status_t render_inside(render_t *r, const ua_node_t *node, const place_t *place,
                                  const json_t *value)
{
    context_t context = {value, place->context};
    place_t inner = *place;

    inner.context = &context;
    return render_list(r, node->first, &inner);
}

static apr_status_t render_section(render_t *r, const ua_node_t *node, const place_t *place)
{
    const json_t *value = r->outline ? NULL : value_find(place->context, node->path);
    apr_status_t rv = APR_SUCCESS;

    if (r->outline || (node->kind == UA_NODE_INVERTED && !value_holds(value))) {
        return render_list(r, node->first, place);
    }
    if (node->kind == UA_NODE_INVERTED || !value_holds(value)) {
        return APR_SUCCESS;
    }
    if (!json_is_array(value)) {
        return render_inside(r, node, place, value);
    }
    for (apr_size_t i = 0; i < json_array_size(value) && rv == APR_SUCCESS; i++) {
        rv = render_inside(r, node, place, json_array_get(value, i));
    }
    return rv;
}

static apr_status_t render_variable(render_t *r, const ua_node_t *node, const place_t *place)
{
    const json_t *value;

    if (r->outline) {
        return put(r, strcmp(node->text, r->variable) == 0 ? "\001" : "\002", 1);
    }
    value = value_find(place->context, node->path);
    return value ? put_value(r, value) : APR_SUCCESS;
}

/* A partial or a parent: another file. */
static apr_status_t render_file(render_t *r, const ua_node_t *node, const place_t *place)
{
    frame_t frame = {node, place->frames};
    place_t inner = *place;

    inner.cut = 0;
    if (node->kind == UA_NODE_PARENT) {
        inner.frames = &frame;
    }
    if (node->own_line) {
        indent_deepen(&inner, r, place, node);
    }
    else {
        inner.indent = "";
        inner.indent_length = 0;
    }
    UA_CHECK(node->leads && !node->own_line ? line_begin(r, place, node) : APR_SUCCESS);
    return render_list(r, node->target->root.first, &inner);
}

/* What fills a block, or NULL. *frames becomes those of the file in which the filling is written:
 * it sees only what was given to that file, so that no block can come to contain itself. */
static const ua_node_t *filling_find(const frame_t **frames, const frame_t *from,
                                     const char *name)
{
    const ua_node_t *node;

    if (!from) {
        return NULL;
    }
    node = filling_find(frames, from->outer, name);
    if (node) {
        return node;
    }
    for (node = from->parent->first; node && strcmp(node->text, name) != 0;) {
        node = node->next;
    }
    if (node) {
        *frames = from->outer;
    }
    return node;
}

static apr_status_t render_block(render_t *r, const ua_node_t *node, const place_t *place)
{
    place_t inner = *place;
    const ua_node_t *content = filling_find(&inner.frames, place->frames, node->text);
    apr_size_t before = r->length;

    content = content ? content : node;
    if (node->own_line && !content->first) {
        return APR_SUCCESS;
    }
    indent_deepen(&inner, r, place, node);
    inner.cut = content->fresh ? content->lead_length : 0;
    UA_CHECK(node->leads && !content->fresh ? line_begin(r, place, node) : APR_SUCCESS);
    r->midline = r->midline || (!node->leads && content->fresh);
    UA_CHECK(render_list(r, content->first, &inner));
    if (node->own_line && r->length > before && r->buffer[r->length - 1] != '\n') {
        return put(r, "\n", 1);
    }
    return APR_SUCCESS;
}

static apr_status_t render_node(render_t *r, const ua_node_t *node, const place_t *place)
{
    switch (node->kind) {
    case UA_NODE_TEXT: r->midline = 0; return put(r, node->text, node->length);
    case UA_NODE_LINE: return line_begin(r, place, node);
    case UA_NODE_VARIABLE: return render_variable(r, node, place);
    case UA_NODE_SECTION:
    case UA_NODE_INVERTED: return render_section(r, node, place);
    case UA_NODE_PARTIAL:
    case UA_NODE_PARENT: return render_file(r, node, place);
    case UA_NODE_BLOCK:
    default: return render_block(r, node, place);
    }
}

static apr_status_t render_list(render_t *r, const ua_node_t *first, const place_t *place)
{
    apr_status_t rv = r->depth < UA_TEMPLATE_DEPTH ? APR_SUCCESS : APR_EINVAL;

    r->depth++;
    for (const ua_node_t *node = first; node && rv == APR_SUCCESS; node = node->next) {
        r->at = node;
        rv = r->steps++ < r->most_steps ? render_node(r, node, place) : APR_ENOMEM;
    }
    r->depth--;
    return rv;
}

static apr_status_t render_root(const char **out, render_t *r, const ua_template_t *file,
                                const json_t *view)
{
    context_t context = {view, NULL};
    place_t place = {"", 0, 0, NULL, &context};

    r->html = file->html;
    UA_CHECK(render_list(r, file->root.first, &place));
    UA_CHECK(put(r, "", 0));
    r->buffer[r->length] = '\0';
    *out = r->buffer;
    return APR_SUCCESS;
}

apr_status_t ua_template_render(const char **out, apr_pool_t *pool,
                                const ua_templates_t *templates, const char *name,
                                const json_t *view)
{
    const ua_template_t *file = apr_hash_get(templates->files, name, APR_HASH_KEY_STRING);
    render_t render = {.pool = pool, .most_steps = RENDER_STEPS};

    return file ? render_root(out, &render, file, view) : APR_NOTFOUND;
}

apr_status_t ua_template_outline(const char **out, const ua_node_t **at, apr_pool_t *pool,
                                 const ua_template_t *file, const char *variable)
{
    render_t render = {
        .pool = pool, .most_steps = UA_TEMPLATE_STEPS, .outline = 1, .variable = variable};
    apr_status_t rv = render_root(out, &render, file, NULL);

    if (rv != APR_SUCCESS) {
        *at = render.at;
    }
    return rv;
}
