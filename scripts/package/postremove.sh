#!/bin/sh
# purge (Debian) takes the checkpoint with it; the configuration is dpkg's.
set -e
if [ -d /run/systemd/system ]; then
	systemctl daemon-reload || true
fi
if [ "$1" = purge ]; then
	rm -rf /var/lib/logwisp /var/lib/private/logwisp
	rmdir /etc/logwisp 2>/dev/null || true
fi
