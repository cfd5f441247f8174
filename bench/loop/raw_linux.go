package loop

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// These never block, as the sockets do not, so the scheduler need not be told of them. That is a tenth of what a read
// of a small frame costs.

func rawRead(fd int, b []byte) (int, error) {
	return result(unix.RawSyscall(unix.SYS_READ, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)))) //nolint:gosec // the buffer lives through the call
}

func rawWrite(fd int, b []byte) (int, error) {
	return result(unix.RawSyscall(unix.SYS_WRITE, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)))) //nolint:gosec // as above
}

func result(n, _ uintptr, errno unix.Errno) (int, error) {
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil //nolint:gosec // at most the length of a buffer
}
