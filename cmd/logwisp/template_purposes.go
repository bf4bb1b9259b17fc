package main

import "strings"

// purposeTexts are what keys are for, by path or by the end of one.
type purposeTexts map[string]string

// of returns the text of the longest end of a path that has one.
func (t purposeTexts) of(path string) string {
	for {
		if text := t[path]; text != "" {
			return text
		}
		_, rest, more := strings.Cut(path, ".")
		if !more {
			return ""
		}
		path = rest
	}
}

// purposes are for the keys that have no flag, whose help would say it.
var purposes = purposeTexts{
	"monitor.read_from":                    "Where files that are there at the start are read from",
	"monitor.watch":                        "How changes are found; auto polls where inotify does not serve",
	"monitor.rotate_wait_ms":               "How long a renamed file is followed past its last growth, in milliseconds",
	"monitor.partial_flush_ms":             "How long a last line without its newline is held before it is sent, in milliseconds; 0 = for ever",
	"monitor.max_line_bytes":               "Longer lines are cut and marked",
	"monitor.max_files":                    "Files beyond are not followed, and warned about",
	"monitor.targets.path":                 "A file or a directory",
	"monitor.targets.pattern":              "Glob of the files in a directory; ** crosses directories",
	"monitor.targets.is_file":              "The path is that of a file, even when it does not exist yet",
	"monitor.source_name":                  "What of a file's path names the source of its entries",
	"monitor.targets.exclude":              "Globs of files not to follow; without a slash the file's name is meant",
	"monitor.targets.format":               "What the lines are; auto finds out line by line",
	"monitor.targets.regex":                "RE2 of format regex: groups named time, level and message; others become fields",
	"multiline.start":                      "RE2 that the first line of an entry matches, and no other line",
	"multiline.preset":                     "Lines that belong to the one before, by kind of log",
	"multiline.max_lines":                  "Lines of an entry at most",
	"multiline.flush_ms":                   "An entry ends when no line has come for so long, in milliseconds",
	"monitor.targets.tags":                 "Fields that every entry gets",
	"monitor.targets.timezone":             "Zone of times that name none, like Europe/Berlin",
	"monitor.targets.strip_ansi":           "Take colours and other terminal escapes out of the lines",
	"monitor.targets.max_lines_per_second": "Lines beyond are counted and left out; 0 = no limit",
	"inputs.url":                           "Where lines come from: tcp://:9091, tls://:9092, unix:///run/logwisp.sock, syslog+tcp://:6514, syslog+udp://:5514 or -, standard input",
	"inputs.source":                        "Source of entries that name none; empty = the sender's address",
	"inputs.format":                        "What the lines, or the texts of syslog messages, are; auto finds out line by line",
	"inputs.regex":                         "RE2 of format regex: groups named time, level and message; others become fields",
	"inputs.tags":                          "Fields that every entry gets",
	"inputs.timezone":                      "Zone of times that name none, like Europe/Berlin",
	"inputs.max_line_bytes":                "Longer lines are cut and marked",
	"inputs.max_connections":               "Connections beyond wait to be accepted",
	"inputs.idle_timeout_seconds":          "A connection that sends nothing for so long is closed, in seconds; 0 = never",
	"inputs.cert_file":                     "Certificate of tls://, in PEM",
	"inputs.key_file":                      "Its key",
	"inputs.client_ca_file":                "Authorities of tls://, in PEM; senders need a certificate of one of them",
	"inputs.auth":                          "Whether senders show a token, where there are any; auto: on tcp:// and unix://, and on tls:// without client_ca_file",
	"filter.include":                       "RE2s of which a line matches one, if there are any",
	"filter.exclude":                       "RE2s of which a line matches none",
	"filter.level":                         "Least severe level that enters; lines without a level do",
	"filter.redact":                        "RE2s whose matches become ***",
	"auth.tokens.name":                     "What the log and /clients call it",
	"auth.tokens.hash":                     "Its hash, as logwisp token new prints it; or else file",
	"auth.tokens.file":                     "File with the token itself; a relative path is below $CREDENTIALS_DIRECTORY",
	"auth.tokens.scopes":                   "What it allows: stream reads, admin sees and disconnects clients, ingest sends; none: stream",
	"acl.allow":                            "Networks and addresses that may connect; none: all",
	"acl.deny":                             "Networks and addresses that may not",
	"unix":                                 "Path of a Unix socket that is listened on as well",
	"max_connects_per_minute":              "Connections beyond, all together, are turned away; a minute's may come at once; 0 = no limit",
	"max_connects_per_minute_per_ip":       "The same for those of one address, but for trusted_proxies",
	"connects_exempt":                      "Networks and addresses that may connect as often as they like",
	"max_clients_per_ip":                   "Clients with one address beyond are turned away; 0 = no limit",
	"tls.enabled":                          "Speak TLS on the port",
	"tls.cert_file":                        "Certificate in PEM, with the chain behind it",
	"tls.key_file":                         "Its key in PEM",
	"tls.client_ca_file":                   "Authorities in PEM of which clients need a certificate; empty: they need none",
	"tls.min_version":                      "Least version of TLS",
	"httpserver.allowed_hosts":             "Names that requests may be for; none: any, but on a loopback address those of this machine only",
	"httpserver.cors_origins":              "Origins whose pages may read, like https://grafana.example.org",
	"httpserver.trusted_proxies":           "Networks whose X-Forwarded-For and X-Forwarded-Proto are believed",
	"outputs.url":                          "Where to send: tcp://host:port, tls://host:port, http:// or https://",
	"outputs.name":                         "What /status and /metrics call it; empty: the URL without its secrets",
	"outputs.filter.level":                 "Least severe level that is sent",
	"outputs.filter.levels":                "Levels that are sent; unknown: entries without one",
	"outputs.filter.source":                "Globs of the sources that are sent",
	"outputs.filter.not_source":            "Globs of sources that are not",
	"outputs.filter.q":                     "Texts of which an entry holds one, case ignored",
	"outputs.filter.re":                    "RE2s of which an entry matches one",
	"outputs.filter.not":                   "Texts of which an entry holds none",
	"outputs.filter.not_re":                "RE2s of which an entry matches none",
	"outputs.filter.field":                 "Conditions on fields of which one holds, like status>=500",
	"outputs.preset":                       "What the counterpart is, which says how entries are sent; none: JSON lines",
	"outputs.batch_bytes":                  "Bytes of entries sent at once at most",
	"outputs.batch_ms":                     "HTTP: how long an entry waits for others at most, in milliseconds",
	"outputs.compress":                     "HTTP: how bodies are compressed",
	"outputs.headers":                      "HTTP: further headers; {name}, {hostname}, {token}, {count}, {first} and {last} are filled in",
	"outputs.token_file":                   "File with the token to send, read for every request or connection",
	"outputs.guarantee":                    "At least once: read the files for this output, and again from what was not acknowledged",
	"max_clients":                          "Clients beyond are turned away",
	"slow_timeout_seconds":                 "A client that accepts no byte for so long is disconnected, in seconds; 0 = never",
	"send_buffer":                          "Kernel buffer of each client; 0 = what the kernel chooses",
	"httpserver.ingest":                    "Take in lines with POST /ingest, from this machine",
	"httpserver.base_path":                 "Path below which a proxy shows everything",
	"httpserver.viewer":                    "Serve the page that shows the stream",
	"retry_ms":                             "How long browsers wait before they reconnect, in milliseconds",
	"heartbeat.enabled":                    "Send heartbeats",
	"heartbeat.interval_seconds":           "Time between heartbeats, in seconds",
	"heartbeat.include_timestamp":          "Heartbeats have the time",
	"heartbeat.include_stats":              "Heartbeats have the number of clients and the uptime",
	"heartbeat.format":                     "Form of the heartbeats; on TCP always json",
}
