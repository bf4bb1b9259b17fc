#!/bin/sh
# $1 is remove (Debian) or 0 (RPM) when the package goes for good.
set -e
case "$1" in
remove | 0)
	if [ -d /run/systemd/system ]; then
		systemctl --no-reload disable --now logwisp.service || true
	fi
	;;
esac
