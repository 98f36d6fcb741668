/* files.c: owners and modes of the database, the folders and the mails. The parent makes them at the
 * first start, as root for the user the children run as. A configuration test only looks. */
#include "edge.h"

#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include <unixd.h>

static const char *parent_of(apr_pool_t *pool, const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash > path ? apr_pstrmemdup(pool, path, (apr_size_t)(slash - path)) : "/";
}

/* Whom the children run as. */
static uid_t child_user(void)
{
    return geteuid() == 0 ? ap_unixd_config.user_id : geteuid();
}

static gid_t child_group(void)
{
    return geteuid() == 0 ? ap_unixd_config.group_id : getegid();
}

/* 1 when the children's user has these rights, given as the owner's bits. */
static int may(const struct stat *info, mode_t rights)
{
    mode_t need = info->st_uid == child_user()    ? rights
                  : info->st_gid == child_group() ? rights >> 3
                                                  : rights >> 6;

    return child_user() == 0 || (info->st_mode & need) == need;
}

/* The first folder on the way that the children's user may not enter, or NULL. */
static const char *closed_parent(apr_pool_t *pool, const char *path)
{
    struct stat info;

    for (const char *at = path; strcmp(at, "/") != 0;) {
        at = parent_of(pool, at);
        if (stat(at, &info) == 0 && !may(&info, S_IXUSR)) {
            return at;
        }
    }
    return NULL;
}

/* There is such a folder that the children can use, or there can be one. */
static const char *check_folder(apr_pool_t *pool, const char *path, const char *directive)
{
    struct stat info;
    const char *closed = closed_parent(pool, path);

    if (closed) {
        return apr_psprintf(pool,
                            "%s: the server's user (uid %d) can't enter %s, on the way to %s: "
                            "run \"chmod a+x %s\" or choose another place",
                            directive, (int)child_user(), closed, path, closed);
    }
    if (stat(path, &info) == 0) {
        if (!S_ISDIR(info.st_mode)) {
            return apr_psprintf(pool, "%s: %s is not a folder", directive, path);
        }
        return may(&info, S_IWUSR | S_IXUSR)
                   ? NULL
                   : apr_psprintf(pool,
                                  "%s: the folder %s is not writable for the server's user "
                                  "(uid %d): run \"chown %d %s\"",
                                  directive, path, (int)child_user(), (int)child_user(), path);
    }
    if (stat(parent_of(pool, path), &info) != 0 || !S_ISDIR(info.st_mode)) {
        return apr_psprintf(pool, "%s: there is no folder %s: create it", directive,
                            parent_of(pool, path));
    }
    return NULL;
}

/* A database that others can read, or that is a link, is refused. */
static const char *check_database(apr_pool_t *pool, const char *path)
{
    struct stat info;

    if (lstat(path, &info) != 0) {
        return NULL;
    }
    if (!S_ISREG(info.st_mode)) {
        return apr_psprintf(
            pool, "UserAuthDatabase: %s is not a plain file (no link is followed)", path);
    }
    if ((info.st_mode & (S_IRWXU | S_IRWXG | S_IRWXO)) != (S_IRUSR | S_IWUSR)) {
        return apr_psprintf(pool,
                            "UserAuthDatabase: %s has to be readable and writable for its "
                            "owner and for nobody else: run \"chmod 600 %s\"",
                            path, path);
    }
    if (info.st_uid != child_user()) {
        return apr_psprintf(pool,
                            "UserAuthDatabase: %s does not belong to the server's user (uid "
                            "%d): run \"chown %d %s\"",
                            path, (int)child_user(), (int)child_user(), path);
    }
    return NULL;
}

/* 1 when both names lead to one file that is there. */
static int is_same(const struct stat *info, const char *path)
{
    struct stat other;

    return stat(path, &other) == 0 && other.st_dev == info->st_dev &&
           other.st_ino == info->st_ino;
}

/* Its lines would end the file of the keys, or lie in the database. */
static const char *check_event_file(const ua_conf_t *conf, apr_pool_t *pool)
{
    const char *full = ap_server_root_relative(pool, conf->event_log);
    int file = strcmp(conf->database[0], "sqlite3") == 0;
    struct stat info;

    if (*conf->event_log == '|') {
        return NULL;
    }
    if (strcmp(full, conf->key_file) == 0 || (file && strcmp(full, conf->database[1]) == 0) ||
        (stat(full, &info) == 0 &&
         (is_same(&info, conf->key_file) || (file && is_same(&info, conf->database[1]))))) {
        return apr_psprintf(
            pool, "UserAuthEventLog: %s holds the keys or the database: name another file",
            full);
    }
    return NULL;
}

/* The parent opens it, as ErrorLog: its folder has to be there. What could make a writer wait is for a
 * program on a pipe only. */
static const char *check_event_log(apr_pool_t *pool, const char *path)
{
    const char *full = ap_server_root_relative(pool, path);
    struct stat info;

    if (*path == '|') {
        return path[1 + strspn(path + 1, "|$ ")]
                   ? NULL
                   : "UserAuthEventLog: name the program behind the \"|\"";
    }
    if (stat(full, &info) == 0 && !S_ISREG(info.st_mode) && !S_ISCHR(info.st_mode)) {
        return apr_psprintf(pool,
                            "UserAuthEventLog: %s is not a plain file: name another one, or "
                            "\"|program\"",
                            path);
    }
    return stat(parent_of(pool, full), &info) == 0 && S_ISDIR(info.st_mode)
               ? NULL
               : apr_psprintf(pool, "UserAuthEventLog: there is no folder %s: create it",
                              parent_of(pool, full));
}

