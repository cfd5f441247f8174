package usage

import "time"

// Step is how long the time is that one row of usage tells of.
type Step string

// The steps.
const (
	Minute Step = "minute"
	Hour   Step = "hour"
	Day    Step = "day"
)

// Steps returns all steps, the shortest first.
func Steps() []Step { return []Step{Minute, Hour, Day} }

// Length returns how long a step is. Days are those of UTC, which all have the same length.
func (s Step) Length() time.Duration {
	switch s {
	case Minute:
		return time.Minute
	case Hour:
		return time.Hour
	case Day:
		return 24 * time.Hour
	default:
		return 0
	}
}

// Kept returns for how long the rows of a step are kept.
func (s Step) Kept() time.Duration {
	const day = 24 * time.Hour
	switch s {
	case Minute:
		return 2 * day
	case Hour:
		return 90 * day
	case Day:
		return 2 * 365 * day
	default:
		return 0
	}
}

// Start returns when the step begins that holds a moment.
func (s Step) Start(at time.Time) time.Time { return at.UTC().Truncate(s.Length()) }

// Point is what was used in one step.
type Point struct {
	Start time.Time
	// Covered is for how much of the step anybody counted, which for one that is under way is less than its length.
	Covered time.Duration
	Counts
}

// AverageConnections returns how many connections there were on average, while anybody counted.
func (p *Point) AverageConnections() float64 {
	if p.Covered == 0 {
		return 0
	}
	return float64(p.ConnectionTime) / float64(p.Covered)
}
