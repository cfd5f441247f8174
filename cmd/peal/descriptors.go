package main

import "syscall"

// reservedDescriptors are kept from sockets, for the database, the other doors, and connections that are only being
// told that there is no room.
const reservedDescriptors = 256

// descriptorShares returns how many sockets the process may hold, so that it refuses more instead of running out of
// descriptors, and how many it may be refusing at once; 0 when the limit cannot be read. Go raises the limit to what
// is allowed when it starts.
func descriptorShares() (sockets, refused int) {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return 0, 0
	}
	const plenty = 1 << 30
	n := int(min(uint64(limit.Cur), plenty)) //nolint:unconvert // It is signed on some systems.
	// A small limit is shared half and half.
	reserved := min(reservedDescriptors, n/2)
	return n - reserved, reserved / 2
}
