package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"strings"

	"github.com/alecthomas/kong"
)

// configCommands are about the configuration itself.
type configCommands struct {
	Show showCommand `cmd:"" help:"Print the configuration in effect."`
	Init initCommand `cmd:"" help:"Print a configuration file with every key, its default and what it is for."`
}

// showCommand prints the configuration that the daemon would start with, given
// the same flags, environment and file. Secrets are masked.
type showCommand struct {
	commandLine
	Format  string `name:"format" enum:"toml,json,env" default:"toml" placeholder:"FORMAT" help:"How to print it: toml, json or env (default: ${default})." group:"Output:"`
	Origins bool   `name:"origins" help:"Say where each value comes from: a flag, a variable, a line of the file or the default." group:"Output:"`
}

func (c *showCommand) Run(ctx *kong.Context, std *stdio) error {
	s, warnings, err := loadSettings(&c.commandLine, ctx)
	if err != nil {
		return err
	}
	for _, w := range warnings {
		fmt.Fprintln(std.err, "logwisp: "+w.String())
	}
	v := &view{settings: settingsOf(reflect.TypeFor[config]()), root: reflect.ValueOf(&s.config).Elem()}
	if c.Origins {
		v.origin = s.origins.of
	}
	switch c.Format {
	case "json":
		return v.json(std.out)
	case "env":
		return v.env(std.out, map[string]string{"monitor.targets": s.targetsText(), "inputs": s.inputsText(), "outputs": s.outputsText()})
	default:
		return v.toml(std.out)
	}
}

// view prints a configuration.
type view struct {
	settings []*setting
	root     reflect.Value
	origin   func(path string) string // nil when origins are not asked for
}

// toml prints the configuration as a file that loads back to it, except for
// secrets.
func (v *view) toml(w io.Writer) error {
	var text bytes.Buffer
	v.tomlTable(&text, v.settings, v.root, "")
	_, err := w.Write(bytes.TrimLeft(text.Bytes(), "\n"))
	return err
}

func (v *view) tomlTable(text *bytes.Buffer, settings []*setting, table reflect.Value, parent string) {
	for _, s := range settings {
		if s.kind == kindTable || s.kind == kindTables {
			continue // behind the keys, which would else belong to them
		}
		path := joinKey(parent, s.name)
		line := joinKey("", s.name) + " = " + s.tomlText(table.FieldByIndex(s.index))
		if v.origin != nil {
			line = fmt.Sprintf("%-32s # %s", line, oneLine(v.origin(path)))
		}
		text.WriteString(line + "\n")
	}
	for _, s := range settings {
		path, value := joinKey(parent, s.name), table.FieldByIndex(s.index)
		switch s.kind {
		case kindTable:
			fmt.Fprintf(text, "\n[%s]\n", withoutElements(path))
			v.tomlTable(text, s.children, value, path)
		case kindTables:
			for i := range value.Len() {
				fmt.Fprintf(text, "\n[[%s]]\n", withoutElements(path))
				v.tomlTable(text, s.children, value.Index(i), elementKey(path, i))
			}
		}
	}
}

// json prints the configuration as one object, with {"value", "origin"} for
// each key when origins are asked for.
func (v *view) json(w io.Writer) error {
	var text, indented bytes.Buffer
	v.jsonTable(&text, v.settings, v.root, "")
	if err := json.Indent(&indented, text.Bytes(), "", "  "); err != nil {
		return fmt.Errorf("print the configuration as JSON: %w", err)
	}
	_, err := w.Write(append(indented.Bytes(), '\n'))
	return err
}

func (v *view) jsonTable(text *bytes.Buffer, settings []*setting, table reflect.Value, parent string) {
	text.WriteByte('{')
	for i, s := range settings {
		if i > 0 {
			text.WriteByte(',')
		}
		path, value := joinKey(parent, s.name), table.FieldByIndex(s.index)
		text.WriteString(quoted(s.name) + ":")
		switch s.kind {
		case kindTable:
			v.jsonTable(text, s.children, value, path)
		case kindTables:
			text.WriteByte('[')
			for i := range value.Len() {
				if i > 0 {
					text.WriteByte(',')
				}
				v.jsonTable(text, s.children, value.Index(i), elementKey(path, i))
			}
			text.WriteByte(']')
		default:
			if v.origin == nil {
				text.WriteString(s.jsonText(value))
				break
			}
			fmt.Fprintf(text, `{"value":%s,"origin":%s}`, s.jsonText(value), quoted(v.origin(path)))
		}
	}
	text.WriteByte('}')
}

// env prints the variables that make the configuration. An array of tables has
// one only when its text is given. What a variable cannot say is a comment.
func (v *view) env(w io.Writer, special map[string]string) error {
	var text strings.Builder
	eachSetting(v.settings, v.root, "", func(s *setting, path string, value reflect.Value) {
		assigned, known := special[path]
		items := 0
		switch {
		case strings.Contains(path, "["):
			return
		case s.kind == kindTables && !known:
			if value.Len() > 0 {
				text.WriteString("# " + path + ": only a file can have it\n")
			}
			return
		case path == "monitor.targets", s.kind == kindList, s.kind == kindMapping:
			items = value.Len()
		}
		if !known {
			assigned = s.plainText(value)
		}
		if items > 0 && strings.Count(assigned, ",") >= items { // it would end a value
			text.WriteString("# " + path + ": only a file can have values with commas\n")
			return
		}
		if v.origin != nil {
			text.WriteString("# " + oneLine(v.origin(path)) + "\n")
		}
		text.WriteString(variableName(path) + "=" + shellWord(assigned) + "\n")
	})
	_, err := io.WriteString(w, text.String())
	return err
}

// targetsText is what LOGWISP_MONITOR_TARGETS would be.
func (s *settings) targetsText() string {
	var texts []string
	for _, t := range s.Monitor.Targets {
		texts = append(texts, fmt.Sprintf("%s:%s:%t", t.Path, t.Pattern, t.IsFile))
	}
	return strings.Join(texts, ",")
}

// oneLine keeps the name of a file from ending a comment.
func oneLine(text string) string {
	return strings.NewReplacer("\n", `\n`, "\r", `\r`).Replace(text)
}

// shellWord quotes a value where a shell or a file of variables needs it.
func shellWord(text string) string {
	if strings.Trim(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+./:,@%=") == "" {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}
