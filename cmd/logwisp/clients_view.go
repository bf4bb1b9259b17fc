package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// clientsCommand prints GET /clients for people.
type clientsCommand struct{ queryFlags }

func (c *clientsCommand) Run(std *stdio) error {
	var list clientList
	if show, err := c.read("/clients", &list, std); err != nil || !show {
		return err
	}
	return list.print(std.out)
}

// clientList is the answer of GET /clients.
type clientList []clientRow

// clientRow is one client of it.
type clientRow struct {
	ID, Transport, Address, Name          string
	Filter                                json.RawMessage
	Offered, Delivered, Filtered, Dropped uint64
	LagEntries                            uint64 `json:"lag_entries"`
	LagBytes                              uint64 `json:"lag_bytes"`
}

// UnmarshalJSON reads an array, also one in an object's clients.
func (l *clientList) UnmarshalJSON(text []byte) error {
	if bytes.HasPrefix(bytes.TrimSpace(text), []byte("[")) {
		return json.Unmarshal(text, (*[]clientRow)(l))
	}
	var object struct{ Clients *[]clientRow }
	if err := json.Unmarshal(text, &object); err != nil {
		return err
	}
	if object.Clients == nil {
		return fmt.Errorf("it has no clients")
	}
	*l = *object.Clients
	return nil
}

func (l clientList) print(w io.Writer) error {
	if len(l) == 0 {
		_, err := fmt.Fprintln(w, "no clients")
		return err
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "ID\tTRANSPORT\tADDRESS\tNAME\tDELIVERED\tFILTERED\tDROPPED\tBEHIND\tFILTER")
	for i := range l {
		c := &l[i]
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n",
			field(c.ID), field(c.Transport), field(c.Address), field(c.Name),
			count(c.Delivered), count(c.Filtered), count(c.Dropped),
			count(c.LagEntries)+" entries, "+amount(c.LagBytes), field(filterText(c.Filter)))
	}
	return t.Flush()
}

// field is a text of the server in a column; an empty one would shift none, but
// reads like a missing one.
func field(text string) string {
	if text == "" {
		return "-"
	}
	return strings.ReplaceAll(escaped(text), "\t", `\t`) // a tab ends a column
}

// filterText is a filter as it was sent: a string, or JSON.
func filterText(raw json.RawMessage) string {
	var text string
	switch err := json.Unmarshal(raw, &text); {
	case err == nil || len(raw) == 0:
		return text
	case string(raw) == "{}":
		return ""
	}
	return string(raw)
}
