package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// configFile finds the configuration file: the one the flag names, else the
// one LOGWISP_CONFIG_FILE names, else the first that exists of
// $XDG_CONFIG_HOME/logwisp.toml, $XDG_CONFIG_HOME/logwisp/logwisp.toml and
// /etc/logwisp/logwisp.toml, where $HOME/.config stands in for an
// XDG_CONFIG_HOME that is unset or relative. The flag is its value or "", env
// a function such as os.Getenv.
//
// explicit tells that the user named the file. A file that is named and does
// not exist is an error, and so is a directory or a file that may not be
// read, named or found; without a name and without a file the path is "".
func configFile(flag string, env func(string) string) (path string, explicit bool, err error) {
	named, by := flag, "--config"
	if named == "" {
		named, by = env(configFileVariable), configFileVariable
	}
	if named != "" {
		err := readable(named)
		if errors.Is(err, fs.ErrNotExist) {
			err = fmt.Errorf("%s names %s, which does not exist: create it or correct the name", by, named)
		} else if err != nil {
			err = fmt.Errorf("%s names %s: %w", by, named, err)
		}
		return named, true, err
	}
	for _, candidate := range defaultConfigFiles(env) {
		// Whatever cannot even be looked at is not there: a service manager
		// may well hide the home directory.
		if _, err := os.Stat(candidate); err != nil {
			continue
		}
		err := readable(candidate)
		if err != nil {
			err = fmt.Errorf("configuration file %s: %w", candidate, err)
		}
		return candidate, false, err
	}
	return "", false, nil
}

func defaultConfigFiles(env func(string) string) []string {
	var files []string
	home := env("XDG_CONFIG_HOME")
	if !filepath.IsAbs(home) {
		home = ""
		if user := env("HOME"); filepath.IsAbs(user) {
			home = filepath.Join(user, ".config")
		}
	}
	if home != "" {
		files = append(files, filepath.Join(home, "logwisp.toml"), filepath.Join(home, "logwisp", "logwisp.toml"))
	}
	return append(files, "/etc/logwisp/logwisp.toml")
}

// readable returns an error unless the path can be read as a file. A pipe is
// not opened, as that would wait for or disturb its writer.
func readable(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return cause(err)
	}
	if info.IsDir() {
		return errors.New("is a directory, want a file")
	}
	if !info.Mode().IsRegular() {
		return nil
	}
	file, err := os.Open(path)
	if err != nil {
		return cause(err)
	}
	return file.Close()
}

// cause drops the operation and the path from an error whose text is to have
// them in other words, and says what to do about it.
func cause(err error) error {
	if broken, ok := errors.AsType[*fs.PathError](err); ok {
		err = broken.Err
	}
	if errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("cannot be read: %w: give this user the right to read it", err)
	}
	return err
}
