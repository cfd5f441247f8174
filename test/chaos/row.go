package chaos

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pealhq/peal/test/chaos/ledger"
	"github.com/pealhq/peal/test/chaos/stack"
)

// Row is one failure.
type Row struct {
	Name, Title string
	// Redis is the form that the row needs.
	Redis stack.Kind
	// Short has the row run with the ordinary tests.
	Short bool
	// Keys has every event published under an idempotency key, and again until it is known to be out.
	Keys bool
	// Env are settings of the edges.
	Env []string
	// Comeback has clients whose socket is lost connect again.
	Comeback bool
	// Run opens the stage, breaks something, mends it and states the row's own goals. What holds for every row is checked
	// afterwards.
	Run func(ctx context.Context, s *Stage) error
}

// Rows are all that there are, in the order in which they run.
func Rows() []Row {
	return slices.Concat(steadyRows(), redisRows(), slowRows(), cutRows(), randomRows(), postgresRows(), edgeRows(), rollingRows(), skewRows())
}

// choose returns the rows of some names, all for none.
func choose(names []string) ([]Row, error) {
	all := Rows()
	if len(names) == 0 {
		return all, nil
	}
	var chosen []Row
	for _, name := range names {
		// R3 is all rows of R3: R3s and R3c.
		found := false
		for _, r := range all {
			if strings.EqualFold(r.Name, name) || strings.EqualFold(strings.TrimRight(r.Name, "abcdefghijklmnopqrstuvwxyz"), name) {
				chosen, found = append(chosen, r), true
			}
		}
		if !found {
			return nil, fmt.Errorf("there is no row %q; there are %s", name, rowNames(all))
		}
	}
	return chosen, nil
}

func rowNames(rows []Row) string {
	var names []string
	for _, r := range rows {
		names = append(names, r.Name)
	}
	return strings.Join(names, ", ")
}

// Measure is something that a row found, and what was asked of it.
type Measure struct {
	Name, Value string
	// Goal is empty for what is only told.
	Goal   string
	Failed bool
}

// Result is what came of one run of a row.
type Result struct {
	Row      Row
	Round    int
	Took     time.Duration
	Measures []Measure
	Report   ledger.Report
	// Violations are what must not be, of the ledgers and of the rooms.
	Violations []string
	// Notes are for people: what was compared, what was seen besides.
	Notes []string
	// Err is why the row could not be run to its end.
	Err error
	// Logs are the last complaints of each edge, when something failed.
	Logs []string
}

// Passed tells whether everything held.
func (r Result) Passed() bool {
	return r.Err == nil && len(r.Violations) == 0 && !slices.ContainsFunc(r.Measures, func(m Measure) bool { return m.Failed })
}
