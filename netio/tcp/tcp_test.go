package tcp

import (
	"testing"

	"go.uber.org/goleak"

	"logwisp/netio/access"
	"logwisp/netio/netiotest"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, netiotest.IgnoreLibraries()...)
}

func transport(handshake string, request func(netiotest.Ask) string) netiotest.Transport {
	return netiotest.Transport{
		Start:   starting(Options{Handshake: handshake}, access.Open()),
		Request: request, Read: netiotest.ReadLine, LinesOnly: handshake != "off",
	}
}

func nothing(netiotest.Ask) string { return "" }

// helloOf returns the hello of a client that wants everything there is.
func helloOf(ask netiotest.Ask) string {
	line := `{"hello":1,"notices":true,"ids":true,"filter":{"level":"` + ask.Level + `"}`
	if ask.Resume != "" {
		line += `,"from":"` + ask.Resume + `"`
	}
	return line + "}\r\n"
}

func TestConformance(t *testing.T) {
	netiotest.Run(t, transport("", nothing))
}

func TestConformanceWithoutHandshake(t *testing.T) {
	netiotest.Run(t, transport("off", nothing), "WhatAClientSendsIsDiscarded", "HalfClosedClientKeepsItsStream")
}

func TestConformanceWithHello(t *testing.T) {
	for _, handshake := range []string{"optional", "required"} {
		t.Run(handshake, func(t *testing.T) {
			tr := transport(handshake, helloOf)
			tr.Asks, tr.Greets, tr.Notices, tr.Places, tr.IDs = true, true, true, true, true
			tr.Lacks = []string{"limit"}
			netiotest.Run(t, tr)
		})
	}
}
