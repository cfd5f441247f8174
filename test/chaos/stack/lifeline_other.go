//go:build !linux

package stack

import "syscall"

// lifeline keeps a Ctrl-C on the terminal from a child.
func lifeline() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }
