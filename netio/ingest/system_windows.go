package ingest

import (
	"net/netip"
	"os"
)

// As in system_other.go.

func readNow(int, []byte) (int, error) { return 0, errNotLinux }

func receive(int, []byte) (int, netip.Addr, error) { return 0, netip.Addr{}, errNotLinux }

func askReceiveBuffer(int) error { return errNotLinux }

type standardInput struct{}

func newStandardInput(*os.File) (*standardInput, error) { return nil, errNotLinux }

func (*standardInput) wait(func() bool) error { return errNotLinux }

func (*standardInput) read([]byte) (int, error) { return 0, errNotLinux }

func (*standardInput) end() {}

func (*standardInput) close() {}
