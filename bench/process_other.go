//go:build !linux

package bench

import (
	"errors"
	"math"
	"time"
)

func readUsage(pids []int) (usage, error) {
	if len(pids) > 0 {
		return usage{}, &InvalidError{"pid", "is read on Linux only"}
	}
	return usage{}, nil
}

// ownCPU is not known here; whether the generator keeps up is told from its loop.
func ownCPU() time.Duration { return 0 }

func raiseFileLimit() (uint64, error) { return math.MaxUint64, errors.ErrUnsupported }
