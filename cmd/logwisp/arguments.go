package main

import (
	"errors"
	"fmt"
	"os"
	"reflect"
	"regexp"
	"strings"

	"github.com/alecthomas/kong"
)

// arrange puts the command first, then the flags, then the arguments, each in
// their order, so that all of them may stand anywhere; kong wants the command
// before its flags, and takes arguments behind a flag for too many. Without a
// command it is run, unless only help is asked for.
func arrange(root *kong.Node, args []string) []string {
	alone := flagsWithoutValue(root)
	var command, flags, rest, last []string
	node := root
	for i := 0; i < len(args); i++ {
		arg := args[i]
		switch {
		case arg == "--":
			last, args = args[i:], args[:i]
		case len(arg) < 2 || arg[0] != '-':
			if child := childNamed(node, arg); child != nil && len(rest) == 0 {
				node, command = child, append(command, arg)
				continue
			}
			rest = append(rest, arg)
		case !wantsValue(alone, arg):
			flags = append(flags, arg)
		case i+1 == len(args):
			last = []string{arg} // its value is missing, and no other word must become it
		default:
			i++
			flags = append(flags, arg, args[i])
		}
	}
	if len(command) == 0 && !asksForHelp(flags) {
		command = []string{"run"}
	}
	return append(append(append(command, flags...), rest...), last...)
}

// firstWord returns the first argument that is neither a flag nor the value of
// one, "" if there is none.
func firstWord(root *kong.Node, args []string) string {
	alone := flagsWithoutValue(root)
	for i := 0; i < len(args); i++ {
		switch arg := args[i]; {
		case arg == "--":
			return ""
		case len(arg) < 2 || arg[0] != '-':
			return arg
		case wantsValue(alone, arg):
			i++
		}
	}
	return ""
}

func childNamed(node *kong.Node, name string) *kong.Node {
	for _, child := range node.Children {
		if child.Type == kong.CommandNode && child.Name == name {
			return child
		}
	}
	return nil
}

// flagsWithoutValue returns the names, as they are written, of the flags of all
// commands that take no value. A name means the same in all of them.
func flagsWithoutValue(node *kong.Node) map[string]bool {
	alone := map[string]bool{}
	for _, f := range node.Flags {
		if !f.IsBool() {
			continue
		}
		alone["--"+f.Name], alone["--no-"+f.Name] = true, true
		if f.Short != 0 {
			alone["-"+string(f.Short)] = true
		}
	}
	for _, child := range node.Children {
		for name := range flagsWithoutValue(child) {
			alone[name] = true
		}
	}
	return alone
}

// wantsValue reports whether the word after a flag belongs to it.
func wantsValue(alone map[string]bool, arg string) bool {
	if strings.HasPrefix(arg, "--") {
		return !alone[arg] && !strings.Contains(arg, "=")
	}
	for i, letter := range arg[1:] { // short flags in one word: -c, -n5
		if !alone["-"+string(letter)] {
			return i+1+len(string(letter)) == len(arg)
		}
	}
	return false
}

func asksForHelp(flags []string) bool {
	for _, f := range flags {
		if f == "-h" || f == "--help" || f == "--version" {
			return true
		}
	}
	return false
}

var (
	unknownFlag = regexp.MustCompile(`^(unknown flag (--?[^\s,]+))(?:, did you mean .*)?$`)
	badChoice   = regexp.MustCompile(`^(.+) must be one of (.+) but got "(.*)"$`)
)

// meant adds to what kong says about a command line what was probably meant: a
// similar flag, the command that has the flag, a similar value. Kong's own idea
// leaves out negated flags, and is any letter for a short one.
func meant(root, node *kong.Node, problem string) string {
	if found := unknownFlag.FindStringSubmatch(problem); found != nil {
		unknown, name := found[1], found[2]
		if !strings.HasPrefix(name, "--") {
			return unknown
		}
		if near := nearest(name, flagNames(node)); near != "" {
			return fmt.Sprintf("%s, did you mean %q?", unknown, near)
		}
		near, owner := flagElsewhere(root, name)
		switch {
		case owner == nil:
			return problem
		case near == name:
			return fmt.Sprintf("%s: it is one of %s", unknown, owner.FullPath())
		}
		return fmt.Sprintf("%s, did you mean %s of %s?", unknown, near, owner.FullPath())
	}
	if found := badChoice.FindStringSubmatch(problem); found != nil {
		var choices []string
		for choice := range strings.SplitSeq(found[2], ",") {
			choices = append(choices, strings.Trim(choice, `" `))
		}
		if near := nearest(found[3], choices); near != "" {
			return fmt.Sprintf("%s, did you mean %q?", problem, near)
		}
	}
	return problem
}

// flagNames lists the flags of a command as they are written; those of the
// root are those of run.
func flagNames(node *kong.Node) []string {
	if node.Parent == nil && node.DefaultCmd != nil {
		node = node.DefaultCmd
	}
	var names []string
	for _, group := range node.AllFlags(true) {
		for _, f := range group {
			names = append(names, "--"+f.Name)
			if f.Tag.Negatable == negatedByPrefix {
				names = append(names, "--no-"+f.Name)
			}
			if f.Short != 0 {
				names = append(names, "-"+string(f.Short))
			}
		}
	}
	return names
}

// flagElsewhere returns the flag of any command that is nearest to a name, and
// the command.
func flagElsewhere(root *kong.Node, name string) (string, *kong.Node) {
	owners := map[string]*kong.Node{}
	var all []string
	for _, leaf := range root.Leaves(true) {
		for _, known := range flagNames(leaf) {
			if owners[known] == nil {
				owners[known] = leaf
				all = append(all, known)
			}
		}
	}
	near := nearest(name, all)
	return near, owners[near]
}

// refuseMisspeltCommand keeps `logwisp versoin` from waiting for a file of that
// name. The words that are commands are those of the struct program.
func refuseMisspeltCommand(arg string) error {
	if arg == "" || strings.ContainsAny(arg, "/.:") {
		return nil
	}
	if _, err := os.Lstat(arg); err == nil {
		return nil
	}
	if arg == "help" {
		return errors.New(`no such file "help"; did you mean logwisp --help?`)
	}
	near := nearest(arg, commandWords())
	if near == "" {
		return nil
	}
	return fmt.Errorf("no such file %q; did you mean the command `logwisp %s`? (./%s names a file that is still to come)", arg, near, arg)
}

// commandWords are the words that may stand first.
func commandWords() []string {
	var words []string
	for field := range fieldsOf(reflect.TypeFor[program]()) {
		if _, ok := field.Tag.Lookup("cmd"); ok {
			words = append(words, strings.ToLower(field.Name))
		}
	}
	return words
}
