package bench

import "time"

// usage is what the processes of a server have used.
type usage struct {
	known        bool
	user, system time.Duration // of CPU, since they began
	rss, peak    int64         // bytes resident, now and at most
}

func (u usage) cpu() time.Duration { return u.user + u.system }
