//go:build !windows

// Package wsl is empty, and is not there on Windows: a build for Windows ends
// with the name of its directory, which says what to do, before anything is
// compiled.
package wsl
