package chaos

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/pealhq/peal/test/chaos/ledger"
)

// The markers between which a document has what was found.
const (
	beginMarker = "<!-- rows: written by test/chaos -->"
	endMarker   = "<!-- end of rows -->"
)

// byRow gathers the rounds of each row, in the order of the rows.
func byRow(results []Result) (rows [][]Result) {
	var names []string
	for _, r := range results {
		i := slices.Index(names, r.Row.Name)
		if i < 0 {
			i = len(names)
			names, rows = append(names, r.Row.Name), append(rows, nil)
		}
		rows[i] = append(rows[i], r)
	}
	return rows
}

// verdict says in how many rounds a row held.
func verdict(rounds []Result) string {
	passed := 0
	for _, r := range rounds {
		if r.Passed() {
			passed++
		}
	}
	if passed == len(rounds) {
		return fmt.Sprintf("%d of %d", passed, len(rounds))
	}
	return fmt.Sprintf("**%d of %d**", passed, len(rounds))
}

// sums adds up the ledgers of the rounds.
func sums(rounds []Result) (t ledger.Report) {
	for _, r := range rounds {
		for i, n := range r.Report.Outcomes {
			t.Outcomes[i] += n
		}
		t.Expected += r.Report.Expected
		t.LostPlain += r.Report.LostPlain
		t.LostTold += r.Report.LostTold
		t.Gaps += r.Report.Gaps
	}
	return t
}

// found writes a row's measures, with the values of all rounds.
func found(rounds []Result) string {
	var parts []string
	for i, m := range rounds[0].Measures {
		values, failed := []string{m.Value}, m.Failed
		for _, r := range rounds[1:] {
			if i < len(r.Measures) && r.Measures[i].Name == m.Name {
				values, failed = append(values, r.Measures[i].Value), failed || r.Measures[i].Failed
			}
		}
		text := m.Name + " " + strings.Join(slices.Compact(values), " / ")
		if m.Goal != "" {
			text += " (" + m.Goal + ")"
		}
		if failed {
			text = "**" + text + "**"
		}
		parts = append(parts, text)
	}
	for n, r := range rounds {
		if len(r.Violations) > 0 {
			parts = append(parts, fmt.Sprintf("**round %d: %d violations, such as %s**", n+1, len(r.Violations), r.Violations[0]))
		}
		if r.Err != nil {
			parts = append(parts, fmt.Sprintf("**round %d could not be run to its end: %.200s**", n+1, strings.ReplaceAll(r.Err.Error(), "\n", " ")))
		}
	}
	return strings.Join(parts, "; ")
}

// WriteTable writes results for a terminal.
func WriteTable(w io.Writer, results []Result, figures []Figure) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "ROW\tHOLDS\tACKNOWLEDGED\tDUE\tLOST, PLAIN\tLOST, LOG (TOLD)\tTITLE")
	for _, rounds := range byRow(results) {
		s := sums(rounds)
		fmt.Fprintf(t, "%s\t%s\t%d\t%d\t%d\t%d\t%s\n", rounds[0].Row.Name, strings.Trim(verdict(rounds), "*"), s.Outcomes[ledger.OK], s.Expected,
			s.LostPlain, s.LostTold, rounds[0].Row.Title)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, f := range figures {
		fmt.Fprintf(w, "%s: %s\n", f.Name, f.Value)
	}
	return nil
}

// WriteDocument puts what was found between the markers of a document. About are lines on the machine and the command.
func WriteDocument(path string, about []string, results []Result, figures []Figure) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("read the document: %w", err)
	}
	before, rest, begun := bytes.Cut(text, []byte(beginMarker))
	_, after, ended := bytes.Cut(rest, []byte(endMarker))
	if !begun || !ended {
		return errors.New(path + " lacks the markers " + beginMarker + " and " + endMarker)
	}
	var b bytes.Buffer
	b.Write(before)
	b.WriteString(beginMarker + "\n\n")
	markdown(&b, about, results, figures)
	b.WriteString("\n" + endMarker)
	b.Write(after)
	return os.WriteFile(path, b.Bytes(), 0o644)
}

func markdown(w io.Writer, about []string, results []Result, figures []Figure) {
	for _, line := range about {
		fmt.Fprintf(w, "- %s\n", line)
	}
	fmt.Fprint(w, "\n| row | what happens | rounds that hold | acknowledged | deliveries due | lost, plain | lost with a log, told | gaps told |\n"+
		"|---|---|---|---|---|---|---|---|\n")
	rows := byRow(results)
	for _, rounds := range rows {
		s := sums(rounds)
		fmt.Fprintf(w, "| %s | %s | %s | %d | %d | %d | %d | %d |\n", rounds[0].Row.Name, rounds[0].Row.Title, verdict(rounds),
			s.Outcomes[ledger.OK], s.Expected, s.LostPlain, s.LostTold, s.Gaps)
	}
	fmt.Fprint(w, "\n| row | what was measured (and the goal), round by round |\n|---|---|\n")
	for _, rounds := range rows {
		fmt.Fprintf(w, "| %s | %s |\n", rounds[0].Row.Name, strings.ReplaceAll(found(rounds), "|", "\\|"))
	}
	for _, rounds := range rows {
		for _, note := range rounds[0].Notes {
			fmt.Fprintf(w, "\n%s: %s\n", rounds[0].Row.Name, note)
		}
	}
	if len(figures) == 0 {
		return
	}
	fmt.Fprint(w, "\n### What more than one edge costs\n\n| measure | value |\n|---|---|\n")
	for _, f := range figures {
		fmt.Fprintf(w, "| %s | %s |\n", f.Name, strings.ReplaceAll(f.Value, "|", "\\|"))
	}
}
