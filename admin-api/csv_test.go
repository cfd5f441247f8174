package adminapi

import (
	"strings"
	"testing"
)

func TestNoCellIsAFormula(t *testing.T) {
	for cell, want := range map[string]string{
		"": "", "name": "name", "a=b": "a=b", "a-b": "a-b",
		"=1+1": "'=1+1", "+1": "'+1", "-1": "'-1", "@sum": "'@sum",
		"\t=1": "'\t=1", "\r=1": "'\r=1", " =1": "' =1", "\n=1": "'\n=1", "\tx": "'\tx",
	} {
		if got := harmless(cell); got != want {
			t.Errorf("%q becomes %q, want %q", cell, got, want)
		}
	}
	var text strings.Builder
	f := newCSVFile(&text)
	if err := f.write(`=a"b`, "c,d", "two\nlines"); err != nil || f.flush() != nil {
		t.Fatal(err)
	}
	if want := "\"'=a\"\"b\",\"c,d\",\"two\r\nlines\"\r\n"; text.String() != want {
		t.Errorf("%q, want %q", text.String(), want)
	}
}
