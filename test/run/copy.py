#!/usr/bin/env python3
"""copy.py --from FILE --to "DRIVER PARAMETERS": moves a site from its SQLite file to an empty PostgreSQL or MariaDB.

Run by `make copy FROM=… TO=… [PASSWORD_FILE=…]` while Apache is stopped. The tables are made by the schema's own steps;
all rows are copied in one transaction and compared one by one before it is committed. The key file stays as it is.
"""
import argparse
import re
import sqlite3
import sys
from pathlib import Path

SCHEMA = Path(__file__).resolve().parents[2] / "schema"
MANY = 1000  # rows at once


def words(params):
    """name=value words of APR's mysql driver."""
    return dict(re.findall(r"(\w+)\s*=\s*([^\s;|,]+)", params))


def open_pgsql(params, password):
    import psycopg2

    return psycopg2.connect(params, **({"password": password} if password else {}))


def open_mysql(params, password):
    import pymysql

    given = words(params)
    options = {"host": given.get("host", "localhost"), "user": given.get("user"), "database": given.get("dbname")}
    options.update({"password": password or given.get("pass", "")}, charset="utf8mb4", sql_mode="STRICT_ALL_TABLES")
    options.update({"port": int(given["port"])} if "port" in given else {}, **({"unix_socket": given["sock"]} if "sock" in given else {}))
    if "group" in given:
        options.update(read_default_group=given["group"], read_default_file="/etc/mysql/my.cnf")
    return pymysql.connect(**options)


OPEN = {"pgsql": open_pgsql, "mysql": open_mysql}


def statements(file):
    text = re.sub(r"^--.*\n", "", file.read_text(), flags=re.M)
    return [one.strip() for one in text.split(";\n") if one.strip()]


def make_tables(driver, cursor):
    """Those steps that did not run; the rows that tell so are copied with all others."""
    done = 0
    for file in sorted((SCHEMA / driver).glob("*.sql")):
        step = int(file.name.split("_")[0])
        for statement in statements(file) if step == 0 or step > done else []:
            cursor.execute(statement)
        if step == 0:
            cursor.execute("SELECT MAX(step) FROM schema_step")
            done = cursor.fetchone()[0] or 0


def tables_of(source):
    """Those that others refer to come first."""
    names = [row[0] for row in source.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'")]
    order = []
    while names:
        for name in names:
            if all(row[2] in order for row in source.execute(f"PRAGMA foreign_key_list({name})")):
                order.append(name)
                names.remove(name)
                break
    return order


def columns_of(source, table):
    """(all names, those of the primary key)"""
    rows = source.execute(f"PRAGMA table_info({table})").fetchall()
    return [row[1] for row in rows], [row[1] for row in rows if row[5]]


def read(source, table):
    names, key = columns_of(source, table)
    return source.execute(f"SELECT {', '.join(names)} FROM {table} ORDER BY {', '.join(key)}")


def copy(source, cursor, table):
    names, _ = columns_of(source, table)
    insert = f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join(['%s'] * len(names))})"
    rows = read(source, table)
    while some := rows.fetchmany(MANY):
        cursor.executemany(insert, some)


def check(source, cursor, table):
    """How many rows there are, each the same in both."""
    names, key = columns_of(source, table)
    cursor.execute(f"SELECT {', '.join(names)} FROM {table} ORDER BY {', '.join(key)}")
    count = 0
    for row in read(source, table):
        other = cursor.fetchone()
        if other is None or tuple(other) != tuple(row):
            sys.exit(f"{table}: row {count + 1} is not the same in both; nothing was changed.")
        count += 1
    if cursor.fetchone() is not None:
        sys.exit(f"{table}: the new database has more rows; nothing was changed.")
    return count


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--from", dest="source", required=True, help="the SQLite file")
    parser.add_argument("--to", required=True, help="as in UserAuthDatabase: pgsql host=… or mysql host=…")
    parser.add_argument("--password-file", help="as in UserAuthDatabasePasswordFile")
    given = parser.parse_args()
    driver, _, params = given.to.partition(" ")
    if driver not in OPEN:
        sys.exit(f'--to begins with pgsql or mysql, not "{driver}"')
    if not Path(given.source).is_file():
        sys.exit(f"--from: there is no file {given.source}")
    password = Path(given.password_file).read_text().splitlines()[0] if given.password_file else None
    source = sqlite3.connect(f"file:{given.source}?mode=ro", uri=True, isolation_level=None)
    source.execute("BEGIN")
    newest = max(int(file.name.split("_")[0]) for file in (SCHEMA / driver).glob("*.sql"))
    if source.execute("SELECT MAX(step) FROM schema_step").fetchone()[0] != newest:
        sys.exit("--from: the file is of another version of the module: start this one with it once; nothing was changed.")
    target = OPEN[driver](params.strip('"'), password)
    cursor = target.cursor()
    make_tables(driver, cursor)
    cursor.execute("SELECT COUNT(*) FROM account")
    if cursor.fetchone()[0]:
        sys.exit("The new database holds accounts already; nothing was changed.")
    tables = tables_of(source)
    for table in reversed(tables):
        cursor.execute(f"DELETE FROM {table}")
    for table in tables:
        copy(source, cursor, table)
    counts = {table: check(source, cursor, table) for table in tables}
    target.commit()
    print("\n".join(f"{table:16}{count:10}" for table, count in counts.items()))
    print(f"All {sum(counts.values())} rows are the same in both. UserAuthDatabase may name {driver} now.")


if __name__ == "__main__":
    main()
