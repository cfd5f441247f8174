//go:build !linux

package devstack

// memoryFolder: no such file system is to be had everywhere.
func memoryFolder() string { return "" }
