/* assets.c: the stylesheet, the script and the logo, in memory under names that hold their digest. */
#include "app.h"
#include "base/builtin.h"

#include <apr_file_io.h>
#include <string.h>

#define ASSET_BYTES ((apr_off_t)256 * 1024)

static const char *const types[][2] = {{".css", "text/css; charset=utf-8"},
                                       {".js", "text/javascript; charset=utf-8"},
                                       {".svg", "image/svg+xml"},
                                       {".png", "image/png"},
                                       {".jpg", "image/jpeg"},
                                       {".webp", "image/webp"}};

static const char *type_of(const char *suffix)
{
    for (apr_size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (strcmp(types[i][0], suffix) == 0) {
            return types[i][1];
        }
    }
    return NULL;
}

/* Adds "<stem>.<12 characters of the digest><suffix>" and tells its URL path. */
static const char *add(const char **path, ua_app_t *app, apr_pool_t *pool, const char *name,
                       ua_asset_t asset)
{
    unsigned char digest[UA_DIGEST_BYTES];
    const char *suffix = strrchr(name, '.');
    apr_array_header_t *assets = apr_array_copy(pool, app->assets);

    asset.type = suffix ? type_of(suffix) : NULL;
    if (!asset.type) {
        return apr_psprintf(pool, "%s is not a css, js, svg, png, jpg or webp file", name);
    }
    if (ua_sha256(digest, asset.data, asset.length) != APR_SUCCESS) {
        return apr_psprintf(pool, "%s: SHA-256 is not at hand", name);
    }
    asset.name = apr_pstrcat(pool, apr_pstrmemdup(pool, name, (apr_size_t)(suffix - name)), ".",
                             ua_base64url(pool, digest, 9), suffix, NULL);
    APR_ARRAY_PUSH(assets, ua_asset_t) = asset;
    app->assets = assets;
    *path = apr_pstrcat(pool, app->conf->path, "/assets/", asset.name, NULL);
    return NULL;
}

static const char *read_file(ua_asset_t *out, apr_pool_t *pool, const char *path)
{
    apr_file_t *file = NULL;
    apr_finfo_t info = {0};
    char *data = NULL;
    apr_status_t rv =
        apr_file_open(&file, path, APR_FOPEN_READ | APR_FOPEN_BINARY, APR_OS_DEFAULT, pool);

    if (rv == APR_SUCCESS) {
        rv = apr_file_info_get(&info, APR_FINFO_SIZE, file);
    }
    if (rv != APR_SUCCESS || info.size > ASSET_BYTES) {
        return apr_psprintf(pool, "%s can't be read or is over 256 KiB", path);
    }
    data = apr_pcalloc(pool, (apr_size_t)info.size + 1);
    rv = apr_file_read_full(file, data, (apr_size_t)info.size, &out->length);
    apr_file_close(file);
    out->data = data;
    return rv == APR_SUCCESS || info.size == 0 ? NULL
                                               : apr_psprintf(pool, "%s can't be read", path);
}

/* The operator's file of this name, or the built-in one. */
static const char *find(ua_asset_t *out, const ua_app_t *app, apr_pool_t *pool,
                        const char *name)
{
    const ua_builtin_t *builtin =
        ua_builtin_find(apr_pstrcat(pool, "templates/assets/", name, NULL));
    apr_finfo_t info;

    for (int nested = 0; app->conf->templates && nested < 2; nested++) {
        const char *own =
            apr_pstrcat(pool, app->conf->templates, nested ? "/assets/" : "/", name, NULL);

        if (apr_stat(&info, own, APR_FINFO_TYPE, pool) == APR_SUCCESS) {
            return read_file(out, pool, own);
        }
    }
    out->data = builtin->data;
    out->length = builtin->length;
    return NULL;
}

static const char *load_css(ua_app_t *app, apr_pool_t *pool)
{
    ua_asset_t css = {0};
    const char *err = find(&css, app, pool, "userauth.css");

    if (!err && app->conf->accent) {
        css.data = apr_pstrcat(pool, apr_pstrmemdup(pool, css.data, css.length),
                               "\n:root{--accent:", app->conf->accent, "}\n", NULL);
        css.length = strlen(css.data);
    }
    return err ? err : add(&app->css, app, pool, "userauth.css", css);
}

static const char *load_logo(ua_app_t *app, apr_pool_t *pool)
{
    ua_asset_t logo = {0};
    const char *path = app->conf->logo;
    const char *suffix = path ? strrchr(path, '.') : NULL;
    const char *err = path ? read_file(&logo, pool, path) : NULL;

    if (path && !err) {
        err = add(&app->logo, app, pool, apr_pstrcat(pool, "logo", suffix ? suffix : "", NULL),
                  logo);
    }
    return err ? apr_pstrcat(pool, "UserAuthLogo: ", err, NULL) : NULL;
}

const char *ua_assets_load(ua_app_t *app, apr_pool_t *pool, int *row)
{
    ua_asset_t js = {0};
    const char *err = NULL;

    app->assets = apr_array_make(pool, 4, sizeof(ua_asset_t));
    *row = UA_D_templates;
    err = load_css(app, pool);
    if (!err) {
        err = find(&js, app, pool, "userauth.js");
    }
    if (!err) {
        err = add(&app->js, app, pool, "userauth.js", js);
    }
    if (!err) {
        *row = UA_D_logo;
        err = load_logo(app, pool);
    }
    return err;
}

const ua_asset_t *ua_asset_find(const ua_app_t *app, const char *name)
{
    for (int i = 0; i < app->assets->nelts; i++) {
        const ua_asset_t *asset = &APR_ARRAY_IDX(app->assets, i, ua_asset_t);

        if (strcmp(asset->name, name) == 0) {
            return asset;
        }
    }
    return NULL;
}
