/* queries.h: all SQL but the transaction and connection statements of base/db.c.
 *
 * One row: UA_QUERY(name, "SQL"), used as UA_Q(name). Values are bound as %s (text) and %lld
 * (numbers). The same text runs on every engine: no ON CONFLICT, no RETURNING, no NULL, no
 * function but COUNT and MAX. Included by domain.h and queries.c only.
 */
/* clang-format off */
UA_QUERY(setting_get, "SELECT value FROM setting WHERE name = %s")
UA_QUERY(setting_update, "UPDATE setting SET value = %s WHERE name = %s")
UA_QUERY(setting_insert, "INSERT INTO setting (name, value) VALUES (%s, %s)")

UA_QUERY(account_insert, "INSERT INTO account (id, username, username_key, email, email_key, display_name, enabled, password_hash, password_set, failures, device_failures, corrections, address, created, verified, last_sign_in, previous_sign_in) VALUES (%s, %s, %s, %s, %s, %s, 0, %s, %lld, 0, 0, 0, %s, %lld, 0, 0, 0)")
#define ACCOUNT_COLUMNS "id, username, email, display_name, enabled, password_hash, password_set, failures, device_failures, corrections, address, created, verified, last_sign_in, previous_sign_in"
UA_QUERY(account_by_id, "SELECT " ACCOUNT_COLUMNS " FROM account WHERE id = %s")
UA_QUERY(account_by_email, "SELECT " ACCOUNT_COLUMNS " FROM account WHERE email_key = %s")
UA_QUERY(account_by_username, "SELECT " ACCOUNT_COLUMNS " FROM account WHERE username_key = %s")
UA_QUERY(account_count, "SELECT COUNT(*) FROM account")
UA_QUERY(account_verify, "UPDATE account SET enabled = 1, verified = %lld WHERE id = %s AND email = %s AND enabled = 0 AND verified = 0")
UA_QUERY(account_correct, "UPDATE account SET email = %s, email_key = %s, corrections = corrections + 1 WHERE id = %s AND enabled = 0 AND verified = 0 AND corrections < %lld")
UA_QUERY(account_failure, "UPDATE account SET failures = failures + 1 WHERE id = %s")
UA_QUERY(account_device_failure, "UPDATE account SET device_failures = device_failures + 1 WHERE id = %s")
UA_QUERY(account_signed_in, "UPDATE account SET failures = 0, device_failures = 0, previous_sign_in = last_sign_in, last_sign_in = %lld WHERE id = %s AND enabled = 1 AND password_set = %lld")
UA_QUERY(account_rehash, "UPDATE account SET password_hash = %s WHERE id = %s AND password_hash = %s")
UA_QUERY(account_remove_unverified, "DELETE FROM account WHERE id = %s AND email = %s AND enabled = 0 AND verified = 0")
UA_QUERY(account_sweep, "DELETE FROM account WHERE enabled = 0 AND verified = 0 AND created < %lld")

UA_QUERY(held_name_get, "SELECT account_id FROM held_name WHERE digest = %s")
UA_QUERY(held_name_insert, "INSERT INTO held_name (digest, account_id) VALUES (%s, %s)")

UA_QUERY(token_insert, "INSERT INTO token (id, account_id, site, purpose, email, state, created, expires, ended) VALUES (%s, %s, %s, %s, %s, 0, %lld, %lld, 0)")
UA_QUERY(token_get, "SELECT account_id, email, state, expires FROM token WHERE id = %s AND purpose = %s")
UA_QUERY(token_use, "UPDATE token SET state = 1, ended = %lld WHERE id = %s AND state = 0 AND expires > %lld")
UA_QUERY(token_end_purpose, "UPDATE token SET state = %lld, ended = %lld WHERE account_id = %s AND purpose = %s AND state = 0")
UA_QUERY(token_forget, "UPDATE token SET email = '' WHERE account_id = %s AND id <> %s")
UA_QUERY(token_sweep, "DELETE FROM token WHERE expires < %lld")

UA_QUERY(session_insert, "INSERT INTO session (id, digest, account_id, site, created, last_used, idle, expires, auth_time, amr, address, agent, ended) VALUES (%s, %s, %s, %s, %lld, %lld, %lld, %lld, %lld, %s, %s, %s, 0)")
UA_QUERY(session_by_digest, "SELECT s.id, s.created, s.last_used, s.idle, s.expires, s.auth_time, a.id, a.username, a.email, a.display_name, a.last_sign_in, a.previous_sign_in FROM session s JOIN account a ON a.id = s.account_id WHERE s.digest = %s AND s.ended = 0 AND a.enabled = 1")
UA_QUERY(session_end_digest, "UPDATE session SET ended = %lld WHERE digest = %s AND ended = 0")
UA_QUERY(session_touch, "UPDATE session SET last_used = %lld WHERE id = %s AND last_used < %lld AND ended = 0")
UA_QUERY(session_list, "SELECT id FROM session WHERE account_id = %s AND ended = 0 AND expires > %lld AND last_used + idle > %lld AND id <> %s ORDER BY created DESC, id LIMIT 1001")
UA_QUERY(session_end_id, "UPDATE session SET ended = %lld WHERE id = %s AND ended = 0")
UA_QUERY(session_sweep, "DELETE FROM session WHERE expires < %lld OR (ended > 0 AND ended < %lld)")

