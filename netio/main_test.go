package netio_test

import (
	"testing"

	"go.uber.org/goleak"

	"logwisp/netio/netiotest"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, netiotest.IgnoreLibraries()...)
}
