package usage

import "time"

// Gap is a time in which nobody counted.
type Gap struct{ Start, End time.Time }

// Gaps returns the steps of a range for which there is no point, those that follow one another as one. Points are in order.
func Gaps(points []Point, step Step, since, until time.Time) []Gap {
	var gaps []Gap
	at := step.Start(since)
	missing := func(end time.Time) {
		if at.Before(end) {
			gaps = append(gaps, Gap{Start: at, End: end})
		}
	}
	for i := range points {
		missing(points[i].Start)
		at = points[i].Start.Add(step.Length())
	}
	missing(until)
	return gaps
}

// Total returns what was used in all points together, as one that begins with the first: the highest peak, and the sums.
func Total(points []Point) Point {
	var total Point
	for i := range points {
		p := &points[i]
		if i == 0 {
			total.Start = p.Start
		}
		total.Covered += p.Covered
		total.PeakConnections = max(total.PeakConnections, p.PeakConnections)
		total.AddSums(&p.Counts)
	}
	return total
}
