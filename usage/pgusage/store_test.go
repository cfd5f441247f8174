package pgusage

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/pealhq/peal/internal/testenv"
	"github.com/pealhq/peal/tenants"
	"github.com/pealhq/peal/tenants/pgdb"
	"github.com/pealhq/peal/usage"
)

func TestMain(m *testing.M) { testenv.Main(m) }

var (
	acme = uuid.MustParse("00000000-0000-0000-0000-00000000000a")
	bolt = uuid.MustParse("00000000-0000-0000-0000-00000000000b")
)

// ledger is a store on a database of its own.
type ledger struct {
	*Store
	t   *testing.T
	url string
}

func newLedger(t *testing.T) *ledger {
	t.Helper()
	url := testenv.Postgres(t)
	db, err := pgdb.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	return &ledger{New(db), t, url}
}

// write adds one interval.
func (l *ledger) write(edge string, seq uint64, start time.Time, apps ...usage.AppCounts) {
	l.t.Helper()
	if err := l.Write(l.t.Context(), []usage.Interval{{Edge: edge, Seq: seq, Start: start, Apps: apps}}); err != nil {
		l.t.Fatal(err)
	}
}

func (l *ledger) points(tenant uuid.UUID, app string, r Range) []usage.Point {
	l.t.Helper()
	points, err := l.Points(l.t.Context(), tenant, app, r)
	if err != nil {
		l.t.Fatal(err)
	}
	return points
}

func (l *ledger) exec(sql string) {
	l.t.Helper()
	conn, err := pgx.Connect(l.t.Context(), l.url)
	if err != nil {
		l.t.Fatal(err)
	}
	defer conn.Close(context.Background())
	if _, err := conn.Exec(l.t.Context(), sql); err != nil {
		l.t.Fatal(err)
	}
}

func of(tenant uuid.UUID, app string, c usage.Counts) usage.AppCounts {
	return usage.AppCounts{Tenant: tenant, App: app, Counts: c}
}

func connected(peak int64) usage.Counts {
	return usage.Counts{PeakConnections: peak, ConnectionTime: time.Duration(peak) * usage.IntervalLength}
}

// midnight is one that is so near that nothing around it is too old.
func midnight() time.Time { return usage.Day.Start(time.Now()) }

func TestIntervalsAddUpAcrossMidnight(t *testing.T) {
	l := newLedger(t)
	m := midnight()
	c := usage.Counts{MessagesIn: 1, MessagesOut: 2, BytesIn: 3, BytesOut: 4, APICalls: 5, Webhooks: 6}
	c.Rejections[usage.Invalid] = 1
	d := c
	d.Rejections[usage.MessageRate] = 7
	// Two before midnight, in two minutes; three after it, in one.
	l.write("a", 1, m.Add(-70*time.Second), of(acme, "1", c))
	l.write("a", 2, m.Add(-10*time.Second), of(acme, "1", d))
	l.write("a", 3, m, of(acme, "1", c))
	l.write("a", 4, m.Add(10*time.Second), of(acme, "1", c), of(acme, "2", c))
	l.write("a", 5, m.Add(20*time.Second))
	for step, want := range map[usage.Step][]int64{
		usage.Minute: {1, 1, 2}, usage.Hour: {2, 2}, usage.Day: {2, 2},
	} {
		r := Range{Step: step, Since: step.Start(m.Add(-70 * time.Second)), Until: m.Add(time.Minute)}
		got := l.points(acme, "1", r)
		var in []int64
		for _, p := range got {
			in = append(in, p.MessagesIn)
			if p.Webhooks != 6*p.MessagesIn || p.BytesOut != 4*p.MessagesIn || p.Rejections[usage.Invalid] != p.MessagesIn {
				t.Errorf("%s: %+v", step, p)
			}
		}
		if d := cmp.Diff(want, in); d != "" {
			t.Errorf("%s: %s", step, d)
			continue
		}
		before, after := got[len(got)-2], got[len(got)-1]
		if before.Rejections[usage.MessageRate] != 7 || after.Rejections[usage.MessageRate] != 0 {
			t.Errorf("%s: rejected %v, then %v", step, before.Rejections, after.Rejections)
		}
		if !after.Start.Equal(m) || after.Covered != 30*time.Second {
			t.Errorf("%s: the last begins at %v and covers %v", step, after.Start, after.Covered)
		}
		if all := l.points(acme, "", r); all[len(all)-1].MessagesIn != 3 {
			t.Errorf("%s: all apps: %+v", step, all)
		}
	}
}

