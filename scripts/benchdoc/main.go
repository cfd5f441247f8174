// Command benchdoc writes the figures that scripts/bench.sh has measured into docs/performance.md, between two markers; what
// stands around them is written by hand and stays. It measures nothing itself, and judges nothing but what the table's
// own columns ask: start with table.go.
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

const (
	beginMarker = "<!-- figures: written by scripts/bench.sh -->"
	endMarker   = "<!-- end of figures -->"
)

func main() {
	figures := flag.String("figures", "", "folder with what was measured")
	document := flag.String("document", "docs/performance.md", "document to write into")
	flag.Parse()
	if err := run(*figures, *document); err != nil {
		fmt.Fprintln(os.Stderr, "benchdoc:", err)
		os.Exit(1)
	}
}

func run(figures, document string) error {
	text, err := os.ReadFile(document) //nolint:gosec // The caller names the document.
	if err != nil {
		return fmt.Errorf("read the document: %w", err)
	}
	section, err := render(figures)
	if err != nil {
		return err
	}
	if text, err = replace(text, section); err != nil {
		return fmt.Errorf("%s: %w", document, err)
	}
	return os.WriteFile(document, text, 0o644) //nolint:gosec // It is a document, for everybody to read.
}

// replace puts a section between the markers.
func replace(text, section []byte) ([]byte, error) {
	before, rest, found := bytes.Cut(text, []byte(beginMarker))
	_, after, closed := bytes.Cut(rest, []byte(endMarker))
	if !found || !closed {
		return nil, errors.New("it lacks the markers " + beginMarker + " and " + endMarker)
	}
	return bytes.Join([][]byte{before, []byte(beginMarker + "\n\n"), section, []byte("\n" + endMarker), after}, nil), nil
}

// render writes the section.
func render(figures string) ([]byte, error) {
	results, failed, err := load(figures)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	machine, err := lines(figures, "machine.txt")
	if err != nil {
		return nil, err
	}
	for _, line := range machine {
		name, value, _ := strings.Cut(line, ": ")
		if name == "command" {
			value = "`" + value + "`"
		}
		fmt.Fprintf(&b, "- %s: %s\n", name, value)
	}
	writeComparison(&b, results, failed)
	writeSizes(&b, results)
	writeRemarks(&b, results, failed)
	start, err := lines(figures, "start.txt")
	if err != nil {
		return nil, err
	}
	fmt.Fprint(&b, "\n### From nothing to the first event\n\n")
	for _, line := range start {
		fmt.Fprintf(&b, "- %s\n", line)
	}
	if err := writeProfile(&b, figures); err != nil {
		return nil, err
	}
	micro, err := lines(figures, "go.txt")
	if err != nil {
		return nil, err
	}
	writeMicro(&b, micro)
	return b.Bytes(), nil
}

// writeProfile shows where the server's time went, where that was measured.
func writeProfile(b *bytes.Buffer, figures string) error {
	profile, err := lines(figures, "profile.txt")
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(b, "\n### Where the time goes: fan-out to 1,000, window 16\n\n```\n%s\n```\n", strings.Join(profile, "\n"))
	return nil
}

// lines reads a text file, without lines that are empty.
func lines(folder, name string) ([]string, error) {
	text, err := os.ReadFile(filepath.Join(folder, name)) //nolint:gosec // The caller names the folder.
	if err != nil {
		return nil, fmt.Errorf("read what was measured: %w", err)
	}
	return strings.FieldsFunc(string(text), func(r rune) bool { return r == '\n' }), nil
}
