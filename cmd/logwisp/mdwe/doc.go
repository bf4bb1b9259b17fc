// Package mdwe ends the program with one line where memory must not be made
// executable: under systemd's MemoryDenyWriteExecute, or a rule of SELinux or
// seccomp to the same end. The JSON encoder sonic loads code when its packages
// are initialised, before main, and would panic there.
//
// Importing the package is all there is to do. What must stay true for its init
// to come before sonic's: Go initialises packages in the order of their paths,
// each once all that it imports is initialised. This one imports nothing but
// syscall, so it is ready as soon as syscall is. All that loads code imports
// sonic's loader, which imports os, and os is behind this package both ways: it
// imports syscall, and its path is the greater one. So the package must not
// import anything that needs os, nor move to a path behind "os".
package mdwe
