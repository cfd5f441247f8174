package loop

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// These never block, as the sockets do not, so the scheduler need not be told of them. That is a tenth of what a read
// of a small frame costs.

// rawRead receives: a read of a socket ends there as well, by way of the file.
func rawRead(fd int, b []byte) (int, error) {
	return result(unix.RawSyscall6(unix.SYS_RECVFROM, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)), 0, 0, 0)) //nolint:gosec // the buffer lives through the call
}

func rawWrite(fd int, b []byte) (int, error) {
	return result(unix.RawSyscall6(unix.SYS_SENDTO, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)), unix.MSG_NOSIGNAL, 0, 0)) //nolint:gosec // as above
}

func result(n, _ uintptr, errno unix.Errno) (int, error) {
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}
