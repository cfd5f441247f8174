//go:build !linux

package devstack

import "syscall"

// lifeline gives a child its own session, so that a Ctrl-C on the terminal reaches only us and we stop it in order.
// There is no parent-death signal here: what a killed parent leaves behind is stopped by the next start (see orphan.go).
func lifeline(syscall.Signal) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setsid: true}
}
