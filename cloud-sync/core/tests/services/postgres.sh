#!/bin/sh
# Runs an empty PostgreSQL on 127.0.0.1:$1 for as long as its standard input stays open, and leaves
# nothing behind: whoever started it may end as it likes. Prints `ready` and its folder, with the
# certificate of its TLS and another one, or on stderr what is missing. It keeps what it was told only as long as the machine lives: it is for tests. Further
# words go to the server; TRUSTED names a network whose machines may come in as well.
set -eu
trap '' HUP INT TERM
port=$1
shift

for bin in /usr/lib/postgresql/*/bin "$(dirname "$(command -v initdb || echo none)")"; do
    [ -x "$bin/initdb" ] && [ -x "$bin/postgres" ] && break
done
if [ ! -x "$bin/postgres" ]; then
    echo "PostgreSQL is not installed: tests/setup build installs Debian's" >&2
    exit 1
fi

# PostgreSQL refuses to run as root.
as=
folder=$(mktemp -d "${TMPDIR:-/tmp}/postgres-for-tests.XXXXXX")
if [ "$(id -u)" -eq 0 ]; then
    user=postgres
    id "$user" >/dev/null 2>&1 || user=nobody
    chown "$user" "$folder"
    as="setpriv --reuid=$user --regid=$(id -g "$user") --clear-groups"
fi

end() {
    trap - EXIT
    [ -z "${server:-}" ] || { kill -QUIT "$server" && wait "$server"; } 2>/dev/null || true
    rm -rf "$folder"
}
trap end EXIT

cd "$folder"
# shellcheck disable=SC2086 # the words of $as are meant to be several
{
    $as "$bin/initdb" -A trust -U postgres -E UTF8 --locale=C --no-sync -D "$folder/data" >"$folder/log" 2>&1 ||
        { cat "$folder/log" >&2; exit 1; }
    for name in server other; do
        $as openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 \
            -subj "/CN=$name" -addext subjectAltName=IP:127.0.0.1 \
            -addext basicConstraints=critical,CA:FALSE \
            -keyout "$folder/$name.key" -out "$folder/$name.crt" >>"$folder/log" 2>&1 ||
            { cat "$folder/log" >&2; exit 1; }
    done
    [ -z "${TRUSTED:-}" ] || echo "host all all $TRUSTED trust" >>"$folder/data/pg_hba.conf"
    $as "$bin/postgres" -D "$folder/data" -k "$folder" -p "$port" -c listen_addresses=127.0.0.1 \
        -c max_connections=500 -c fsync=off -c full_page_writes=off -c autovacuum=off \
        -c ssl=on -c ssl_cert_file="$folder/server.crt" -c ssl_key_file="$folder/server.key" \
        -c shared_buffers=64MB -c log_min_messages=error "$@" >>"$folder/log" 2>&1 </dev/null &
}
server=$!
until "$bin/pg_isready" -q -h 127.0.0.1 -p "$port"; do
    kill -0 "$server" 2>/dev/null || { cat "$folder/log" >&2; exit 1; }
    sleep 0.05
done
echo "ready $folder"
cat >/dev/null
