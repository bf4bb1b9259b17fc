#!/bin/sh
# Nothing is enabled or started here; a service that runs goes on with the new
# program.
set -e
if [ -d /run/systemd/system ]; then
	systemctl daemon-reload || true
	systemctl try-restart logwisp.service || true
fi
