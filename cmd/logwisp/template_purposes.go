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
	"filter.include":                       "RE2s of which a line matches one, if there are any",
	"filter.exclude":                       "RE2s of which a line matches none",
	"filter.level":                         "Least severe level that enters; lines without a level do",
	"filter.redact":                        "RE2s whose matches become ***",
	"max_clients":                          "Clients beyond are turned away",
	"slow_timeout_seconds":                 "A client that accepts no byte for so long is disconnected, in seconds; 0 = never",
	"send_buffer":                          "Kernel buffer of each client; 0 = what the kernel chooses",
	"httpserver.base_path":                 "Path below which a proxy shows everything",
	"httpserver.viewer":                    "Serve the page that shows the stream",
	"retry_ms":                             "How long browsers wait before they reconnect, in milliseconds",
	"heartbeat.enabled":                    "Send heartbeats",
	"heartbeat.interval_seconds":           "Time between heartbeats, in seconds",
	"heartbeat.include_timestamp":          "Heartbeats have the time",
	"heartbeat.include_stats":              "Heartbeats have the number of clients and the uptime",
	"heartbeat.format":                     "Form of the heartbeats; on TCP always json",
}
