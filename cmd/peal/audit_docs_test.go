package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// actionText is how an action is written in the packages that write audit rows, which have no other text of that form.
var actionText = regexp.MustCompile(`"([a-z_]+\.[a-z_]+)"`)

// TestListOfActions holds docs/audit.md against the actions that are written: each is told, and none that is not.
func TestListOfActions(t *testing.T) {
	t.Parallel()
	written := map[string]bool{}
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "node_modules" || d.Name() == ".tools" || d.Name() == ".git") {
			return fs.SkipDir
		}
		folder := filepath.Base(filepath.Dir(path))
		if !strings.HasPrefix(folder, "pg") || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		text, err := os.ReadFile(path)
		for _, m := range actionText.FindAllSubmatch(text, -1) {
			written[string(m[1])] = true
		}
		return err
	})
	if err != nil || len(written) < 10 {
		t.Fatalf("actions %v, %v", written, err)
	}
	text, err := os.ReadFile(docsFolder + "audit.md")
	if err != nil {
		t.Fatal(err)
	}
	_, list, _ := strings.Cut(string(text), "\n## Actions\n")
	list, _, _ = strings.Cut(list, "\n## ")
	var told []string
	for line := range strings.Lines(list) {
		if cells := strings.Split(line, "|"); len(cells) > 2 {
			for _, m := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(cells[1], -1) {
				told = append(told, m[1])
			}
		}
	}
	for action := range written {
		if !slices.Contains(told, action) {
			t.Errorf("docs/audit.md does not tell of %s", action)
		}
	}
	for _, action := range told {
		if !written[action] {
			t.Errorf("docs/audit.md tells of %s, which nobody writes", action)
		}
	}
}
