package bench

import (
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"text/tabwriter"
)

// WriteTable writes a result for people: a line for each round, the medians, the ratios, and what must be known before
// the numbers are believed.
func WriteTable(w io.Writer, res Result) error {
	tw := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	shown := shownMeasures(res)
	head := []string{"TARGET", "ROUND", "SOCKETS"}
	for _, m := range shown {
		head = append(head, strings.ToUpper(m.title))
	}
	fmt.Fprintln(tw, strings.Join(append(head, "LOST", "TWICE", "DISORDER", "BUSY"), "\t"))
	for _, t := range res.Targets {
		for i, r := range t.Rounds {
			cells := []string{t.Name, strconv.Itoa(i + 1), strconv.Itoa(r.Sockets)}
			for _, m := range shown {
				cells = append(cells, number(m.of(r)))
			}
			cells = append(cells, strconv.FormatInt(r.Counts.Lost, 10), strconv.FormatInt(r.Counts.Duplicates, 10),
				strconv.FormatInt(r.Counts.OutOfOrder, 10), fmt.Sprintf("%.0f%%", 100*r.Generator.Busy))
			fmt.Fprintln(tw, strings.Join(cells, "\t"))
		}
		if len(t.Rounds) > 1 {
			cells := []string{t.Name, "median", ""}
			for _, m := range shown {
				cells = append(cells, number(t.Medians[m.name]))
			}
			fmt.Fprintln(tw, strings.Join(append(cells, "", "", "", ""), "\t"))
		}
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	if err := writeRatios(w, res); err != nil {
		return err
	}
	for _, note := range Notes(res) {
		fmt.Fprintln(w, note)
	}
	return nil
}

// shownMeasures are those that some round has.
func shownMeasures(res Result) []measure {
	var shown []measure
	for _, m := range measures() {
		for _, t := range res.Targets {
			if t.Medians[m.name] != 0 {
				shown = append(shown, m)
				break
			}
		}
	}
	return shown
}

func writeRatios(w io.Writer, res Result) error {
	if len(res.Ratios) == 0 {
		return nil
	}
	fmt.Fprintln(w)
	tw := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(tw, "RATIO\tOF\tTO\tMEDIAN\tROUNDS")
	for _, r := range res.Ratios {
		var rounds []string
		for _, v := range r.Rounds {
			rounds = append(rounds, number(v))
		}
		fmt.Fprintf(tw, "%s\t%s\t%s\t%s\t%s\n", r.Measure, r.Target, r.Baseline, number(r.Median), strings.Join(rounds, " "))
	}
	return tw.Flush()
}

// number shows three digits of what is small and the whole of what is large.
func number(v float64) string {
	switch a := math.Abs(v); {
	case a == 0:
		return "-"
	case a >= 1000:
		return strconv.FormatFloat(v, 'f', 0, 64)
	default:
		return strconv.FormatFloat(v, 'g', 3, 64)
	}
}

// Notes are what must be known before the numbers are believed.
func Notes(res Result) []string {
	var notes []string
	add := func(format string, args ...any) { notes = append(notes, "note: "+fmt.Sprintf(format, args...)) }
	for _, t := range res.Targets {
		for i, r := range t.Rounds {
			c := r.Counts
			if c.Lost > 0 {
				add("%s, round %d: %d of %d deliveries were lost", t.Name, i+1, c.Lost, c.Expected)
			}
			if c.Misplaced > 0 {
				add("%s, round %d: %d messages were heard on sockets of another channel", t.Name, i+1, c.Misplaced)
			}
			if c.Refused > 0 || c.Dropped > 0 {
				add("%s, round %d: %d publishes were refused and %d sockets dropped: %s", t.Name, i+1, c.Refused, c.Dropped, r.RefusedFor)
			}
			if r.Generator.Bottleneck {
				add("%s, round %d: the generator was busy %.0f%% of the time and sent up to %.1f ms late; the server may be able to do more",
					t.Name, i+1, 100*r.Generator.Busy, float64(r.Generator.LagMicroseconds)/1000)
			}
		}
	}
	return notes
}
