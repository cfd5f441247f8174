package adminapi

import (
	"encoding/csv"
	"io"
	"strings"
)

// csvFile writes a table for spreadsheets, which read a cell that begins in certain ways as a formula: whoever names an app
// "=…" would have it run on the machine of who opens the file. An apostrophe before it makes it text.
type csvFile struct{ w *csv.Writer }

func newCSVFile(w io.Writer) csvFile {
	c := csv.NewWriter(w)
	c.UseCRLF = true // as RFC 4180 has it
	return csvFile{c}
}

// write writes one row of cells.
func (f csvFile) write(cells ...string) error {
	safe := make([]string, len(cells))
	for i, c := range cells {
		safe[i] = harmless(c)
	}
	return f.w.Write(safe)
}

// flush hands on what was written.
func (f csvFile) flush() error {
	f.w.Flush()
	return f.w.Error()
}

// harmless returns a cell that no spreadsheet takes for a formula. Tabs and line breaks before one are skipped by some.
func harmless(cell string) string {
	if begin := strings.TrimLeft(cell, " \t\r\n"); begin != "" && strings.ContainsRune("=+-@", rune(begin[0])) || strings.HasPrefix(cell, "\t") || strings.HasPrefix(cell, "\r") {
		return "'" + cell
	}
	return cell
}
