package main

// What LogWisp is made of needs a Unix: files are known by their inodes, sockets
// by their descriptors. The build ends here, with a name that says what to do.
import _ "logwisp/cmd/logwisp/on_windows_use_wsl"
