package devstack

import "syscall"

// lifeline gives a child its own session, so that a Ctrl-C on the terminal reaches only us and we stop it in order, and
// has the kernel send it sig when we die without stopping it.
func lifeline(sig syscall.Signal) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setsid: true, Pdeathsig: sig}
}
