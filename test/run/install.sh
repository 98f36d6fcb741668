#!/bin/sh
# install.sh MODULE DESTDIR: puts the module and its configuration where Debian's Apache looks.
#
# `make install` calls it; `a2enmod userauth` then enables both files. The operator's own
# userauth.conf stays as it is: a newer one is laid beside it.
set -eu
module=$1
dest=$2
modules=$(apxs -q LIBEXECDIR)
available=$dest/etc/apache2/mods-available

install -d "$dest$modules" "$available"
install -m 644 "$module" "$dest$modules/mod_userauth.so"
install -m 644 conf/userauth.load "$available/userauth.load"

# userauth.load loads the module; a second LoadModule line would be warned of at every start.
new=$available/userauth.conf.new
sed '/^LoadModule userauth_module/d' conf/userauth.conf >"$new"
chmod 644 "$new"
if [ ! -e "$available/userauth.conf" ] || cmp -s "$new" "$available/userauth.conf"; then
    mv "$new" "$available/userauth.conf"
    echo "Installed. Edit $available/userauth.conf, then: a2enmod userauth && apachectl configtest"
else
    echo "Installed. Your $available/userauth.conf stays; the new one is $new"
fi
