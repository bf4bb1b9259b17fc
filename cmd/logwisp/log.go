package main

import (
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/lmittmann/tint"
)

// logging are the settings of the daemon's own log.
type logging struct {
	Level  string `toml:"level" name:"log-level" enum:"debug,info,warn,error" default:"info" placeholder:"LEVEL" help:"Least level of its own log: debug, info, warn or error (default: ${default})."`
	Format string `toml:"format" name:"log-format" enum:"auto,text,json" default:"auto" placeholder:"FORMAT" help:"Format of its own log on standard error: auto (coloured on a terminal), text or json (default: ${default})."`
}

// logLevel is the least level of the daemon's own log; a reload may change it.
var logLevel slog.LevelVar

func setLogLevel(o logging) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(o.Level)); err != nil {
		level = slog.LevelInfo // the enum tag lets nothing else through
	}
	logLevel.Set(level)
}

// newLogger returns the daemon's own log on w.
func newLogger(o logging, w io.Writer) *slog.Logger {
	setLogLevel(o)
	level := &logLevel
	switch {
	case o.Format == "json":
		return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level}))
	case o.Format == "auto" && isTerminal(w):
		return slog.New(tint.NewTextHandler(w, &tint.Options{Level: level, TimeFormat: time.TimeOnly}))
	default:
		return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: level}))
	}
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0 && takesEscapes(f)
}