func TestPeaksAreThoseOfTheSameMoment(t *testing.T) {
	l := newLedger(t)
	m := usage.Hour.Start(time.Now().Add(-time.Hour))
	// Edge a has 5 and then none; edge b has none and then 4: never 9.
	l.write("a", 1, m, of(acme, "1", connected(5)))
	l.write("b", 1, m, of(acme, "1", connected(1)), of(acme, "2", connected(2)))
	l.write("a", 2, m.Add(10*time.Second))
	l.write("b", 2, m.Add(10*time.Second), of(acme, "1", connected(4)), of(acme, "2", connected(1)))
	l.write("b", 3, m.Add(time.Minute), of(acme, "1", connected(3)))
	// One edge hands over late.
	l.write("c", 1, m.Add(10*time.Second), of(acme, "1", connected(1)))
	r := Range{Step: usage.Minute, Since: m, Until: m.Add(time.Hour)}
	check := func(app string, step usage.Step, peaks []int64, averages []float64) {
		t.Helper()
		r.Step = step
		var gotPeaks []int64
		var gotAverages []float64
		for _, p := range l.points(acme, app, r) {
			gotPeaks, gotAverages = append(gotPeaks, p.PeakConnections), append(gotAverages, p.AverageConnections())
		}
		if d := cmp.Diff(peaks, gotPeaks); d != "" {
			t.Errorf("peaks of %q by %s: %s", app, step, d)
		}
		if d := cmp.Diff(averages, gotAverages); d != "" {
			t.Errorf("averages of %q by %s: %s", app, step, d)
		}
	}
	check("1", usage.Minute, []int64{6, 3}, []float64{5.5, 3})
	check("2", usage.Minute, []int64{2, 0}, []float64{1.5, 0})
	check("", usage.Minute, []int64{8, 3}, []float64{7, 3})
	check("1", usage.Hour, []int64{6}, []float64{14.0 / 3})
	check("", usage.Hour, []int64{8}, []float64{17.0 / 3})
}

func TestAnIntervalCountsOnce(t *testing.T) {
	l := newLedger(t)
	at := usage.Minute.Start(time.Now().Add(-time.Hour))
	var all []usage.Interval
	for seq := range uint64(12) {
		for _, edge := range []string{"a", "b"} {
			all = append(all, usage.Interval{
				Edge: edge, Seq: seq, Start: at.Add(time.Duration(seq) * usage.IntervalLength),
				Apps: []usage.AppCounts{of(acme, "1", usage.Counts{PeakConnections: 1, MessagesIn: 1})},
			})
		}
	}
	all = append(all, all[:3]...) // the same again in one batch
	var writers sync.WaitGroup
	for range 4 {
		writers.Go(func() {
			for n := 0; n < len(all); n += 9 {
				if err := l.Write(t.Context(), all[n:]); err != nil {
					t.Error(err)
				}
			}
		})
	}
	writers.Wait()
	points := l.points(acme, "1", Range{Step: usage.Hour, Since: at.Add(-time.Hour), Until: at.Add(2 * time.Hour)})
	sum, covered := int64(0), time.Duration(0)
	for _, p := range points {
		sum, covered = sum+p.MessagesIn, covered+p.Covered
		if p.PeakConnections > 2 {
			t.Errorf("a peak of %d", p.PeakConnections)
		}
	}
	if sum != 24 || covered != 2*time.Minute {
		t.Errorf("%d messages in %v", sum, covered)
	}
}

func TestGapsAreGapsAndZerosAreZeros(t *testing.T) {
	l := newLedger(t)
	at := usage.Minute.Start(time.Now().Add(-time.Hour))
	l.write("a", 1, at, of(acme, "1", connected(1)))
	l.write("a", 2, at.Add(time.Minute)) // counted, and nothing was used
	l.write("a", 3, at.Add(3*time.Minute), of(bolt, "9", connected(1)))
	got := l.points(acme, "1", Range{Step: usage.Minute, Since: at, Until: at.Add(5 * time.Minute)})
	var starts []time.Duration
	for _, p := range got {
		starts = append(starts, p.Start.Sub(at))
	}
	if d := cmp.Diff([]time.Duration{0, time.Minute, 3 * time.Minute}, starts); d != "" {
		t.Fatal(d)
	}
	if !got[1].IsZero() || !got[2].IsZero() {
		t.Errorf("%+v", got)
	}
}