UA_QUERY(device_insert, "INSERT INTO device (digest, account_id, site, created, expires) VALUES (%s, %s, %s, %lld, %lld)")
UA_QUERY(device_get, "SELECT account_id FROM device WHERE digest = %s AND expires > %lld")
UA_QUERY(device_sweep, "DELETE FROM device WHERE expires < %lld")

UA_QUERY(throttle_get, "SELECT hits, since, until FROM throttle WHERE name = %s")
UA_QUERY(throttle_insert, "INSERT INTO throttle (name, hits, since, until, touched) VALUES (%s, %lld, %lld, %lld, %lld)")
UA_QUERY(throttle_hit, "UPDATE throttle SET hits = hits + 1, touched = %lld WHERE name = %s")
UA_QUERY(throttle_restart, "UPDATE throttle SET hits = 1, since = %lld, touched = %lld WHERE name = %s")
UA_QUERY(throttle_wait, "UPDATE throttle SET until = %lld WHERE name = %s")
UA_QUERY(throttle_clear, "DELETE FROM throttle WHERE name = %s")
UA_QUERY(throttle_sweep, "DELETE FROM throttle WHERE touched < %lld AND until < %lld")

UA_QUERY(outbox_insert, "INSERT INTO outbox (id, site, account_id, kind, email, username, token_id, disown_id, state, attempts, due, lease, lease_until, created, expires, sent) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %lld, 0, %lld, '', 0, %lld, %lld, 0)")
UA_QUERY(outbox_due, "SELECT id FROM outbox WHERE site = %s AND state = 0 AND due <= %lld AND lease_until <= %lld ORDER BY due LIMIT %lld")
UA_QUERY(outbox_claim, "UPDATE outbox SET lease = %s, lease_until = %lld WHERE id = %s AND state = 0 AND due <= %lld AND lease_until <= %lld")
UA_QUERY(outbox_renew, "UPDATE outbox SET lease_until = %lld WHERE id = %s AND lease = %s AND state = 0")
UA_QUERY(outbox_get, "SELECT account_id, kind, email, username, token_id, disown_id, attempts, created, expires FROM outbox WHERE id = %s AND lease = %s AND state = 0")
UA_QUERY(outbox_sent, "UPDATE outbox SET state = 1, sent = %lld, attempts = attempts + 1, lease = '', lease_until = 0 WHERE id = %s AND lease = %s AND state = 0")
UA_QUERY(outbox_later, "UPDATE outbox SET attempts = attempts + 1, due = %lld, lease = '', lease_until = 0 WHERE id = %s AND lease = %s AND state = 0")
UA_QUERY(outbox_drop, "UPDATE outbox SET state = 2, lease = '', lease_until = 0 WHERE id = %s AND lease = %s AND state = 0")
UA_QUERY(outbox_drop_account, "UPDATE outbox SET state = 2 WHERE account_id = %s AND kind = %s AND state = 0")
UA_QUERY(outbox_forget, "UPDATE outbox SET email = '', username = '' WHERE account_id = %s")
UA_QUERY(outbox_latest, "SELECT state, attempts, sent FROM outbox WHERE account_id = %s AND kind = %s AND email = %s ORDER BY created DESC, id LIMIT 1")
UA_QUERY(outbox_waiting, "SELECT COUNT(*) FROM outbox WHERE site = %s AND state = 0 AND attempts > 0")
UA_QUERY(outbox_sweep, "DELETE FROM outbox WHERE created < %lld AND state > 0")

UA_QUERY(event_insert, "INSERT INTO event (id, site, account_id, kind, happened, address, agent, detail) VALUES (%s, %s, %s, %s, %lld, %s, %s, %s)")
UA_QUERY(event_get, "SELECT id FROM event WHERE id = %s")
UA_QUERY(event_sweep, "DELETE FROM event WHERE happened < %lld")

UA_QUERY(schema_steps, "SELECT MAX(step) FROM schema_step")
UA_QUERY(schema_step_insert, "INSERT INTO schema_step (step, applied) VALUES (%lld, %lld)")
/* clang-format on */
