package usage

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestGaps(t *testing.T) {
	at := time.Date(2026, 5, 4, 10, 0, 0, 0, time.UTC)
	minutes := func(list ...int) (points []Point) {
		for _, m := range list {
			points = append(points, Point{Start: at.Add(time.Duration(m) * time.Minute)})
		}
		return points
	}
	for name, c := range map[string]struct {
		points []Point
		want   [][2]int
	}{
		"none":             {minutes(0, 1, 2, 3, 4), nil},
		"nothing":          {nil, [][2]int{{0, 5}}},
		"at the beginning": {minutes(2, 3, 4), [][2]int{{0, 2}}},
		"at the end":       {minutes(0, 1), [][2]int{{2, 5}}},
		"in between":       {minutes(0, 3, 4), [][2]int{{1, 3}}},
		"two":              {minutes(1, 3, 4), [][2]int{{0, 1}, {2, 3}}},
	} {
		var got [][2]int
		for _, g := range Gaps(c.points, Minute, at, at.Add(5*time.Minute)) {
			got = append(got, [2]int{int(g.Start.Sub(at) / time.Minute), int(g.End.Sub(at) / time.Minute)})
		}
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
}

func TestTotal(t *testing.T) {
	points := []Point{
		{Covered: time.Minute, Counts: Counts{PeakConnections: 3, ConnectionTime: 2 * time.Minute, MessagesIn: 1, BytesOut: 10}},
		{Covered: 30 * time.Second, Counts: Counts{PeakConnections: 2, ConnectionTime: time.Minute, MessagesIn: 5}},
	}
	points[0].Rejections[Busy], points[1].Rejections[Busy] = 2, 3
	got := Total(points)
	if got.PeakConnections != 3 || got.MessagesIn != 6 || got.BytesOut != 10 || got.Rejections[Busy] != 5 || got.AverageConnections() != 2 {
		t.Errorf("%+v, %v on average", got, got.AverageConnections())
	}
	if none := Total(nil); !none.IsZero() || none.AverageConnections() != 0 {
		t.Errorf("of nothing: %+v", none)
	}
}