func TestTheWallBetweenTenants(t *testing.T) {
	l := newLedger(t)
	at := usage.Minute.Start(time.Now().Add(-time.Hour))
	r := Range{Step: usage.Minute, Since: at, Until: at.Add(time.Minute)}
	l.write("a", 1, at, of(acme, "1", connected(1)), of(bolt, "9", connected(7)))
	if _, err := l.Points(t.Context(), acme, "9", r); !errors.Is(err, tenants.ErrNotFound) {
		t.Errorf("another tenant's app: %v", err)
	}
	if _, err := l.UsedBy(t.Context(), acme, "9", r); !errors.Is(err, tenants.ErrNotFound) {
		t.Errorf("whether another tenant's app used something: %v", err)
	}
	if top, err := l.Top(t.Context(), acme, r, ByMessages, 10); err != nil || len(top) != 1 || top[0].App != "1" {
		t.Errorf("top apps: %+v, %v", top, err)
	}
	if all := l.points(acme, "", r); len(all) != 1 || all[0].PeakConnections != 1 {
		t.Errorf("all apps: %+v", all)
	}
	// The second wall: a statement that names no tenant finds one tenant's rows, and can change none.
	err := l.db.Read(t.Context(), pgdb.Tenant(acme), func(q pgdb.Querier) error {
		got, err := pgdb.All[struct{ AppID string }](t.Context(), q, `SELECT app_id FROM usage WHERE step = 'day' ORDER BY 1`, nil)
		if err == nil && len(got) != 2 {
			err = fmt.Errorf("found %v", got)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	for _, statement := range []string{`UPDATE usage SET messages_in = 0`, `DELETE FROM usage`, `SELECT edge FROM usage_reports`, `DELETE FROM usage_coverage`} {
		err := l.db.Write(t.Context(), pgdb.Tenant(acme), func(q pgdb.Querier) error {
			_, err := pgdb.Exec(t.Context(), q, statement, nil)
			return err
		})
		if err == nil {
			t.Errorf("a tenant may: %s", statement)
		}
	}
}

func TestUsageOutlivesItsApp(t *testing.T) {
	l := newLedger(t)
	l.exec(`INSERT INTO tenants (id, name) VALUES ('` + acme.String() + `', 'Acme')`)
	l.exec(`INSERT INTO apps (id, tenant_id, name) VALUES ('1', '` + acme.String() + `', 'Chat'), ('2', '` + acme.String() + `', 'Idle')`)
	at := usage.Minute.Start(time.Now().Add(-time.Hour))
	r := Range{Step: usage.Minute, Since: at, Until: at.Add(time.Minute)}
	l.write("a", 1, at, of(acme, "1", connected(3)))
	if idle := l.points(acme, "2", r); len(idle) != 1 || !idle[0].IsZero() {
		t.Errorf("an app that used nothing: %+v", idle)
	}
	l.exec(`DELETE FROM apps`)
	if got := l.points(acme, "1", r); len(got) != 1 || got[0].PeakConnections != 3 {
		t.Errorf("of a deleted app: %+v", got)
	}
	if _, err := l.Points(t.Context(), acme, "2", r); !errors.Is(err, tenants.ErrNotFound) {
		t.Errorf("of a deleted app that used nothing: %v", err)
	}
}

func TestUsedBy(t *testing.T) {
	l := newLedger(t)
	at := usage.Minute.Start(time.Now().Add(-time.Hour))
	r := Range{Step: usage.Minute, Since: at, Until: at.Add(2 * time.Minute)}
	l.write("a", 1, at, of(acme, "2", connected(2)), of(bolt, "9", connected(9)))
	l.write("a", 2, at.Add(time.Minute), of(acme, "1", connected(1)), of(acme, "2", connected(1)))
	l.write("a", 3, at.Add(2*time.Minute), of(acme, "3", connected(1)))
	for app, want := range map[string][]string{"": {"1", "2"}, "1": {"1"}, "3": nil} {
		if got, err := l.UsedBy(t.Context(), acme, app, r); err != nil || !slices.Equal(got, want) {
			t.Errorf("of %q: %v, %v", app, got, err)
		}
	}
}

func TestTop(t *testing.T) {
	l := newLedger(t)
	l.exec(`INSERT INTO tenants (id, name) VALUES ('` + acme.String() + `', 'Acme')`)
	l.exec(`INSERT INTO apps (id, tenant_id, name) VALUES ('1', '` + acme.String() + `', 'Chat')`)
	at := usage.Minute.Start(time.Now().Add(-time.Hour))
	one := usage.Counts{PeakConnections: 9, ConnectionTime: usage.IntervalLength, MessagesIn: 1, BytesIn: 50}
	two := usage.Counts{PeakConnections: 2, MessagesIn: 2, MessagesOut: 3, BytesOut: 20}
	three := usage.Counts{MessagesOut: 4}
	three.Rejections[usage.Busy], three.Rejections[usage.Invalid] = 1, 2
	l.write("a", 1, at, of(acme, "1", one), of(acme, "2", two), of(acme, "3", three))
	l.write("a", 2, at.Add(time.Minute), of(acme, "1", one))
	r := Range{Step: usage.Minute, Since: at, Until: at.Add(time.Hour)}
	for order, want := range map[Order]string{ByMessages: "2 3 1", ByConnections: "1 2 3", ByBytes: "1 2 3", ByRejections: "3 1 2"} {
		got, err := l.Top(t.Context(), acme, r, order, 10)
		if err != nil {
			t.Fatal(err)
		}
		var apps []string
		for _, a := range got {
			apps = append(apps, a.App)
		}
		if text := strings.Join(apps, " "); text != want {
			t.Errorf("%v: %s, want %s", order, text, want)
		}
	}
	got, err := l.Top(t.Context(), acme, r, ByConnections, 1)
	if err != nil || len(got) != 1 {
		t.Fatalf("%+v, %v", got, err)
	}
	first := got[0]
	if first.Name != "Chat" || first.PeakConnections != 9 || first.MessagesIn != 2 || first.BytesIn != 100 || first.AverageConnections() != 1 {
		t.Errorf("%+v, %v on average", first, first.AverageConnections())
	}
	last, err := l.Top(t.Context(), acme, r, ByRejections, 1)
	if err != nil || len(last) != 1 || last[0].Name != "" || last[0].Rejections.Total() != 3 {
		t.Errorf("%+v, %v", last, err)
	}
}

func TestOldRowsAreRemoved(t *testing.T) {
	l := newLedger(t)
	at := usage.Minute.Start(time.Now().Add(-time.Minute))
	l.write("a", 1, at, of(acme, "1", connected(1)))
	const hour, day = time.Hour, 24 * time.Hour
	for _, c := range []struct {
		after time.Duration
		left  string
	}{
		{0, "minute hour day"},
		{2*day - hour, "minute hour day"},
		{2*day + hour, "hour day"},
		{90*day - 2*hour, "hour day"},
		{90*day + 2*hour, "day"},
		{730*day - 25*hour, "day"},
		{730*day + 25*hour, ""},
	} {
		if _, err := l.Sweep(t.Context(), at.Add(c.after)); err != nil {
			t.Fatal(err)
		}
		left := ""
		for _, step := range usage.Steps() {
			apps, err := l.UsedBy(t.Context(), acme, "", Range{Step: step, Since: step.Start(at), Until: at.Add(time.Minute)})
			if err != nil {
				t.Fatal(err)
			}
			if len(apps) > 0 {
				if left != "" {
					left += " "
				}
				left += string(step)
			}
		}
		if left != c.left {
			t.Errorf("after %v: %q, want %q", c.after, left, c.left)
		}
	}
	left, err := pgdb.ReadOne[struct{ N int }](t.Context(), l.db, pgdb.Platform(), `
		SELECT (SELECT count(*) FROM usage) + (SELECT count(*) FROM usage_coverage) + (SELECT count(*) FROM usage_reports) AS n`, nil)
	if err != nil || left.N != 0 {
		t.Errorf("%d rows left, %v", left.N, err)
	}
	// An interval so old that nobody knows any more whether it was added is not added.
	l.write("a", 1, at.Add(-49*hour), of(acme, "1", connected(1)))
	if again := l.points(acme, "", Range{Step: usage.Day, Since: at.Add(-3 * day), Until: at}); len(again) != 0 {
		t.Errorf("added: %+v", again)
	}
}
