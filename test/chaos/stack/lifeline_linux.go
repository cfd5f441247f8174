package stack

import "syscall"

// lifeline has the kernel kill a child when we die, and keeps a Ctrl-C on the terminal from it.
func lifeline() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGKILL}
}
