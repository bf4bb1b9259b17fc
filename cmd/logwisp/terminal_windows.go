package main

import (
	"errors"
	"io"
	"os"

	"golang.org/x/sys/windows"
)

// watchReader does nothing: that nobody reads any more is noticed at the next
// entry.
func watchReader(io.Writer, func()) {}

// readerGone reports whether a write failed because nobody reads any more.
func readerGone(err error) bool {
	return errors.Is(err, windows.ERROR_BROKEN_PIPE) || errors.Is(err, windows.ERROR_NO_DATA) ||
		errors.Is(err, windows.ERROR_PIPE_NOT_CONNECTED)
}

// takesEscapes reports whether a terminal understands escape sequences, and has
// it do so.
func takesEscapes(f *os.File) bool {
	var mode uint32
	console := windows.Handle(f.Fd())
	return windows.GetConsoleMode(console, &mode) == nil &&
		windows.SetConsoleMode(console, mode|windows.ENABLE_VIRTUAL_TERMINAL_PROCESSING) == nil
}
