package main

import (
	"slices"
	"testing"
)

func TestAVariableMayNameSeveralServersOfNATS(t *testing.T) {
	got := splitURLs("tcp://:1, nats://u:p@h:1,[::1]:2,h3/x,-,http://h,y")
	if want := []string{"tcp://:1", "nats://u:p@h:1,[::1]:2,h3/x", "-", "http://h", "y"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
