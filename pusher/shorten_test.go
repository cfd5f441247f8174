package pusher_test

import (
	"strings"
	"testing"

	"github.com/pealhq/peal/pusher"
)

func TestShorten(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text string
		most int
		want string
	}{
		{"", 3, ""},
		{"abc", 3, "abc"},
		{"abcd", 3, "abc…"},
		{"ééé", 3, "ééé"},
		{"éééé", 3, "ééé…"},
		{"a\xffb", 3, "a\uFFFDb"},
		{strings.Repeat("\xff", 9), 3, "\uFFFD"},
	} {
		if got := pusher.Shorten(c.text, c.most); got != c.want {
			t.Errorf("%q in %d: %q, want %q", c.text, c.most, got, c.want)
		}
	}
}
