/* smtp_servers.c: see smtp_servers.h. */
#include "smtp_servers.h"

#include <apr_file_io.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define PYTHON "/usr/bin/python3"

const char *server_folder_make(apr_pool_t *pool)
{
    const char *base;
    const char *folder;

    assert_int_equal(apr_temp_dir_get(&base, pool), APR_SUCCESS);
    folder = mkdtemp(apr_pstrcat(pool, base, "/ua-smtp-XXXXXX", NULL));
    assert_non_null(folder);
    return folder;
}

void server_folder_remove(apr_pool_t *pool, const char *path)
{
    apr_finfo_t entry;
    apr_dir_t *dir;

    if (apr_dir_open(&dir, path, pool) != APR_SUCCESS) {
        return;
    }
    while (apr_dir_read(&entry, APR_FINFO_NAME, dir) == APR_SUCCESS) {
        const char *below_path = apr_pstrcat(pool, path, "/", entry.name, NULL);

        if (strcmp(entry.name, ".") != 0 && strcmp(entry.name, "..") != 0 &&
            apr_file_remove(below_path, pool) != APR_SUCCESS) {
            server_folder_remove(pool, below_path);
        }
    }
    (void)apr_dir_close(dir);
    (void)apr_dir_remove(path, pool);
}

void server_launch(server_t *server, apr_pool_t *pool, const char *const *args)
{
    const char *line[16] = {PYTHON};
    apr_procattr_t *attr;
    size_t i;

    for (i = 0; args[i]; i++) {
        assert_true(i < 14);
        line[i + 1] = args[i];
    }
    assert_int_equal(apr_procattr_create(&attr, pool), APR_SUCCESS);
    assert_int_equal(apr_procattr_io_set(attr, APR_FULL_BLOCK, APR_FULL_BLOCK, APR_NO_PIPE),
                     APR_SUCCESS);
    assert_int_equal(apr_procattr_cmdtype_set(attr, APR_PROGRAM_ENV), APR_SUCCESS);
    server->folder = args[1];
    assert_int_equal(apr_proc_create(&server->process, PYTHON, line, NULL, attr, pool),
                     APR_SUCCESS);
}

void server_await(server_t *server, apr_pool_t *pool)
{
    char line[1024];
    json_t *said;

    if (apr_file_gets(line, sizeof(line), server->process.out) != APR_SUCCESS) {
        fail_msg("%s did not start: is python3-aiosmtpd installed?", server->folder);
    }
    said = json_loads(line, 0, NULL);
    assert_non_null(said);
    server->address = apr_psprintf(pool, "localhost:%d",
                                   (int)json_integer_value(json_object_get(said, "port")));
    server->ca_file = apr_pstrdup(pool, json_string_value(json_object_get(said, "ca_file")));
    json_decref(said);
}

void server_stop(server_t *server)
{
    (void)apr_proc_kill(&server->process, SIGTERM);
    (void)apr_proc_wait(&server->process, NULL, NULL, APR_WAIT);
}

void server_mode_set(apr_pool_t *pool, const char *control, const char *mode)
{
    const char *temporary = apr_pstrcat(pool, control, ".tmp", NULL);
    apr_file_t *file;

    assert_int_equal(apr_file_open(&file, temporary,
                                   APR_FOPEN_WRITE | APR_FOPEN_CREATE | APR_FOPEN_TRUNCATE,
                                   APR_FPROT_OS_DEFAULT, pool),
                     APR_SUCCESS);
    assert_int_equal(apr_file_puts(mode, file), APR_SUCCESS);
    assert_int_equal(apr_file_close(file), APR_SUCCESS);
    assert_int_equal(apr_file_rename(temporary, control, pool), APR_SUCCESS);
}

const char *server_file(apr_pool_t *pool, const char *path)
{
    apr_file_t *file;
    apr_finfo_t info;
    char *text;

    assert_int_equal(apr_file_open(&file, path, APR_FOPEN_READ, 0, pool), APR_SUCCESS);
    assert_int_equal(apr_file_info_get(&info, APR_FINFO_SIZE, file), APR_SUCCESS);
    text = apr_pcalloc(pool, (apr_size_t)info.size + 1);
    assert_int_equal(apr_file_read_full(file, text, (apr_size_t)info.size, NULL), APR_SUCCESS);
    assert_int_equal(apr_file_close(file), APR_SUCCESS);
    return text;
}

static apr_status_t json_cleanup(void *data)
{
    json_decref(data);
    return APR_SUCCESS;
}

static json_t *envelopes(apr_pool_t *pool, const server_t *server)
{
    json_t *all = json_array();
    char *lines = apr_pstrdup(
        pool, server_file(pool, apr_pstrcat(pool, server->folder, "/envelopes.jsonl", NULL)));
    char *line;

    apr_pool_cleanup_register(pool, all, json_cleanup, apr_pool_cleanup_null);
    for (line = apr_strtok(lines, "\n", &lines); line; line = apr_strtok(NULL, "\n", &lines)) {
        assert_int_equal(json_array_append_new(all, json_loads(line, 0, NULL)), 0);
    }
    return all;
}

size_t server_kept(apr_pool_t *pool, const server_t *server)
{
    return json_array_size(envelopes(pool, server));
}

const json_t *server_last(apr_pool_t *pool, const server_t *server)
{
    json_t *all = envelopes(pool, server);

    assert_true(json_array_size(all) > 0);
    return json_array_get(all, json_array_size(all) - 1);
}

const char *envelope_text(const json_t *envelope, const char *member)
{
    return json_string_value(json_object_get(envelope, member));
}

json_int_t envelope_connection(const json_t *envelope)
{
    return json_integer_value(json_object_get(envelope, "connection"));
}

ua_smtp_conf_t server_conf(apr_pool_t *pool, const char *scheme, const server_t *server,
                           ua_smtp_tls_e tls)
{
    return (ua_smtp_conf_t){.url = apr_pstrcat(pool, scheme, server->address, NULL),
                            .tls = tls,
                            .ca_file = server->ca_file,
                            .helo = "www.example.com"};
}

ua_smtp_job_t job_of(const char *message)
{
    return (ua_smtp_job_t){
        .from = FROM, .to = TO, .message = message, .length = strlen(message)};
}

apr_status_t hello_send(ua_smtp_t *smtp, apr_pool_t *pool, const ua_smtp_conf_t *conf,
                        const char **why)
{
    ua_smtp_job_t job = job_of(HELLO);
    apr_pool_t *sub;
    const char *words = "untouched";
    apr_status_t rv;

    assert_int_equal(apr_pool_create(&sub, pool), APR_SUCCESS);
    rv = ua_smtp_send(smtp, sub, conf, &job, &words);
    *why = apr_pstrdup(pool, words);
    apr_pool_destroy(sub); /* the connection is not the message's */
    return rv;
}

void hello_sent(ua_smtp_t *smtp, apr_pool_t *pool, const ua_smtp_conf_t *conf)
{
    const char *why;

    if (hello_send(smtp, pool, conf, &why) != APR_SUCCESS) {
        fail_msg("%s", why);
    }
    assert_string_equal(why, "untouched");
}
