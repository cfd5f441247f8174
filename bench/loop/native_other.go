//go:build !linux

package loop

func newNative() (Loop, error) { return newPortable(), nil }
