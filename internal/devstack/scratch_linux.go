package devstack

import "syscall"

const (
	tmpfsMagic = 0x01021994 // linux/magic.h
	// scratchRoom is what several test binaries with a cluster each take at once, and as much again. A container's usual
	// 64 MB do not suffice.
	scratchRoom = 2 << 30
)

// memoryFolder is a file system in memory with room for clusters, "" where there is none.
func memoryFolder() string {
	const shm = "/dev/shm"
	var fs syscall.Statfs_t
	if err := syscall.Statfs(shm, &fs); err != nil || fs.Type != tmpfsMagic {
		return ""
	}
	if fs.Bavail*uint64(fs.Bsize) < scratchRoom { //nolint:gosec // A block size is not negative.
		return ""
	}
	return shm
}