/* libcurl reads it in the children. */
static const char *check_ca_file(apr_pool_t *pool, const char *path)
{
    struct stat info;

    return stat(path, &info) == 0 && may(&info, S_IRUSR) && !closed_parent(pool, path)
               ? NULL
               : apr_psprintf(pool,
                              "UserAuthMailCAFile: %s can't be read by the server's user (uid "
                              "%d): run \"chmod a+r %s\"",
                              path, (int)child_user(), path);
}

/* Its folder is there, or can be made. */
static const char *check_key_folder(apr_pool_t *pool, const char *folder)
{
    struct stat info;

    if (stat(folder, &info) == 0) {
        return S_ISDIR(info.st_mode)
                   ? NULL
                   : apr_psprintf(pool, "UserAuthKeyFile: %s is not a folder", folder);
    }
    folder = parent_of(pool, folder);
    return stat(folder, &info) == 0 && S_ISDIR(info.st_mode)
               ? NULL
               : apr_psprintf(pool, "UserAuthKeyFile: there is no folder %s: create it",
                              folder);
}

/* The key file's folder is somebody's own choice. */
static int has_key_folder(const ua_conf_t *conf, apr_pool_t *pool)
{
    const char *folder = parent_of(pool, conf->key_file);

    return strcmp(folder, conf->state_folder) != 0 &&
           (strcmp(conf->database[0], "sqlite3") != 0 ||
            strcmp(folder, parent_of(pool, conf->database[1])) != 0);
}

const char *ua_edge_files_check(const ua_conf_t *conf, apr_pool_t *pool, int *row)
{
    const char *err = NULL;

    if (strcmp(conf->database[0], "sqlite3") == 0) {
        *row = UA_D_database;
        err = check_folder(pool, parent_of(pool, conf->database[1]), "UserAuthDatabase");
        err = err ? err : check_database(pool, conf->database[1]);
    }
    if (!err && has_key_folder(conf, pool)) {
        *row = UA_D_key_file;
        err = check_key_folder(pool, parent_of(pool, conf->key_file));
    }
    if (!err && conf->mail_kind == UA_MAIL_FOLDER) {
        *row = UA_D_mail;
        err = check_folder(pool, conf->mail_target, "UserAuthMail");
    }
    if (!err && conf->mail_ca_file) {
        *row = UA_D_mail_ca_file;
        err = check_ca_file(pool, conf->mail_ca_file);
    }
    if (!err && conf->event_log) {
        *row = UA_D_event_log;
        err = check_event_log(pool, conf->event_log);
        err = err ? err : check_event_file(conf, pool);
    }
    return err;
}

static const char *make_folder(apr_pool_t *pool, const char *path, const char *directive)
{
    if (mkdir(path, 0750) == 0 && lchown(path, child_user(), child_group()) != 0) {
        return apr_psprintf(pool, "%s: %s can't be given to the server's user", directive,
                            path);
    }
    return check_folder(pool, path, directive);
}

/* Makes an empty file of the children's user. -1 when it can't, errno says why. */
static int make_file(const char *path)
{
    int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    int given = file < 0 ? -1 : fchown(file, child_user(), child_group());

    if (file >= 0) {
        close(file);
    }
    return given;
}

/* An empty file is a SQLite database without tables. It gets its name when it has its owner: another server may
 * start at this moment. Where a file can't have two names it is made under its own at once. */
static const char *make_database(apr_pool_t *pool, const char *path)
{
    const char *made = apr_psprintf(pool, "%s.new-%ld", path, (long)getpid());
    struct stat info;

    if (lstat(path, &info) != 0) {
        (void)unlink(made); /* of a server that was killed here */
        if ((make_file(made) != 0 || link(made, path) != 0) && errno != EEXIST) {
            (void)make_file(path);
        }
        (void)unlink(made);
    }
    return lstat(path, &info) == 0
               ? check_database(pool, path)
               : apr_psprintf(pool, "UserAuthDatabase: %s can't be made: %s", path,
                              strerror(errno));
}

const char *ua_edge_files_create(const ua_conf_t *conf, apr_pool_t *pool, int *row)
{
    const char *err = NULL;

    if (strcmp(conf->database[0], "sqlite3") == 0) {
        *row = UA_D_database;
        err = make_folder(pool, parent_of(pool, conf->database[1]), "UserAuthDatabase");
        err = err ? err : make_database(pool, conf->database[1]);
    }
    else if (strcmp(parent_of(pool, conf->key_file), conf->state_folder) == 0) {
        *row = UA_D_key_file;
        err = make_folder(pool, conf->state_folder, "UserAuthKeyFile");
    }
    if (!err && has_key_folder(conf, pool)) {
        (void)mkdir(parent_of(pool, conf->key_file),
                    0700); /* the parent's; else the key file says why */
    }
    if (!err && conf->mail_kind == UA_MAIL_FOLDER) {
        *row = UA_D_mail;
        err = make_folder(pool, conf->mail_target, "UserAuthMail");
    }
    return err;
}
