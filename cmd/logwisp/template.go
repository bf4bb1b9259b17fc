package main

import (
	"bytes"
	"fmt"
	"reflect"
	"strings"
)

// initCommand prints a configuration file to begin with.
type initCommand struct{}

func (c *initCommand) Run(std *stdio) error {
	_, err := std.out.Write(template())
	return err
}

const templateHead = `# Configuration of LogWisp. Every key is here, with its default: remove the # in
# front of those to change. A flag wins over the environment, the environment
# over this file. The variable of a key is LOGWISP_ and its path in upper case:
# LOGWISP_TCPSERVER_PORT for tcpserver.port. "logwisp check" says what is wrong.
`

// template returns a file with every key of the configuration, all of them
// commented out. It means the defaults, with the keys commented in as well.
// Keys of arrays of tables that are empty by default have two #.
func template() []byte {
	var s settings
	settings := settingsOf(reflect.TypeFor[config]())
	s.origins = origins{}
	root := reflect.ValueOf(&s.config).Elem()
	setDefaults(settings, root)
	s.setTargets(nil)
	var text bytes.Buffer
	text.WriteString(templateHead)
	templateTable(&text, settings, root, "", "#", false)
	return text.Bytes()
}

// templateTable appends a table's keys, each behind mark. element says that it is
// part of an array of tables.
func templateTable(text *bytes.Buffer, settings []*setting, table reflect.Value, parent, mark string, element bool) {
	for _, s := range settings {
		if s.kind == kindTable || s.kind == kindTables {
			continue
		}
		for _, line := range wrap(s.purpose(joinKey(parent, s.name)), 76) {
			text.WriteString("# " + line + "\n")
		}
		text.WriteString(mark + joinKey("", s.name) + " = " + s.tomlText(table.FieldByIndex(s.index)) + "\n")
	}
	for _, s := range settings {
		path, value := joinKey(parent, s.name), table.FieldByIndex(s.index)
		switch s.kind {
		case kindTable:
			header := "[" + path + "]"
			if element {
				header = mark + header // without its array it would be a table of another place
			}
			text.WriteString("\n" + header + "\n")
			templateTable(text, s.children, value, path, mark, element)
		case kindTables:
			mark := mark
			if value.Len() == 0 {
				mark = "##"
				value = reflect.MakeSlice(value.Type(), 1, 1)
				setDefaults(s.children, value.Index(0))
			}
			fmt.Fprintf(text, "\n%s[[%s]]\n", mark, path)
			templateTable(text, s.children, value.Index(0), path, mark, true)
		}
	}
}

// purpose says what a key is for: the help of its flag, else the text for it,
// else what values it takes.
func (s *setting) purpose(path string) string {
	help := strings.TrimSuffix(strings.ReplaceAll(s.help, " (default: ${default})", ""), ".")
	if cut := strings.LastIndex(help, " (default: "); cut > 0 {
		help = help[:cut]
	}
	if help == "" {
		help = purposes.of(path)
	}
	if help == "" || s.min != "" || s.max != "" || s.enum != nil {
		limits := s.wanted()
		if help != "" {
			help += ": "
		}
		help += limits
	}
	return help + "."
}

// wrap breaks a text into lines of at most width bytes, where it has spaces.
func wrap(text string, width int) []string {
	var lines []string
	line := ""
	for word := range strings.FieldsSeq(text) {
		if line != "" && len(line)+1+len(word) > width {
			lines = append(lines, line)
			line = ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	return append(lines, line)
}
