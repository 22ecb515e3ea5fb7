#!/bin/sh
# What `make install` and `make uninstall` do. With DESTDIR it only lays files, for packagers: no user, no systemctl.
set -eu

cd "$(dirname "$0")/.."
PYTHON=${PYTHON:-python3}
DESTDIR=${DESTDIR:-}
# As the environment spells it in its scripts, of which it is then cut off: absolute, without a slash at its end.
[ -z "$DESTDIR" ] || DESTDIR=$(realpath -ms -- "$DESTDIR")
DESTDIR=${DESTDIR%/}
UNITDIR=${UNITDIR:-/etc/systemd/system}
venv=$DESTDIR/opt/tgbridge
settings=$DESTDIR/etc/tgbridge
units=$DESTDIR$UNITDIR
user=tgbridge

fail() {
	echo "make $command: $*" >&2
	exit 1
}

# Whether this system is ours to change, and whether systemd runs it.
here() { [ -z "$DESTDIR" ]; }
booted() { here && [ -d /run/systemd/system ]; }

check() {
	here && [ "$(id -u)" != 0 ] && fail "needs root, or a DESTDIR"
	"$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
		fail "needs Python 3.11 or newer: make install PYTHON=python3.12"
	"$PYTHON" -c 'import ensurepip, venv' || fail "needs venv. On Debian and Ubuntu: apt install python3-venv"
	case $("$PYTHON" -c 'import os, sys; print(os.path.realpath(sys._base_executable))') in
	/home/* | /root/*) fail "the unit hides home directories, and this Python is in one: PYTHON=/usr/bin/python3" ;;
	esac
}

lay_venv() {
	# The checkout's own environment goes with it.
	unset VIRTUAL_ENV PYTHONHOME PYTHONPATH
	"$PYTHON" -m venv "$venv"
	"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-compile \
		--constraint constraints.txt '.[uvloop]'
	# Nothing in it says where it was made.
	if ! here; then
		made=$(printf '%s' "$DESTDIR" | sed 's/[][\\.*^$|]/\\&/g')
		grep -rlIFZ "$DESTDIR" "$venv/bin" "$venv/pyvenv.cfg" | xargs -0r sed -i "s|$made||g"
	fi
	"$venv/bin/python" -m compileall -q -f -s "$DESTDIR" "$venv/lib"
}

make_user() {
	if here && ! getent passwd $user >/dev/null; then
		useradd --system --user-group --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin $user
	fi
}

# What is there already is somebody's.
lay_settings() {
	install -d -m 750 "$settings"
	[ -e "$settings/config.toml" ] || install -m 644 config.toml "$settings/config.toml"
	if [ ! -e "$settings/.env" ]; then
		install -m 640 .env.example "$settings/.env"
		if here; then
			key=$("$venv/bin/python" -I -m tgbridge generate-key)
			sed -i "s|^TGBRIDGE_SECRET_KEYS=$|&$key|" "$settings/.env"
		fi
	fi
	if here; then
		chgrp $user "$settings" "$settings/.env"
	else
		install -D -m 644 deploy/tgbridge.sysusers "$DESTDIR/usr/lib/sysusers.d/tgbridge.conf"
		install -D -m 644 deploy/tgbridge.tmpfiles "$DESTDIR/usr/lib/tmpfiles.d/tgbridge.conf"
	fi
}

lay_units() {
	install -d -m 755 "$units"
	install -m 644 deploy/tgbridge.service deploy/tgbridge.socket "$units"
	if booted; then
		systemctl daemon-reload
		systemctl try-restart tgbridge.service
	fi
}

tell() {
	here || return 0
	echo "tgbridge is installed. Put TELEGRAM_API_ID and TELEGRAM_API_HASH into /etc/tgbridge/.env, then:"
	echo "systemctl enable --now tgbridge"
}

remove() {
	here && [ "$(id -u)" != 0 ] && fail "needs root, or a DESTDIR"
	if booted; then
		systemctl disable --now tgbridge.service tgbridge.socket 2>/dev/null || true
	fi
	rm -rf "$venv"
	rm -f "$units/tgbridge.service" "$units/tgbridge.socket"
	rm -f "$units/multi-user.target.wants/tgbridge.service" "$units/sockets.target.wants/tgbridge.socket"
	rm -f "$DESTDIR/usr/lib/sysusers.d/tgbridge.conf" "$DESTDIR/usr/lib/tmpfiles.d/tgbridge.conf"
	if booted; then
		systemctl daemon-reload
		systemctl reset-failed tgbridge.service tgbridge.socket 2>/dev/null || true
	fi
	# Settings that somebody has made stay: without its secret key, all browsers would be signed out.
	if cmp -s config.toml "$settings/config.toml"; then rm "$settings/config.toml"; fi
	if [ -e "$settings/.env" ] && ! grep -Eq '^[^#]*TELEGRAM_API_(ID|HASH)=.' "$settings/.env"; then
		rm "$settings/.env"
	fi
	rmdir "$settings" 2>/dev/null || [ ! -d "$settings" ] || echo "Your settings and secrets are still in $settings."
	if here && getent passwd $user >/dev/null; then
		[ ! -d "$settings" ] || chgrp -R root "$settings"
		userdel $user
	fi
}

command=$1
case $command in
install)
	check
	lay_venv
	make_user
	lay_settings
	lay_units
	tell
	;;
uninstall) remove ;;
*) fail "there is no such thing" ;;
esac
