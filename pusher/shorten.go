package pusher

import (
	"strings"
	"unicode/utf8"
)

// Shorten cuts what somebody sent to what is worth repeating to them: most characters and then an ellipsis. What is no
// valid UTF-8 is replaced.
func Shorten(text string, most int) string {
	text = strings.ToValidUTF8(text, "\uFFFD")
	if len(text) <= most || utf8.RuneCountInString(text) <= most {
		return text
	}
	n := 0
	for at := range text {
		if n == most {
			return text[:at] + "…"
		}
		n++
	}
	return text
}
